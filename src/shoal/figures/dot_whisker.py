"""Estimates with their intervals: a row per group, with each seed as a ring; and the effect of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.theme import LIGHT, label_axis, layered, series_colour, series_shape

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
    chance: float | None = None
    """What guessing would reach, drawn as a dashed line across the row; None for none."""


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
    domain = domain or _around_one_value(rows, reference)
    scale = alt.Scale(domain=list(domain)) if domain else alt.Scale(zero=False, nice=True)
    ticks: dict[str, Any] = {"values": [0, 0.25, 0.5, 0.75, 1], "format": "%"} if domain == (0, 1) else {"tickCount": 4}
    x = alt.X("x:Q", scale=scale, title=axis, axis=alt.Axis(domain=False, labelFlush=False, **ticks))
    y = alt.Y("label:N", sort=labels, scale=alt.Scale(domain=labels), title=None, axis=label_axis(width))
    colour = alt.Color("label:N", scale=_by_series(rows, series_colour), legend=None)
    shape = alt.Shape("label:N", scale=_by_series(rows, series_shape), legend=None)
    whole = alt.Chart(alt.Data(values=[_whole(row) for row in rows if row.mean is not None]))
    seeds = alt.Chart(alt.Data(values=[seed for row in rows for seed in _seeds(row)]))
    lines = alt.Chart(alt.Data(values=[] if reference is None else [{"x": reference}]))
    chances = alt.Chart(alt.Data(values=[_chance(row) for row in rows if row.chance is not None]))
    layers = [
        # Layers are drawn in order: what is behind the others comes first.
        lines.mark_rule(color=LIGHT["rule"], strokeDash=[4, 3], strokeWidth=1.5).encode(x=x),
        # A point and not a tick, which would make bands of all rows and move what lies beside their middle.
        chances.mark_point(shape="M0,-1V1", size=580, strokeWidth=1.5, strokeDash=[4, 3], color=LIGHT["muted"]).encode(
            x=x, y=y, description=alt.Description("tooltip:N")
        ),
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


def _around_one_value(rows: Sequence[DotRow], reference: float | None) -> tuple[float, float] | None:
    """An axis around the only value that is drawn, whose one tick Vega would call 0; None where there are several."""
    drawn = {value for row in rows for value in (row.mean, row.low, row.high, row.chance, *row.seeds)} | {reference}
    drawn.discard(None)
    if len(drawn) != 1:
        return None
    (value,) = drawn
    assert value is not None
    room = abs(value) / 2 or 0.5
    return value - room, value + room


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


def _chance(row: DotRow) -> dict[str, Any]:
    """The record of a row's chance level."""
    return {"label": row.label, "x": row.chance, "tooltip": f"{row.label}: chance {row.chance:.3f}"}


def _seeds(row: DotRow) -> list[dict[str, Any]]:
    """The records of a row's seeds."""
    return [{"label": row.label, "x": value, "tooltip": f"{row.label}, one seed: {value:.3f}"} for value in row.seeds]


@debug_mode(False)  # tests check every figure, so that no page has to
def effect_chart(
    estimate: float,
    low: float | None,
    high: float | None,
    smallest: float,
    *,
    differences: Sequence[float] = (),
    axis: str = "effect",
    width: int = 480,
) -> alt.LayerChart:
    """An interval on a line, with marks at 0 and at the smallest effect that matters.

    Args:
        estimate: the effect that was measured.
        low: lower end of its interval; None where it is not bounded, which is drawn as an arrow.
        high: upper end of its interval; None likewise.
        smallest: the smallest effect that matters (d), stated before the run.
        differences: one difference per seed, drawn as rings under the interval.
        axis: what the effect is, with its unit.
        width: of the whole drawing, in pixels.
    """
    reach = [value for value in (0.0, smallest, estimate, low, high, *differences) if value is not None]
    # So that the marks and names of the outermost values are not cut off.
    room = (max(reach) - min(reach)) * 0.1
    # An open end is drawn up to the edge, so the edges must be known here and not be Vega's choice.
    left, right = min(reach) - room, max(reach) + room
    scale = alt.Scale(domain=[left, right], nice=False)
    x = alt.X("x:Q", scale=scale, title=axis, axis=alt.Axis(grid=False, tickCount=7))
    ink, muted, blue = LIGHT["ink"], LIGHT["muted"], LIGHT["series-1"]
    marks = [{"x": 0.0, "name": "no effect"}, {"x": smallest, "name": f"d = {smallest:g}"}]
    lines = alt.Chart(alt.Data(values=marks))
    seeds = [{"x": value, "tooltip": f"one seed: {value:+.3f}"} for value in differences]
    ends = {"x": left if low is None else low, "x2": right if high is None else high}
    interval = alt.Chart(alt.Data(values=[ends | {"at": estimate, "tooltip": _tooltip(estimate, low, high)}]))
    open_ends = [{"x": left, "sign": "◂"}] * (low is None) + [{"x": right, "sign": "▸"}] * (high is None)
    layers = [
        lines.transform_filter("datum.x == 0").mark_rule(color=ink, strokeWidth=1).encode(x=x),
        lines.transform_filter("datum.x != 0").mark_rule(color=muted, strokeDash=[4, 3], strokeWidth=1.5).encode(x=x),
        _name(lines, "datum.x == 0", "right" if smallest > 0 else "left").encode(x=x),
        _name(lines, "datum.x != 0", "left" if smallest > 0 else "right").encode(x=x),
        interval.mark_rule(color=blue, strokeWidth=5, strokeCap="round").encode(
            x=x, x2=alt.X2("x2:Q"), y=alt.YValue(30), description=alt.Description("tooltip:N")
        ),
        interval.mark_point(color=blue, fill=LIGHT["paper"], size=150, strokeWidth=3, opacity=1).encode(
            x=alt.X("at:Q", scale=scale), y=alt.YValue(30), description=alt.Description("tooltip:N")
        ),
        alt.Chart(alt.Data(values=open_ends))
        .mark_text(color=blue, fontSize=22, dy=1)
        .encode(x=x, y=alt.YValue(30), text=alt.Text("sign:N")),
        alt.Chart(alt.Data(values=seeds))
        .mark_point(color=muted, size=34, strokeWidth=1.2)
        .encode(x=x, y=alt.YValue(56), description=alt.Description("tooltip:N")),
    ]
    return layered(layers, width=width, height=70)


def _name(lines: alt.Chart, which: str, align: str) -> alt.Chart:
    """The name of a line above it, written away from the other line."""
    chart = lines.transform_filter(which).mark_text(
        color=LIGHT["muted"], align=align, baseline="bottom", dx=5 if align == "right" else -5, dy=-4, fontSize=11
    )
    return chart.encode(y=alt.YValue(0), text=alt.Text("name:N"))


def _tooltip(estimate: float, low: float | None, high: float | None) -> str:
    """The hover title of the interval."""
    ends = ["unbounded" if end is None else f"{end:+.3f}" for end in (low, high)]
    return f"{estimate:+.3f}, interval {ends[0]} to {ends[1]}"
