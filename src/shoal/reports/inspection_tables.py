"""The tables of an inspection: heads, the residual stream, layers, neurons; patching, ablation, training dynamics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import (
    BarRow,
    CurveLine,
    LensCell,
    Section,
    bar_table,
    curve_chart,
    figure,
    lens_table as drawn_lens,
    responsive,
    table,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.insight import (
        Ablations,
        Findings,
        HeadHistory,
        Inspection,
        LensReading,
        NeuronHistory,
        NeuronReport,
        PatchEffects,
        Rise,
    )


_LENS_ROWS = 40
_EXAMPLES = 3


def roles_table(found: Inspection) -> Markup:
    """The heads that have a role, with their scores."""
    roles = found.roles
    assert roles is not None
    rows = [
        (
            head.name,
            ", ".join(head.roles),
            *(_scores_text(score, head.text_scores.get(role)) for role, score in head.scores.items()),
            f"{min(head.p_values.values()):.3f}",
        )
        for head in roles.typed
    ]
    summary = (
        f"{len(roles.typed)} of {len(roles.heads)} heads have a role: the share of attention that the role looks at is "
        f"at least {roles.smallest:g} and more than {roles.null_heads} heads of shuffled models reach at the level "
        f"{roles.alpha:g}. The scores are on random tokens repeated once"
        + (", behind the slash on the corpus." if any(head.text_scores for head in roles.typed) else ".")
    )
    names = list(roles.heads[0].scores)
    content = table(("head", "role", *names, "p"), rows, caption="Heads with a role", numeric=range(2, len(names) + 3))
    return Markup("<p>{}</p>{}").format(summary, content if rows else "")


def _scores_text(on_random: float, on_text: float | None) -> str:
    """A score on random tokens, and on text where there is one."""
    return f"{on_random:.2f}" if on_text is None else f"{on_random:.2f} / {on_text:.2f}"


def stream_table(found: Inspection) -> Markup:
    """The residual stream in numbers."""
    rows = [
        (
            each.layer,
            *("" if value is None else f"{value:.2f}" for value in (each.length, each.attention, each.mlp)),
            *("" if value is None else f"{value:.3f}" for value in (each.turned, each.to_last)),
            f"{each.longest + 1}, {visible(found.tokens[each.longest])}",
        )
        for each in found.stream
    ]
    summary = (
        "How long the residual stream is, how much attention and MLP add to it, and how far it turns (cosines); "
        "medians over the positions, and the position at which it is longest."
    )
    head = ("after", "length", "attention adds", "MLP adds", "to the block before", "to the last block", "longest at")
    return Markup("<p>{}</p>{}").format(
        summary, table(head, rows, caption="The residual stream by layer", numeric=range(1, 6))
    )


def lens_table(found: Inspection) -> Markup:
    """The likeliest token by layer, at the last positions."""
    # The last positions, since the prediction is made there; a row per token of a long text would outweigh the page.
    first = max(0, len(found.tokens) - _LENS_ROWS)
    ids = [piece.id for piece in found.reading.pieces]
    rows = [
        (found.tokens[place], [_cell(found, reading, place, ids) for reading in found.lens])
        for place in range(first, len(ids))
    ]
    part = f" The last {len(rows)} of {len(ids)} positions are shown." if first else ""
    return Markup("<p>{}</p>{}").format(
        f"What the model would predict after each token if it ended at that layer ({found.lens_kind}); shaded by "
        f"probability, framed where it is the token that does come next.{part}",
        drawn_lens([reading.layer for reading in found.lens], rows, caption="The likeliest next token by layer"),
    )


def _cell(found: Inspection, reading: LensReading, place: int, ids: list[int]) -> LensCell:
    top = list(zip(reading.top_ids[place], reading.top_p[place], strict=True))
    return LensCell(
        token=found.names[top[0][0]],
        p=top[0][1],
        right=place + 1 < len(ids) and top[0][0] == ids[place + 1],
        more=", ".join(f"{found.names[id_]!r} {p:.1%}" for id_, p in top),
    )


def neurons_table(found: Inspection) -> Markup:
    """What the most selective neurons fire on."""
    report = found.neurons
    assert report is not None
    rows = [
        (
            each.name,
            _fires_on(each),
            "yes" if each.selective else "no",
            f"{each.separation:.1f}",
            "not tested" if math.isnan(each.auc) else f"{each.auc:.3f}",
            _examples(each),
        )
        for each in report.neurons
    ]
    summary = (
        f"Over {report.tokens:,} tokens of {report.texts:,} texts. A neuron is selective where it stands further apart "
        f"on its tokens than neurons of shuffled models do (level {report.alpha:g}, {report.null_neurons:,} of them) "
        f"and distinguishes them from all others on texts that they were not found on (AUC). {report.selective:,} of "
        f"{report.all_neurons:,} neurons stand that far apart; the furthest are shown."
    )
    head = ("neuron", "fires on", "selective", "apart", "AUC", "strongest examples")
    return Markup("<p>{}</p>{}").format(summary, table(head, rows, caption="Neurons of the MLPs", numeric=(3, 4)))


def _fires_on(report: NeuronReport) -> Markup:
    """The tokens of its class; where the strongest examples are at others, those too."""
    line = _codes(report.tokens)
    if report.examples_agree or not report.tokens:
        return line
    return Markup("{} on average, but strongest at {}").format(line, _codes(report.strongest_tokens))


def _codes(tokens: Sequence[str]) -> Markup:
    return Markup(" ").join(Markup("<code>{}</code>").format(visible(token)) for token in tokens)


def _examples(report: NeuronReport) -> Markup:
    line = Markup("<span class='example'>{}<b>{}</b>{}</span>")
    return Markup("<br>").join(line.format(each.before, each.token, each.after) for each in report.examples[:_EXAMPLES])


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
