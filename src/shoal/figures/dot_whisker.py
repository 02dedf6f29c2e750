"""Dots and intervals: one row per group, the mean with its interval, each seed as a ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.layered import layered
from shoal.figures.theme import LIGHT, series_colour, series_shape

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class DotRow:
    """One row of a dot chart."""

    label: str
    """What stands left of the row."""

    series: int
    """Which colour and shape it has (see `shoal.figures.theme`)."""

    mean: float | None
    """None where there is nothing to average, which leaves the row empty."""

    low: float | None
    high: float | None
    """The interval; None where one seed gives none."""

    seeds: tuple[float, ...] = ()


@debug_mode(False)  # tests check every figure, so that no page has to
def dot_chart(
    rows: Sequence[DotRow],
    *,
    title: str,
    axis: str,
    domain: tuple[float, float] | None = None,
    reference: float | None = None,
    width: int = 440,
) -> alt.LayerChart:
    """One measure over several groups, top to bottom in the order given.

    Args:
        rows: the groups.
        title: the measure.
        axis: its unit, and whether more is better.
        domain: both ends of the axis, where they are known: (0, 1) for a share.
        reference: where a dashed line stands: chance, or no difference.
        width: of the whole drawing, in pixels.
    """
    labels = [row.label for row in rows]
    scale = alt.Scale(domain=list(domain)) if domain else alt.Scale(zero=False, nice=True)
    ticks: dict[str, Any] = {"values": [0, 0.25, 0.5, 0.75, 1], "format": "%"} if domain == (0, 1) else {"tickCount": 4}
    x = alt.X("x:Q", scale=scale, title=axis, axis=alt.Axis(domain=False, labelFlush=False, **ticks))
    y = alt.Y("label:N", sort=labels, scale=alt.Scale(domain=labels), title=None, axis=_label_axis(width))
    colour = alt.Color("label:N", scale=_by_series(rows, series_colour), legend=None)
    shape = alt.Shape("label:N", scale=_by_series(rows, series_shape), legend=None)
    whole = alt.Chart(alt.Data(values=[_whole(row) for row in rows if row.mean is not None]))
    seeds = alt.Chart(alt.Data(values=[seed for row in rows for seed in _seeds(row)]))
    lines = alt.Chart(alt.Data(values=[] if reference is None else [{"x": reference}]))
    layers = [
        # Layers are drawn in order: what is behind the others comes first.
        lines.mark_rule(color=LIGHT["rule"], strokeDash=[4, 3], strokeWidth=1.5).encode(x=x),
        whole.mark_rule(strokeWidth=3, strokeCap="round").encode(
            x=alt.X("low:Q", scale=scale),
            x2=alt.X2("high:Q"),
            y=y,
            color=colour,
            description=alt.Description("tooltip:N"),
        ),
        seeds.mark_point(size=26, strokeWidth=1, opacity=0.75, color=LIGHT["muted"]).encode(
            x=x, y=y, yOffset=alt.YOffsetValue(8), description=alt.Description("tooltip:N")
        ),
        whole.mark_point(size=90, filled=True, opacity=1, stroke=LIGHT["paper"], strokeWidth=1.5).encode(
            x=x, y=y, color=colour, shape=shape, description=alt.Description("tooltip:N")
        ),
    ]
    return layered(layers, width=width, height=alt.Step(30), title=title)


def _label_axis(width: int) -> alt.Axis:
    """Row labels in ink, without ticks, that leave the plot more than half of the drawing."""
    return alt.Axis(
        domain=False, ticks=False, grid=False, labelColor=LIGHT["ink"], labelLimit=2 * width // 5, labelPadding=8
    )


def _by_series(rows: Sequence[DotRow], choose: Any) -> alt.Scale:
    """A scale from row labels to what their series looks like."""
    return alt.Scale(domain=[row.label for row in rows], range=[choose(row.series) for row in rows])


def _whole(row: DotRow) -> dict[str, Any]:
    """The record of a row's mean and interval."""
    known = row.low is not None and row.high is not None
    interval = f", interval {row.low:.3f} to {row.high:.3f}" if known else ", no interval"
    tooltip = f"{row.label}: {row.mean:.3f}{interval}"
    ends = {"low": row.low, "high": row.high} if known else {"low": row.mean, "high": row.mean}
    return {"label": row.label, "x": row.mean, "tooltip": tooltip, **ends}


def _seeds(row: DotRow) -> list[dict[str, Any]]:
    """The records of a row's seeds."""
    return [{"label": row.label, "x": value, "tooltip": f"{row.label}, one seed: {value:.3f}"} for value in row.seeds]
