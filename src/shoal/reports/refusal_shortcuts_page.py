"""The page of ``shoal safety explain --plot``: what the refusals of each model come from, and the pairs behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.attribution import NOISE, RULE
from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.safety.shortcut import EFFECT_HEAD, RefusalCurve, effect_row, verdict_text
from shoal.wording import plural

if TYPE_CHECKING:
    from shoal.safety.shortcut import RefusalExplanation, RefusalExplanations

_SERIES = {RULE: 0, NOISE: 2}
"""As on the page of ``shoal explain``: the rule and noise have colours of their own, all shortcuts share one."""


def refusal_shortcuts_page(found: RefusalExplanations | RefusalCurve) -> str:
    """A whole document that opens offline.

    Args:
        found: what explains the refusals of some models, or of the models of a safety tuning by their number of safety
            examples.
    """
    if isinstance(found, RefusalCurve):
        return _curve_page(found)
    sections = [Section("models", "What the refusals come from", _shares(found)), *_model_sections(found)]
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


def _model_sections(found: RefusalExplanations) -> list[Section]:
    sections = []
    if found.changes:
        sections.append(Section("changes", "Against the first model", _changes(found)))
    for place, model in enumerate(found.models):
        sections.append(Section(f"model-{place}", model.name, _model(model)))
    sections.append(Section("pairs", "The minimal pairs", _pairs(found)))
    return sections


def _curve_page(curve: RefusalCurve) -> str:
    """The page of a safety tuning: shares and rates over the number of safety examples, then every training."""
    (head, *rows), (rate_head, *rates) = curve.share_rows(), curve.rate_rows()
    tables = table(head, rows, caption="Share of the refusals that each explanation accounts for", numeric=(1,))
    tables += table(rate_head, rates, caption="How often prompts are refused, corrected for the scorer's errors")
    notes = Markup("").join(Markup("<li>{}</li>").format(note) for note in curve.notes())
    every = curve.explanations
    caption = (
        "Each row is a number of safety examples: the mean share over trainings with its interval over prompts and "
        "trainings; a ring is a training."
    )
    return document(
        "Refusals by number of safety examples: harm or a shortcut",
        curve.sentence,
        [
            Section("curve", "By number of safety examples", tables + Markup("<ul>{}</ul>").format(notes)),
            *_model_sections(every),
        ],
        details=f"{sum(every.pairs.values()):,} minimal pairs of prompts; {plural(len(every.models), 'model')}.",
        picture=figure([_share_panel(curve, name) for name in curve.share_names], caption=caption),
    )


def _share_panel(curve: RefusalCurve, name: str) -> Markup:
    """The share of one explanation by the number of safety examples; numbers without a refusal have no row."""
    rows = [
        DotRow(
            label=point.name, series=_SERIES.get(name, 1), mean=share.share, low=share.low, high=share.high,
            seeds=share.by_training if len(point.trainings) > 1 else (),
        )
        for point in curve.points
        for share in point.shares
        if share.name == name
    ]  # fmt: skip
    return responsive(
        lambda width: dot_chart(rows, title=name, axis="share of the refusals", domain=(0, 1), width=width),
        title=f"{name}: share of the refusals by number of safety examples",
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
        numeric=range(2, 8),
    )
    return Markup("<p>{}</p>").format(model.sentence) + cells + effects


def _pairs(found: RefusalExplanations) -> Markup:
    rows = [(kind, plural(count, "pair")) for kind, count in found.pairs.items()]
    rows += [(f"left out: {reason}", plural(count, "pair")) for reason, count in found.left_out.items()]
    return table(("kind", "number"), rows, caption="Pairs that passed their checks, and those that did not")
