"""The page of ``shoal safety explain --plot``: what the refusals of each model come from, and the pairs behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.attribution import NOISE, RULE
from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.safety.shortcut import EFFECT_HEAD, effect_row, verdict_text
from shoal.wording import plural

if TYPE_CHECKING:
    from shoal.safety.shortcut import RefusalExplanation, RefusalExplanations

_SERIES = {RULE: 0, NOISE: 2}
"""As on the page of ``shoal explain``: the rule and noise have colours of their own, all shortcuts share one."""


def refusal_shortcuts_page(found: RefusalExplanations) -> str:
    """A whole document that opens offline.

    Args:
        found: what explains the refusals of some models.
    """
    sections = [Section("models", "What the refusals come from", _shares(found))]
    if found.changes:
        sections.append(Section("changes", "Against the first model", _changes(found)))
    for place, model in enumerate(found.models):
        sections.append(Section(f"model-{place}", model.name, _model(model)))
    sections.append(Section("pairs", "The minimal pairs", _pairs(found)))
    return document(
        "Refusals: by harm or by a shortcut",
        " ".join(model.sentence for model in found.models),
        sections,
        details=f"{sum(found.pairs.values()):,} minimal pairs of prompts.",
        picture=figure(
            [_panel(model) for model in found.models],
            caption="Share of the refusals that each explanation accounts for, with its interval over prompts.",
        ),
    )


def _panel(model: RefusalExplanation) -> Markup:
    rows = [
        DotRow(label=share.name, series=_SERIES.get(share.name, 1), mean=share.share, low=share.low, high=share.high)
        for share in model.shares
    ]
    if not rows:
        return Markup("<p>{}</p>").format(model.sentence)
    return responsive(
        lambda width: dot_chart(rows, title=model.name, axis="share of the refusals", domain=(0, 1), width=width),
        title=f"{model.name}: shares of the refusals, as in the table below",
    )


def _shares(found: RefusalExplanations) -> Markup:
    rows = [
        (
            model.name,
            verdict_text(model),
            share.name,
            f"{share.share:.2f}",
            f"{share.low:.2f} to {share.high:.2f}",
            ", ".join(share.same_as),
        )
        for model in found.models
        for share in sorted(model.shares, key=lambda share: -share.share)
    ]
    head = ("model", "verdict", "explanation", "share of the refusals", "interval", "same as")
    if not rows:
        return Markup("<p>No model refuses anything.</p>")
    return table(head, rows, caption="Every explanation, and noise: refusals whatever is requested", numeric=(3,))


def _changes(found: RefusalExplanations) -> Markup:
    rows = [
        (
            change.second,
            change.what,
            f"{change.newly_refused:,}",
            f"{change.no_longer_refused:,}",
            f"{change.prompts:,}",
            f"{change.p_value:.2g}",
        )
        for change in found.changes
    ]
    head = ("model", "prompts", "newly refused", "no longer refused", "of", "p")
    caption = f"Against {found.changes[0].first}: McNemar's exact test, prompt by prompt"
    return table(head, rows, caption=caption, numeric=(2, 3, 4, 5))


def _model(model: RefusalExplanation) -> Markup:
    rates = [
        (
            cell.name,
            f"{cell.prompts:,}",
            f"{cell.refused.raw:.1%}",
            f"{cell.refused.corrected:.1%}",
            f"{cell.refused.low:.1%} to {cell.refused.high:.1%}",
        )
        for cell in model.cells
    ]
    cells = table(
        ("prompts", "number", "refused, raw", "corrected", "interval"),
        rates,
        caption="How often prompts are refused, corrected for the scorer's errors",
        numeric=(1, 2, 3),
    )
    effects = table(
        EFFECT_HEAD,
        [effect_row(effect) for effect in model.effects],
        caption="Minimal pairs: the rate of refusals of the first prompt, of the second, and the corrected change in "
        "percentage points",
        numeric=(2, 3, 4, 5),
    )
    return Markup("<p>{}</p>").format(model.sentence) + cells + effects


def _pairs(found: RefusalExplanations) -> Markup:
    rows = [(kind, plural(count, "pair")) for kind, count in found.pairs.items()]
    rows += [(f"left out: {reason}", plural(count, "pair")) for reason, count in found.left_out.items()]
    return table(("kind", "number"), rows, caption="Pairs that passed their checks, and those that did not")
