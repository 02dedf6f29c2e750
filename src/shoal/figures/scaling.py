"""How costs grow with a size, on two logarithmic axes: a power law is a straight line, its exponent the slope."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.curves import log_ticks
from shoal.figures.theme import LIGHT, layered, series_colour, series_shape

if TYPE_CHECKING:
    from collections.abc import Sequence


_DECADE = 10.0
_PLAIN = "abs(datum.value) >= 1e6 ? format(datum.value, '.3~s') : format(datum.value, ',.6~g')"
"""1,000 and 0.002 and from a million on 2M; no 1e+03."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingLine:
    """One series."""

    name: str
    series: int
    """Which colour and mark it has (see `shoal.figures.theme`)."""

    sizes: tuple[float, ...]
    costs: tuple[tuple[float, ...], ...]
    """The samples at each size; the mark stands at their median and a bar goes from the least to the most."""

    exponent: float
    """Of the fitted line, shown beside the name."""

    dashed: bool = False
    """For a variant of a series that has the same colour."""

    fitted: tuple[tuple[float, float], ...] = ()
    """(size, cost) along a fitted law, drawn in the place of the line that joins the medians."""


@debug_mode(False)  # tests check every figure, so that no page has to
def scaling_chart(
    lines: Sequence[ScalingLine], *, title: str, size: str, axis: str, width: int = 300, height: int = 260
) -> alt.LayerChart:
    """Costs over sizes, with each line's exponent in the legend.

    Args:
        lines: the series.
        title: what grows.
        size: what it grows with.
        axis: the unit of the costs.
        width: of the whole drawing, in pixels.
        height: of the plot, in pixels.
    """
    names = [_named(line) for line in lines]
    records = [record for line in lines for record in _records(line)]
    x = alt.X("size:Q", scale=alt.Scale(type="log", nice=False), title=size, axis=_axis(_sizes(lines)))
    y_scale, ticks = _cost_scale(lines)
    y = alt.Y("cost:Q", scale=y_scale, title=axis, axis=alt.Axis(domain=False, **ticks))
    # Without a stroke, which would have the dashes of the line and leave holes in the symbol.
    symbol = {"symbolSize": 90, "symbolStrokeWidth": 0}
    legend = alt.Legend(title=None, orient="bottom", direction="vertical", columns=1, labelLimit=300, **symbol)
    colour = alt.Color("name:N", scale=_by_name(lines, series_colour), legend=legend)
    shape = alt.Shape("name:N", scale=_by_name(lines, series_shape), legend=legend)
    dash = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=names, range=[[5, 4] if line.dashed else [1, 0] for line in lines]),
        legend=None,
    )
    base = alt.Chart(alt.Data(values=records))
    drawn = [record for line in lines for record in (_fitted(line) if line.fitted else _records(line))]
    layers = [
        alt.Chart(alt.Data(values=drawn))
        .mark_line(strokeWidth=1.5)
        .encode(x=x, y=y, color=colour, strokeDash=dash, description=alt.Description("name:N")),
        base.mark_rule(strokeWidth=1.5).encode(
            x=x,
            y=alt.Y("low:Q", scale=y_scale),
            y2=alt.Y2("high:Q"),
            color=colour,
            description=alt.Description("tooltip:N"),
        ),
        base.mark_point(size=55, filled=True, opacity=1, stroke=LIGHT["paper"], strokeWidth=1).encode(
            x=x, y=y, color=colour, shape=shape, description=alt.Description("tooltip:N")
        ),
    ]
    return layered(layers, width=width, height=height, title=title)


def _named(line: ScalingLine) -> str:
    """The name with its exponent; of what falls as it is stated elsewhere, without the sign of the slope."""
    falls = "falls with " if line.exponent < 0 else ""
    return f"{line.name}: {falls}exponent {abs(line.exponent):.2f}"


def _by_name(lines: Sequence[ScalingLine], choose: Any) -> alt.Scale:
    """A scale from names to what their series looks like."""
    return alt.Scale(domain=[_named(line) for line in lines], range=[choose(line.series) for line in lines])


def _sizes(lines: Sequence[ScalingLine]) -> list[float]:
    """Every size that was measured, thinned where ticks would touch."""
    sizes = sorted({size for line in lines for size in line.sizes})
    kept: list[float] = []
    for size in sizes:
        # Nearer ones would have labels that touch on a logarithmic axis of 300 pixels.
        if not kept or size / kept[-1] > 1.3:
            kept.append(size)
    return kept


def _cost_scale(lines: Sequence[ScalingLine]) -> tuple[alt.Scale, dict[str, Any]]:
    """Whole decades, or where the costs lie within one, no more than they need."""
    costs = [cost for line in lines for samples in line.costs for cost in samples]
    costs += [cost for line in lines for _, cost in line.fitted]
    if not costs or min(costs) <= 0 or max(costs) / min(costs) >= _DECADE:
        return alt.Scale(type="log", nice=True), {"labelExpr": _PLAIN, "values": _decades(costs)}
    # A little room, so that no mark lies upon the frame.
    low, high = 0.98 * min(costs), 1.02 * max(costs)
    ticks = sorted({float(f"{low * (high / low) ** (part / 4):.2g}") for part in range(5)})
    values = [tick for tick in ticks if low <= tick <= high]
    return alt.Scale(type="log", nice=False, domain=[low, high]), {"labelExpr": _PLAIN, "values": values}


def _decades(costs: Sequence[float]) -> list[float] | None:
    """Ticks over the whole decades of costs; None leaves them to the chart where there is nothing to take a root of."""
    if not costs or min(costs) <= 0:
        return None
    low, high = (10.0 ** round_(math.log10(end)) for round_, end in ((math.floor, min(costs)), (math.ceil, max(costs))))
    return log_ticks(low, high)


def _axis(sizes: Sequence[float]) -> alt.Axis:
    written = ".3~s" if max(sizes, default=0) >= 1_000_000 else ",d"
    return alt.Axis(grid=False, values=list(sizes), format=written, labelOverlap=True)


def _fitted(line: ScalingLine) -> list[dict[str, Any]]:
    return [{"name": _named(line), "size": size, "cost": cost} for size, cost in line.fitted]


def _records(line: ScalingLine) -> list[dict[str, Any]]:
    """A record a size."""
    records = []
    for size, samples in zip(line.sizes, line.costs, strict=True):
        middle = median(samples)
        tooltip = f"{line.name}, {size}: {middle:.3g}"
        records.append(
            {
                "name": _named(line),
                "size": size,
                "cost": middle,
                "low": min(samples),
                "high": max(samples),
                "tooltip": tooltip,
            }
        )
    return records
