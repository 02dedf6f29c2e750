"""The sections on what parts do: patching, ablation, and the training dynamics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import BarRow, CurveLine, Section, bar_table, curve_chart, figure, responsive, table, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.insight import Ablations, Findings, HeadHistory, NeuronHistory, PatchEffects, Rise

_BARS = 24


def cause_sections(found: Findings, missing: Mapping[str, str]) -> list[Section]:
    """The section of each finding; where one was requested and could not be had, the reason stands in its place.

    Args:
        found: the findings by name.
        missing: by name, why a finding is not there.
    """
    return [Section(name, title, make(found[name])) for name, (title, make) in _SECTIONS.items() if name in found] + [
        Section(name, title, why_not(missing[name])) for name, (title, _) in _SECTIONS.items() if name in missing
    ]


def why_not(reason: str) -> Markup:
    """What stands in the place of a view that is not there."""
    return Markup("<p class='muted'>Not shown: {}.</p>").format(reason)


def _patching(found: PatchEffects) -> Markup:
    """The strongest effects."""
    rows = [
        BarRow(name=each.name(), value=each.effect, low=each.low, high=each.high) for each in found.strongest(_BARS)
    ]
    summary = (
        f"{found.method.capitalize()} patching of {found.site} over {found.pairs} pairs of prompts. "
        f"{found.task_line()} The effect is the fraction of that difference restored by patching one activation. "
        f"Positions are counted from the end. {found.intervals_line()}"
    )
    return Markup("<p>{}</p>{}").format(
        summary,
        bar_table(
            rows,
            head=("place", "restores"),
            caption=f"The {len(rows)} strongest of {len(found.effects)}; pale: not significant (n.s.)",
            interval=f"{100 * found.confidence:g}% interval",
        ),
    )


def _ablation(found: Ablations) -> Markup:
    """What is lost without each unit."""
    rows = [
        BarRow(
            name=found.name(each),
            value=each.log_likelihood_change,
            low=each.low,
            high=each.high,
        )
        for each in found.ablations[:_BARS]
    ]
    summary = (
        f"Each {found.unit} is ablated in turn ({found.method} ablation) and {found.items} items are scored again. "
        f"Before that: {found.task_line()}. Shown is the change of the log-likelihood. {found.intervals_line()}"
    )
    return Markup("<p>{}</p>{}").format(
        summary,
        bar_table(
            rows,
            head=("without", "nats per item"),
            caption="Change of the log-likelihood; pale: not significant (n.s.)",
            interval=f"{100 * found.confidence:g}% interval",
        ),
    )


def _heads(found: HeadHistory) -> Markup:
    """The scores over the checkpoints, and when each head took its role."""
    charts = []
    for place, role in enumerate(dict.fromkeys(each.role for each in found.moments)):
        lines = [
            CurveLine(name=each.name, steps=found.steps, values=each.scores)
            for each in found.moments
            if each.role == role
        ]
        charts.append(_by_step(lines, role, axis="score", series=place, domain=(0.0, 1.0)))
    rows = [(each.name, f"{each.role}, on {each.seen_on}", *_when(each.rise)) for each in found.moments]
    summary = (
        "The score of every head that has a role at the last checkpoint, at all of them, on the same random tokens, or "
        "on the corpus where only that shows the role."
    )
    return _over_training(summary, charts, ("head", "role"), rows)


def _neurons(found: NeuronHistory) -> Markup:
    """How far the neurons' classes stand apart over the checkpoints, and since when."""
    lines = [CurveLine(name=each.name, steps=found.steps, values=each.scores) for each in found.moments]
    charts = []
    if lines:
        charts = [_by_step(lines, "selective neurons", axis="standard deviations apart")]
    rows = [
        (
            each.name,
            Markup(" ").join(Markup("<code>{}</code>").format(visible(token)) for token in each.tokens),
            *_when(each.rise),
        )
        for each in found.moments
    ]
    summary = (
        "Of the selective neurons of the last checkpoint, how far they stand apart at every checkpoint on the tokens "
        "on which they fire at the last. The threshold is half of what each ends at."
    )
    return _over_training(summary, charts, ("neuron", "fires on"), rows)


def _by_step(
    lines: Sequence[CurveLine],
    title: str,
    *,
    axis: str,
    series: int = 0,
    domain: tuple[float, float] | None = None,
) -> Markup:
    """Curves over the steps of the training."""
    return responsive(
        lambda width: curve_chart(lines, title=title, axis=axis, series=series, domain=domain, width=width),
        title=f"{title} by step",
        wide=460,
    )


def _when(rise: Rise) -> tuple[str | int, str, str | int]:
    """The cells that say when something rose."""
    return (
        "not found" if rise.change_step is None else rise.change_step,
        "" if rise.change_step is None else f"{rise.change_low} to {rise.change_high}",
        "not reached" if rise.threshold_step is None else rise.threshold_step,
    )


def _over_training(
    summary: str, charts: Sequence[Markup], first: tuple[str, str], rows: Sequence[tuple[object, ...]]
) -> Markup:
    """Charts and the table below them."""
    head = (*first, "change point at step", "between", "stays above the threshold from step")
    caption = "Thin: each one; thick: their mean."
    return Markup("<p>{}</p>{}{}").format(
        summary if rows else f"{summary} There is none.",
        figure(charts, caption=caption) if charts else "",
        table(head, rows, caption="When it came", numeric=(2, 3, 4)) if rows else "",
    )


_SECTIONS: dict[str, tuple[str, Callable[..., Markup]]] = {
    "patching": ("What restores the answer", _patching),
    "ablation": ("What the task loses", _ablation),
    "neuron_ablation": ("What the task loses without neurons", _ablation),
    "over_training": ("Heads over training", _heads),
    "neurons_over_training": ("Neurons over training", _neurons),
}
