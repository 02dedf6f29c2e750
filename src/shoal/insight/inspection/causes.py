"""The sections of a page that say what parts do: patching, ablation, and the history of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import CurveLine, curve_chart, figure, table, to_svg
from shoal.figures.bars import bar_table
from shoal.insight.causes.ablation import Ablations
from shoal.insight.causes.patching import PatchEffects
from shoal.insight.over_training.history import RoleHistory

if TYPE_CHECKING:
    from collections.abc import Callable

Findings = Mapping[str, PatchEffects | Ablations | RoleHistory]
"""What was found beside the views of one text, by name: ``patching``, ``ablation``, ``over_training``."""

_BARS = 24


def cause_sections(found: Findings) -> list[tuple[str, str, Markup]]:
    """The anchor, name and content of each section."""
    makers: dict[type, tuple[str, Callable[..., Markup]]] = {
        PatchEffects: ("What restores the answer", _patching),
        Ablations: ("What the task loses", _ablation),
        RoleHistory: ("Over training", _history),
    }
    return [(name, makers[type(value)][0], makers[type(value)][1](value)) for name, value in found.items()]


def _patching(found: PatchEffects) -> Markup:
    """The strongest effects."""
    rows = [(f"{each.name()}{each.interval()}", each.effect) for each in found.strongest(_BARS)]
    said = (
        f"{found.method.capitalize()} patching of {found.site} over {found.pairs} pairs of prompts. The logit "
        f"difference is {found.clean:+.2f} on the prompts and {found.counterfactual:+.2f} on their counterfactuals; "
        "told is the share of that which one activation of the prompt restores in the run on the counterfactual. "
        "Positions are counted from the end."
    )
    if found.pairs > 1:
        said += f" In brackets {found.level:.0%} bootstrap intervals over the pairs."
    return Markup("<p>{}</p>{}").format(
        said, bar_table(rows, head=("place", "restores"), caption=f"The {len(rows)} strongest of {len(found.effects)}")
    )


def _ablation(found: Ablations) -> Markup:
    """What is lost without each unit."""
    rows = [
        (
            f"block {each.block} {found.unit} {each.index} [{each.low:+.3f}, {each.high:+.3f}]",
            each.log_likelihood_change,
        )
        for each in found.ablations[:_BARS]
    ]
    said = (
        f"Each {found.unit} is taken away in turn ({found.how} ablation) and {found.items} items are scored again. "
        f"With all of them {found.accuracy:.1%} match exactly, at {found.log_likelihood:.3f} nats an item. Told is the "
        f"change of the log-likelihood, in brackets its {found.level:.0%} bootstrap interval over the items."
    )
    return Markup("<p>{}</p>{}").format(
        said, bar_table(rows, head=("without", "nats an item"), caption="Change of the log-likelihood")
    )


def _history(found: RoleHistory) -> Markup:
    """The scores over the checkpoints, and when each head took its role."""
    roles = list(dict.fromkeys(each.role for each in found.moments))
    charts = []
    for place, role in enumerate(roles):
        lines = [
            CurveLine(name=f"block {each.block} head {each.head}", steps=found.steps, values=each.scores)
            for each in found.moments
            if each.role == role
        ]
        chart = curve_chart(lines, title=role, axis="score", series=place, domain=(0.0, 1.0))
        charts.append(to_svg(chart, title=f"{role} by step"))
    rows = [
        (
            f"block {each.block} head {each.head}",
            each.role,
            "not found" if each.change_step is None else each.change_step,
            "" if each.change_step is None else f"{each.change_low} to {each.change_high}",
            "not reached" if each.threshold_step is None else each.threshold_step,
        )
        for each in found.moments
    ]
    head = ("head", "role", "change point at step", "between", "stays above the threshold from step")
    said = "The score of every head that has a role at the last checkpoint, at all of them, on the same random tokens."
    caption = "Thin: each head; thick: their mean."
    return Markup("<p>{}</p>{}{}").format(
        said,
        figure(charts, caption=caption) if charts else "",
        table(head, rows, caption="When heads took their roles", numeric=(2, 3, 4)) if rows else "",
    )
