"""The perplexity of texts as one HTML page: the figures, the text coloured by surprisal, the most surprising tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import (
    DotRow,
    Section,
    TokenBox,
    TokenMeasure,
    document,
    dot_chart,
    figure,
    responsive,
    table,
    token_data,
    token_script,
    token_style,
    token_view,
    visible,
)
from shoal.reports.html_format import NOTHING
from shoal.wording import joined, plural, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.evaluation.perplexity import PerplexityComparison, PerplexityReport, ScoredDocument, SurprisingToken

_SHOWN_TOKENS = 4000
"""Tokens of a model's text that are drawn: a page of more is slow to scroll."""

_AROUND = 40
"""Characters before a surprising token."""


def perplexity_page(found: PerplexityComparison) -> str:
    """A whole document that opens offline.

    Args:
        found: one model or several on the same texts.
    """
    sections = [Section("figures", "How well each unit is predicted", _figures(found))]
    data: dict[str, object] = {}
    for place, report in enumerate(found.reports):
        view, views = _text(report, place)
        sections.append(Section(f"text-{place}", f"The text as {report.model} reads it", view))
        data |= views
    sections += [
        Section(f"surprising-{place}", f"What surprises {report.model} most", _surprising(report))
        for place, report in enumerate(found.reports)
        if report.surprising
    ]
    first = found.reports[0]
    texts = quoted(first.documents[0].text) if len(first.documents) == 1 else f"{len(first.documents)} texts"
    return document(
        f"Perplexity of {texts}",
        _result(found.reports),
        sections,
        details=_details(first),
        picture=_picture(found.reports) if len(found.reports) > 1 else None,
        style=token_style(),
        script=token_script(),
        data=data,
    )


def _result(reports: Sequence[PerplexityReport]) -> str:
    """What was found, in a sentence."""
    best = min(reports, key=lambda report: report.bits_per_byte)
    figures = f"{best.units[0].perplexity:.4g} per token, {best.bits_per_byte:.3f} bits per byte"
    if len(reports) > 1:
        others = joined([f"{other.model} {other.bits_per_byte:.3f}" for other in reports if other is not best])
        return f"{best.model} predicts the text best: {best.bits_per_byte:.3f} bits per byte; {others}."
    if not best.surprising:
        return f"{best.model} predicts the text with a perplexity of {figures}."
    top = best.surprising[0]
    return (
        f"{best.model} predicts the text with a perplexity of {figures}; “{top.text.strip() or visible(top.text)}” "
        f"surprises it most ({top.bits:.1f} bits)."
    )


def _picture(reports: Sequence[PerplexityReport]) -> Markup:
    """Bits per byte of every model, which can be compared between tokenizers."""
    rows = []
    for report in reports:
        byte = next(unit for unit in report.units if unit.unit == "byte")
        # The interval is one of perplexities, of which bits are the logarithm.
        low, high = (None, None) if byte.interval is None else map(math.log2, byte.interval)
        rows.append(DotRow(label=report.model, series=0, mean=report.bits_per_byte, low=low, high=high))
    chart = responsive(
        lambda width: dot_chart(rows, title="Bits per byte", axis="bits per byte (less is better)", width=width),
        title="Bits per byte of each model, with intervals",
    )
    level = f"{100 * reports[0].confidence:g}%"
    return figure([chart], caption=f"The dot is of all texts together, the line its {level} interval over documents.")


def _details(report: PerplexityReport) -> str:
    sizes = ", ".join(plural(unit.count, unit.unit) for unit in report.units)
    return f"{plural(len(report.documents), 'document')}: {sizes} (tokens of {report.model})."


def _figures(found: PerplexityComparison) -> Markup:
    """A row per model and unit, what must be known of them, and the differences."""
    level = f"{100 * found.reports[0].confidence:g}% interval"
    rows = [
        (
            report.model,
            unit.unit,
            "not defined" if unit.perplexity is None else _figure(unit.perplexity),
            NOTHING if unit.interval is None else f"{_figure(unit.interval[0])} to {_figure(unit.interval[1])}",
            "not defined" if unit.bits is None else f"{unit.bits:.4f}",
        )
        for report in found.reports
        for unit in report.units
    ]
    blocks = [
        table(
            ("Model", "Per", "Perplexity", level, "Bits"),
            rows,
            caption="Perplexity by unit; intervals are over documents",
            numeric=(2, 3, 4),
        )
    ]
    blocks += [
        Markup("<p class='muted'>{}: {}.</p>").format(report.model, note.strip())
        for report in found.reports
        for note in report.notes()
    ]
    if found.differences:
        lines = [Markup("<li>{}</li>").format(str(each)) for each in found.differences]
        text = "Perplexity per token cannot be compared between tokenizers; bits per byte can. Paired over documents:"
        blocks.append(Markup("<p>{}</p><ul>{}</ul>").format(text, Markup("").join(lines)))
    return Markup("").join(blocks)


def _figure(perplexity: float) -> str:
    """A perplexity with as many decimals as its size asks for."""
    return f"{perplexity:,.3f}" if perplexity < 100 else f"{perplexity:,.1f}"


def _text(report: PerplexityReport, place: int) -> tuple[Markup, dict[str, object]]:
    """The documents by their tokens, as many as a page can hold, and what its script reads."""
    blocks: list[Markup] = []
    data: dict[str, object] = {}
    drawn = 0
    for number, each in enumerate(report.documents):
        # The first document is always drawn, if only its beginning.
        if drawn and drawn + len(each.nats) > _SHOWN_TOKENS:
            break
        drawn += len(each.nats)
        shown = slice(0, _SHOWN_TOKENS)
        boxes = _boxes(each, shown)
        measures = [TokenMeasure(name="surprisal", values=_bits(each)[shown], unit="bits")]
        name = f"{place}-{number}"
        if len(report.documents) > 1:
            per_byte = sum(_bits(each)) / each.bytes
            blocks.append(Markup("<h3>Document {}: {:.3f} bits per byte</h3>").format(number + 1, per_byte))
        blocks.append(token_view(name, boxes, label=f"tokens by {report.model}", measures=measures))
        data[f"tokens-{name}"] = token_data(boxes, measures)
    total = sum(len(each.nats) for each in report.documents)
    reading = "The bluer a token, the less likely it was given what stands before it."
    if drawn > _SHOWN_TOKENS or drawn < total:
        reading += f" The first {min(drawn, _SHOWN_TOKENS):,} of {total:,} tokens are shown."
    return Markup("<p>{}</p>{}").format(reading, Markup("").join(blocks)), data


def _bits(each: ScoredDocument) -> list[float]:
    return [-nat / math.log(2) for nat in each.nats.tolist()]


def _boxes(each: ScoredDocument, shown: slice) -> list[TokenBox]:
    """A box per token; one whose characters the token before it has already stands for bytes."""
    boxes, reached = [], 0
    for (start, stop), nat in zip(each.spans[shown], each.nats[shown].tolist(), strict=True):
        # A character of several bytes may be spread over tokens, and all of them have its whole span.
        part = start < reached
        boxes.append(
            TokenBox(
                text="…" if part else each.text[start:stop],
                kind="byte" if part else "text",
                facts={"probability": f"{math.exp(nat):.3g}"},
            )
        )
        reached = max(reached, stop)
    return boxes


def _surprising(report: PerplexityReport) -> Markup:
    """A row per token."""
    rows = [
        (
            Markup("<code>{}</code>").format(visible(token.text)),
            f"{token.bits:.2f}",
            Markup("<code>{}</code>").format(visible(_before(report, token))),
            _expected(token),
            token.document + 1,
        )
        for token in report.surprising
    ]
    head = ("Token", "Bits", "After", "Expected", "Document")
    return table(head, rows, caption="The least likely tokens, given what stands before them", numeric=(1, 4))


def _before(report: PerplexityReport, token: SurprisingToken) -> str:
    each = report.documents[token.document]
    start = each.spans[token.place][0]
    return each.text[max(0, start - _AROUND) : start]


def _expected(token: SurprisingToken) -> Markup | str:
    if token.expected is None or token.expected_nats is None:
        return "this one"
    return Markup("<code>{}</code> ({:.0%})").format(visible(token.expected), math.exp(token.expected_nats))
