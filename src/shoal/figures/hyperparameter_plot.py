"""A score over the values of one hyperparameter: a mark per trial, so that the spread over the others is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.curves import is_logarithmic
from shoal.figures.theme import LIGHT, chart_config, series_colour

if TYPE_CHECKING:
    from collections.abc import Sequence


_LISTED = 9
"""The most different values that each get a tick of their own, where some value stands several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperparameterPoint:
    """One trial."""

    value: float | str
    score: float
    tooltip: str
    """The hover title."""


@debug_mode(False)  # tests check every figure, so that no page has to
def hyperparameter_chart(
    points: Sequence[HyperparameterPoint], *, title: str, axis: str, width: int = 300, height: int = 210
) -> alt.Chart:
    """Scores over one setting; its axis is numeric where all values are numbers, logarithmic where they span a decade.

    Args:
        points: the trials.
        title: the setting.
        axis: what the score is.
        width: of the whole drawing, in pixels.
        height: of the plot, in pixels.
    """
    numbers = [float(point.value) for point in points if not isinstance(point.value, str)]
    if len(numbers) == len(points):
        log = is_logarithmic(numbers)
        scale = alt.Scale(type="log" if log else "linear", zero=False, padding=12)
        listed = len(set(numbers)) <= min(_LISTED, len(numbers) - 1)
        ticks = {"values": sorted(set(numbers))} if listed else {"tickCount": 4}
        x = alt.X(
            "value:Q", title=None, scale=scale, axis=alt.Axis(grid=False, format=",.6~g", labelOverlap=True, **ticks)
        )
    else:
        order = list(dict.fromkeys(str(point.value) for point in points))
        x = alt.X("value:N", title=None, sort=order, axis=alt.Axis(grid=False, labelAngle=0, labelLimit=90))
    records = [
        {
            "value": point.value if len(numbers) == len(points) else str(point.value),
            "score": point.score,
            "tooltip": point.tooltip,
        }
        for point in points
    ]
    y = alt.Y("score:Q", title=axis, scale=alt.Scale(zero=False), axis=alt.Axis(domain=False, tickCount=5))
    marks = (
        alt.Chart(alt.Data(values=records))
        .mark_point(size=55, filled=True, opacity=0.8, color=series_colour(0), stroke=LIGHT["paper"], strokeWidth=1)
        .encode(x=x, y=y, description=alt.Description("tooltip:N"))
    )
    return marks.properties(width=width, height=height, title=title).configure(**chart_config())
