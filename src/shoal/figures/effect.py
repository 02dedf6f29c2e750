"""The effect of an experiment: estimate and interval against zero and the smallest effect that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.layered import layered
from shoal.figures.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence


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
