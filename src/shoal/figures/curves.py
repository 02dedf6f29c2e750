"""Learning curves: each seed as a thin line, their mean as a thick one, dashed where some seeds have ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from shoal.figures.theme import LIGHT, layered, series_colour

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLine:
    """One seed's curve."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


@debug_mode(False)  # tests check every figure, so that no page has to
def curve_chart(
    lines: Sequence[CurveLine],
    *,
    title: str,
    axis: str,
    series: int = 0,
    domain: tuple[float, float] | None = None,
    points: int = 120,
    width: int = 440,
    height: int = 210,
    marks: Sequence[tuple[int, str]] = (),
) -> alt.LayerChart:
    """Curves of one arm; logarithmic where every value is above 0 and they span more than a factor of ten.

    Args:
        lines: one per seed.
        title: the arm.
        axis: what is drawn, with its unit.
        series: which colour it has.
        domain: both ends of the value axis, so that several charts can be compared.
        points: curves of more steps are averaged over this many windows.
        width: of the whole drawing, in pixels.
        height: of the plot, in pixels.
        marks: steps at which something happened, each with what it was; drawn as upright lines.
    """
    records = [record for line in lines for record in _records(line, points)]
    values = list(domain) if domain else [value for line in lines for _, value in thinned(line, points)]
    log = is_logarithmic(values)
    ends = [min(values), max(values)] if values else [0, 1]
    scale = alt.Scale(type="log" if log else "linear", zero=False, nice=False, domain=ends)
    ticks = {"values": log_ticks(*ends)} if log else {"tickCount": 5}
    x = alt.X(
        "step:Q",
        title="step",
        axis=step_axis([*(step for line in lines for step in line.steps), *(step for step, _ in marks)]),
    )
    y = alt.Y("value:Q", scale=scale, title=axis, axis=alt.Axis(domain=False, format=",.6~g", **ticks))
    colour = series_colour(series)
    base = alt.Chart(alt.Data(values=records))
    # The description becomes the hover title (`shoal.figures.theme`).
    each = base.mark_line(color=colour, opacity=0.35, strokeWidth=1).encode(
        x=x, y=y, detail=alt.Detail("name:N"), description=alt.Description("name:N")
    )
    dashes = alt.StrokeDash("part:N", legend=None, scale=alt.Scale(domain=["all", "some"], range=[[1, 0], [5, 3]]))
    mean = (
        alt.Chart(alt.Data(values=_mean(lines, points)))
        .mark_line(color=colour, strokeWidth=2.5)
        .encode(x=x, y=y, strokeDash=dashes, description=alt.DescriptionValue(_called(lines)))
    )
    layers = [each, mean] if len(lines) > 1 else [mean]
    if marks:
        happened = alt.Data(values=[{"step": step, "what": what} for step, what in marks])
        rules = alt.Chart(happened).mark_rule(color=LIGHT["ink"], opacity=0.6, strokeDash=[3, 3])
        layers.append(rules.encode(x=x, description=alt.Description("what:N")))
    return layered(layers, width=width, height=height, title=title)


def _called(lines: Sequence[CurveLine]) -> str:
    """What the thick line is."""
    return lines[0].name if len(lines) == 1 else f"mean of {len(lines)}"


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether values are worth a logarithmic axis."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > 10


def thinned(line: CurveLine, points: int) -> list[tuple[int, float]]:
    """At most ``points`` (last step, mean value) pairs over windows of equal length.

    Args:
        line: the curve.
        points: the largest number of windows.
    """
    count = len(line.steps)
    edges = sorted({round(part * count / points) for part in range(points + 1)}) if count > points else range(count + 1)
    windows = list(zip(list(edges)[:-1], list(edges)[1:], strict=True))
    return [(line.steps[stop - 1], sum(line.values[start:stop]) / (stop - start)) for start, stop in windows]


def _records(line: CurveLine, points: int) -> list[dict[str, object]]:
    """The records of one curve."""
    return [{"name": line.name, "step": step, "value": value} for step, value in thinned(line, points)]


def _mean(lines: Sequence[CurveLine], points: int) -> list[dict[str, object]]:
    """The mean over the curves at all their steps, each curve straight between its own.

    Seeds are recorded at different steps, and may end at different ones: where all have values the part is ``all``,
    before the last has begun and behind the first end it is ``some``, the mean of those that are there.
    """
    curves = [tuple(zip(*pairs, strict=True)) for line in lines if (pairs := thinned(line, points))]
    if not curves:
        return []
    first, last = max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves)
    records: list[dict[str, object]] = []
    every = sorted({step for steps, _ in curves for step in steps})
    for step in every:
        there = [np.interp(step, steps, values) for steps, values in curves if steps[0] <= step <= steps[-1]]
        if not there:
            continue
        parts = ["all"] if first <= step <= last else ["some"]
        if len(there) == len(curves) and (step == first > every[0] or step == last < every[-1]):
            parts = ["all", "some"]  # both pieces of the line meet here
        records += [{"step": step, "value": float(np.mean(there)), "part": part} for part in parts]
    return records


def step_axis(steps: Sequence[int]) -> alt.Axis:
    """The axis of steps: whole numbers, of which a short training has each once.

    Args:
        steps: those that are drawn.
    """
    short = bool(steps) and max(steps) - min(steps) < 5
    ticks: dict[str, Any] = {"values": list(range(min(steps), max(steps) + 1))} if short else {"tickCount": 5}
    return alt.Axis(grid=False, format=",d", **ticks)


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: 1, 2 and 5 of each power of ten, or the powers alone where there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    # Over more than two and a half decades the labels of 2 and 5 touch.
    steps = (1, 2, 5) if high / low < 300 else (1,)
    return [tick for power in powers for step in steps if low <= (tick := float(f"{step}e{power}")) <= high]
