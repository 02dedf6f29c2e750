"""The page of ``shoal curate --plot``: what went and why, with examples and scores before and after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.curation import CurationCard, FilterFinding, RemovedExample, ScoreSpread

_QUOTE = Markup("<blockquote>{}</blockquote>")
_EXAMPLES = Markup("<h3>{}</h3><p>{}; it stays {}.</p>{}")


def curation_page(card: CurationCard) -> str:
    """A whole document that opens offline.

    Args:
        card: of the curation.
    """
    sections = [
        Section("sizes", "Before and after", _sizes(card)),
        Section("filters", "What each filter removed", _filters(card)),
        Section("scores", "Scores before and after", _scores(card)),
    ]
    if card.lines:
        sections.append(Section("lines", "Lines", _lines(card)))
    examples = Markup("").join(_examples(card))
    if examples:
        sections.append(Section("examples", "Examples of what went", examples))
    return document(f"Curation of {card.source}", card.result(), sections, details=card.note(), picture=_picture(card))


def _picture(card: CurationCard) -> Markup | None:
    """The share of documents outside the limits of each filter that removes any."""
    active = [one for one in card.filters if one.failed]
    if not active:
        return None
    rows = [
        DotRow(label=one.name, series=0, mean=one.failed / card.before.documents, low=None, high=None)
        for one in sorted(active, key=lambda one: -one.failed)
    ]
    title = "documents outside the limits"
    chart = responsive(
        lambda width: dot_chart(rows, title=title, axis="share of all documents", domain=(0, 1), width=width),
        title=title,
    )
    caption = "Each filter by itself: a document may be outside the limits of several."
    return figure([chart], caption=caption)


def _sizes(card: CurationCard) -> Markup:
    rows = [
        (name, f"{before:,}", f"{after:,}", f"{after / max(before, 1):.1%}")
        for name, before, after in (
            ("documents", card.before.documents, card.after.documents),
            ("words", card.before.words, card.after.words),
            ("characters", card.before.characters, card.after.characters),
        )
    ]
    return table(("", "before", "after", "share"), rows, caption="Size of the corpus", numeric=(1, 2, 3))


def _filters(card: CurationCard) -> Markup:
    rows = [
        (one.name, one.measures, one.limits, f"{one.scored:,}", f"{one.failed:,}", f"{one.removed:,}", one.source)
        for one in card.filters
    ]
    if card.without_lines:
        rows.append(("no line left", "", "", "", "", f"{card.without_lines:,}", ""))
    return table(
        ("filter", "measures", "stays where", "scored", "outside the limits", "removed first", "source"),
        rows,
        caption="Documents, by filter in the order in which they ran",
        numeric=(3, 4, 5),
    )


def _scores(card: CurationCard) -> Markup:
    rows = [(one.name, *_spread(one.before), *_spread(one.after)) for one in card.filters if one.before is not None]
    head = ("mean", "5%", "median", "95%")
    return table(
        ("filter", *(f"{name}, before" for name in head), *(f"{name}, after" for name in head)),
        rows,
        caption="Mean of all documents; quantiles of a random sample of at most 2,000",
        numeric=range(1, 9),
    )


def _spread(spread: ScoreSpread | None) -> tuple[str, ...]:
    if spread is None:
        return ("",) * 4
    return tuple(f"{value:,.4g}" for value in (spread.mean, spread.low, spread.median, spread.high))


def _lines(card: CurationCard) -> Markup:
    rows = [
        (
            one.name,
            one.measures,
            f"{one.seen:,}",
            f"{one.removed:,}",
            f"{one.edited:,}",
            one.examples[0] if one.examples else "",
        )
        for one in card.lines
    ]
    return table(
        ("filter", "goes where a line has", "seen", "removed", "edited", "example"),
        rows,
        caption="Lines, by filter in the order in which they ran",
        numeric=(2, 3, 4),
    )


def _examples(card: CurationCard) -> Iterator[Markup]:
    for one in card.filters:
        if one.examples:
            quotes = Markup("").join(_QUOTE.format(_quote(one, example)) for example in one.examples)
            yield _EXAMPLES.format(one.name, one.measures, f"where it is {one.limits}", quotes)


def _quote(one: FilterFinding, example: RemovedExample) -> str:
    score = "" if math.isnan(example.score) else f"{example.score:,.4g} {one.measures}: "
    return f"{score}{example.text}"
