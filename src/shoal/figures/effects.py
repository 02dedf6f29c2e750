"""Several effects on one axis: a row per hypothesis, its interval against 0 and the smallest effect that matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.theme import LIGHT, label_axis, layered

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW = 46
"""Pixels of a row: the interval in its middle, the blocks' rings below it."""
_RING = 37
"""Pixels from the top of a row to its rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One effect."""

    label: str
    """What stands left of the row."""

    series: int
    """Which colour its interval has (see `shoal.figures.theme`)."""

    estimate: float
    low: float | None
    """None where the interval is not bounded, which is drawn as an arrow."""

    high: float | None
    smallest: tuple[float, ...]
    """Where the smallest effect that matters is marked: once, or on both sides of 0."""

    blocks: tuple[tuple[str, float], ...] = ()
    """The effect under each combination of the other levels, with what the combination is called."""


@debug_mode(False)  # tests check every figure, so that no page has to
def effects_chart(rows: Sequence[EffectRow], *, axis: str, width: int = 720) -> alt.LayerChart:
    """Effects with intervals, top to bottom in the order given.

    Args:
        rows: the effects, all in one unit.
        axis: what an effect is, with its unit and which way is better.
        width: of the whole drawing, in pixels.
    """
    left, right = _domain(rows)
    scale = alt.Scale(domain=[left, right], nice=False)
    labels = [row.label for row in rows]
    x = alt.X("x:Q", scale=scale, title=axis, axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y("label:N", sort=labels, scale=alt.Scale(domain=labels), title=None, axis=label_axis(width))
    colour = alt.Color("colour:N", scale=None, legend=None)
    whole = alt.Chart(alt.Data(values=[_whole(row, left, right) for row in rows]))
    arrows = alt.Chart(alt.Data(values=[arrow for row in rows for arrow in _arrows(row, left, right)]))
    blocks = alt.Chart(alt.Data(values=[ring for row in rows for ring in _rings(row)]))
    marks = alt.Chart(alt.Data(values=[mark for row in rows for mark in _marks(row)]))
    zero = alt.Chart(alt.Data(values=[{"x": 0.0}]))
    layers = [
        zero.mark_rule(color=LIGHT["ink"], strokeWidth=1).encode(x=x),
        # A text and no tick: a tick's length would follow the height of a row.
        marks.mark_text(text="┊", color=LIGHT["muted"], fontSize=26, fontWeight="bold").encode(x=x, y=y),
        whole.mark_rule(strokeWidth=4, strokeCap="round").encode(
            x=alt.X("low:Q", scale=scale),
            x2=alt.X2("high:Q"),
            y=y,
            color=colour,
            description=alt.Description("tooltip:N"),
        ),
        arrows.mark_text(fontSize=20, dy=1).encode(x=x, y=y, text=alt.Text("sign:N"), color=colour),
        blocks.mark_point(size=24, strokeWidth=1, opacity=0.8, color=LIGHT["muted"]).encode(
            x=x, y=y, yOffset=alt.YOffsetValue(_RING), description=alt.Description("tooltip:N")
        ),
        whole.mark_point(size=110, filled=True, opacity=1, stroke=LIGHT["paper"], strokeWidth=1.5).encode(
            x=x, y=y, color=colour, description=alt.Description("tooltip:N")
        ),
    ]
    return layered(layers, width=width, height=alt.Step(_ROW))


def _domain(rows: Sequence[EffectRow]) -> tuple[float, float]:
    """Both ends of the axis, which open intervals are drawn up to."""
    reach = [0.0]
    for row in rows:
        ends = [row.estimate, row.low, row.high, *row.smallest, *(value for _, value in row.blocks)]
        reach += [end for end in ends if end is not None]
    room = (max(reach) - min(reach) or 1.0) * 0.06
    return min(reach) - room, max(reach) + room


def _whole(row: EffectRow, left: float, right: float) -> dict[str, Any]:
    """The record of a row's estimate and interval."""
    ends = ["unbounded" if end is None else f"{end:+.3f}" for end in (row.low, row.high)]
    return {
        "label": row.label,
        "colour": LIGHT[f"series-{row.series % 6 + 1}"],
        "x": row.estimate,
        "low": left if row.low is None else row.low,
        "high": right if row.high is None else row.high,
        "tooltip": f"{row.label}: {row.estimate:+.3f}, interval {ends[0]} to {ends[1]}",
    }


def _arrows(row: EffectRow, left: float, right: float) -> list[dict[str, Any]]:
    """The records of a row's open ends."""
    colour = LIGHT[f"series-{row.series % 6 + 1}"]
    ends = ((row.low, left, "◂"), (row.high, right, "▸"))
    return [{"label": row.label, "colour": colour, "x": at, "sign": sign} for end, at, sign in ends if end is None]


def _marks(row: EffectRow) -> list[dict[str, Any]]:
    """The records of where an effect matters."""
    return [{"label": row.label, "x": value} for value in row.smallest]


def _rings(row: EffectRow) -> list[dict[str, Any]]:
    """The records of a row's blocks."""
    return [
        {"label": row.label, "x": value, "tooltip": f"{name or row.label}: {value:+.3f}"} for name, value in row.blocks
    ]
