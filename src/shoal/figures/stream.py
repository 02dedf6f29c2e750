"""A stream with its changes: the values coloured by group, a rule at each place, a band for its confidence set."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from shoal.figures.theme import LIGHT, chart_config, series_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

MAX_POINTS = 600
"""A longer stream is drawn as the range and the mean of this many windows."""

_AXIS = 62
"""Pixels of the value axis and the margins: charts above each other do not fit themselves to a width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPiece:
    """The steps from one change to the next."""

    start: int
    """The first step."""
    stop: int
    """The step after the last one."""
    group: int
    """Which process it is of, from 0; pieces of one group share a colour and a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMark:
    """A place and its confidence set."""

    place: int
    """The first step of the new piece."""
    low: int
    """The least place of the set."""
    high: int
    """The greatest place of the set."""
    tooltip: str
    """What a reader sees when pointing at it."""


@debug_mode(False)  # tests check every figure, so that no page has to
def stream_chart(
    columns: Sequence[Array],
    pieces: Sequence[StreamPiece],
    marks: Sequence[StreamMark],
    *,
    names: Sequence[str],
    labels: Array | None = None,
    title: str = "",
    width: int = 950,
    height: int = 230,
) -> alt.VConcatChart:
    """One panel per coordinate, one under the other, all with the same steps.

    Args:
        columns: the n values of each coordinate, NaN where one is missing.
        pieces: from the first step to the last one, in order.
        marks: the changes.
        names: of the coordinates.
        labels: n dates (datetime64) where the steps have them; the axis then shows dates.
        title: of the figure.
        width: of the whole drawing, in pixels.
        height: of a panel, in pixels.
    """
    axis = _Axis(labels, ticks=max(3, width // 110))
    panels = [
        _panel(values, pieces, marks, axis, name, letters=not place, size=(width - _AXIS, height))
        for place, (values, name) in enumerate(zip(columns, names, strict=True))
    ]
    # Vega fits only single and layered charts to a width.
    return alt.vconcat(*panels, spacing=14, title=title, config=chart_config() | {"autosize": "pad"})


@dataclass(frozen=True, slots=True)
class _Axis:
    """Steps or dates."""

    labels: Array | None
    ticks: int

    def at(self, step: float) -> float | str:
        if self.labels is None:
            return step
        return str(self.labels[min(int(step), len(self.labels) - 1)])

    def encoding(self, field: str) -> alt.X:
        kind, title = ("Q", "step") if self.labels is None else ("T", "")
        plain = {} if self.labels is not None else {"format": ",d"}
        axis = alt.Axis(grid=False, tickCount=self.ticks, **plain)
        return alt.X(f"{field}:{kind}", title=title, scale=alt.Scale(nice=False), axis=axis)

    def second(self, field: str) -> alt.X2:
        return alt.X2(f"{field}:{'Q' if self.labels is None else 'T'}")


def _panel(
    values: Array,
    pieces: Sequence[StreamPiece],
    marks: Sequence[StreamMark],
    axis: _Axis,
    name: str,
    *,
    letters: bool,
    size: tuple[int, int],
) -> alt.LayerChart:
    """One coordinate, of a width and a height in pixels."""
    rows = [row for piece in pieces for row in _thinned(values, piece, len(values), axis)]
    colour = alt.Color(
        "group:N",
        scale=alt.Scale(domain=sorted({letter(piece.group) for piece in pieces}), range=_colours(pieces)),
        legend=None,
    )
    data = alt.Chart(alt.Data(values=rows))
    y = alt.Y("value:Q", title=name, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=5, domain=False))
    x = axis.encoding("step")
    layers = [
        _bands(marks, axis),
        data.mark_area(opacity=0.3, line=False).encode(
            x=x, y=alt.Y("least:Q", title=name, scale=alt.Scale(zero=False, nice=False)), y2=alt.Y2("greatest:Q"),
            color=colour, detail=alt.Detail("piece:N"),
        ),
        # By piece: two pieces of one group would otherwise be joined across the one between them.
        data.mark_line(strokeWidth=1.2).encode(
            x=x, y=y, color=colour, detail=alt.Detail("piece:N"), description=alt.Description("group:N")
        ),
        _means(values, pieces, axis, name),
        _rules(marks, axis),
    ]  # fmt: skip
    if letters:
        layers.append(_letters(pieces, axis))
    return alt.LayerChart(layer=layers, width=size[0], height=size[1])


def _thinned(values: Array, piece: StreamPiece, length: int, axis: _Axis) -> list[dict[str, Any]]:
    """The values of a piece, or the least, mean and greatest of its windows; missing ones are left out."""
    count = piece.stop - piece.start
    # Windows lie within a piece, so that no mean is taken across a change.
    windows = max(1, min(count, round(MAX_POINTS * count / length))) if length > MAX_POINTS else count
    rows = []
    for part in range(windows):
        start = piece.start + count * part // windows
        stop = piece.start + count * (part + 1) // windows
        window = values[start:stop]
        held = window[np.isfinite(window)]
        if len(held):
            rows.append(
                {
                    "step": axis.at((start + stop - 1) / 2),
                    "value": float(held.mean()),
                    "least": float(held.min()),
                    "greatest": float(held.max()),
                    "group": letter(piece.group),
                    "piece": f"{piece.start}",
                }
            )
    return rows


def letter(group: int) -> str:
    """How a group is named in a figure."""
    return ascii_uppercase[group] if group < len(ascii_uppercase) else str(group + 1)


def _colours(pieces: Sequence[StreamPiece]) -> list[str]:
    """A colour for each group, in the order of their names."""
    groups = {letter(piece.group): piece.group for piece in pieces}
    return [series_colour(groups[name]) for name in sorted(groups)]


def _bands(marks: Sequence[StreamMark], axis: _Axis) -> alt.Chart:
    """The confidence sets."""
    rows = [{"from": axis.at(mark.low), "to": axis.at(mark.high), "tooltip": mark.tooltip} for mark in marks]
    chart = alt.Chart(alt.Data(values=rows)).mark_rect(color=LIGHT["rule"], opacity=0.35)
    return chart.encode(x=axis.encoding("from"), x2=axis.second("to"), description=alt.Description("tooltip:N"))


def _rules(marks: Sequence[StreamMark], axis: _Axis) -> alt.Chart:
    """The places."""
    rows = [{"step": axis.at(mark.place), "tooltip": mark.tooltip} for mark in marks]
    chart = alt.Chart(alt.Data(values=rows)).mark_rule(color=LIGHT["ink"], strokeWidth=1.5, strokeDash=[5, 3])
    return chart.encode(x=axis.encoding("step"), description=alt.Description("tooltip:N"))


_LEVELS = {-1: "a standard deviation below the mean,", 0: "mean", 1: "a standard deviation above the mean,"}
"""What the lines of a piece are, by standard deviations off its mean."""


def _means(values: Array, pieces: Sequence[StreamPiece], axis: _Axis, name: str) -> alt.Chart:
    """The mean of each piece, and lines one standard deviation from it; of what is missing or infinite none."""
    rows = []
    for piece in pieces:
        held = values[piece.start : piece.stop]
        held = held[np.isfinite(held)]
        for deviations in (-1, 0, 1) if len(held) > 1 else ():
            at = float(held.mean() + deviations * held.std(ddof=1))
            ends = {"from": axis.at(piece.start), "to": axis.at(piece.stop - 1)}
            says = f"{letter(piece.group)}: {_LEVELS[deviations]} {at:.4g}"
            rows.append({**ends, "level": at, "off": deviations, "says": says})
    chart = alt.Chart(alt.Data(values=rows)).mark_rule(color=LIGHT["ink"], strokeWidth=1.1)
    opacity = alt.condition("datum.off === 0", alt.value(1.0), alt.value(0.45))
    y = alt.Y("level:Q", title=name)
    x, says = axis.encoding("from"), alt.Description("says:N")
    return chart.encode(x=x, x2=axis.second("to"), y=y, opacity=opacity, description=says)


def _letters(pieces: Sequence[StreamPiece], axis: _Axis) -> alt.Chart:
    """The letter of each piece's group, above its middle: colour is never the only sign."""
    rows = [{"step": axis.at((piece.start + piece.stop) / 2), "name": letter(piece.group)} for piece in pieces]
    chart = alt.Chart(alt.Data(values=rows)).mark_text(color=LIGHT["muted"], fontWeight=600, dy=-8)
    return chart.encode(x=axis.encoding("step"), y=alt.YValue(0), text=alt.Text("name:N"))
