"""The held-out loss and the training loss by step: two lines, a band each way, and where overfitting begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import altair as alt
from altair.utils.schemapi import debug_mode

from shoal.figures.curves import step_axis
from shoal.figures.theme import layered, series_colour

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPair:
    """One evaluation."""

    step: int
    held_out: float
    low: float | None
    high: float | None
    """None where there are too few documents for an interval."""

    training: float | None = None


@debug_mode(False)  # tests check every figure, so that no page has to
def loss_gap_chart(
    pairs: Sequence[LossPair], *, axis: str, onset: tuple[int, int, int] | None = None, width: int = 440
) -> alt.LayerChart:
    """Held-out loss with its interval as a band, and the training loss as a dashed line.

    Args:
        pairs: in the order of their steps.
        axis: what is drawn, with its unit.
        onset: the step from which on the model overfits, and both ends of its confidence set; None for none.
        width: of the whole drawing, in pixels.
    """
    values = [
        value for pair in pairs for value in (pair.low, pair.high, pair.held_out, pair.training) if value is not None
    ]
    scale = alt.Scale(zero=False, nice=False, domain=[min(values), max(values)])
    x = alt.X("step:Q", title="step", axis=step_axis([pair.step for pair in pairs]))
    y = alt.Y("held_out:Q", scale=scale, title=axis, axis=alt.Axis(domain=False, tickCount=5, format=",.4~g"))
    held_out, training = series_colour(0), series_colour(1)
    rows = [
        {"step": pair.step, "held_out": pair.held_out, "low": pair.low, "high": pair.high, "name": "held out"}
        for pair in pairs
    ]
    base = alt.Chart(alt.Data(values=rows))
    layers = [base.mark_line(color=held_out, strokeWidth=2.5).encode(x=x, y=y, description=alt.Description("name:N"))]
    has_band = any(pair.low is not None for pair in pairs)
    if has_band:
        band = base.mark_area(color=held_out, opacity=0.15)
        layers.insert(0, band.encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"))
    known = [
        {"step": pair.step, "held_out": pair.training, "name": "training sample"}
        for pair in pairs
        if pair.training is not None
    ]
    if known:
        layers.append(
            alt.Chart(alt.Data(values=known))
            .mark_line(color=training, strokeWidth=2, strokeDash=[5, 3])
            .encode(x=x, y=y, description=alt.Description("name:N"))
        )
    if onset is not None:
        step, low, high = onset
        says = alt.DescriptionValue(f"overfits from step {step:,} on, confidence set {low:,} to {high:,}")
        span = alt.Chart(alt.Data(values=[{"step": step, "low": low, "high": high}]))
        area = span.mark_rect(color=training, opacity=0.1)
        layers.insert(0, area.encode(x=alt.X("low:Q"), x2="high:Q", description=says))
        layers.append(span.mark_rule(color=training).encode(x=alt.X("step:Q"), description=says))
    # As short as a phone asks for; what the band is stands in the caption of the page.
    title = "held-out loss (line), training loss (dashed)"
    return layered(layers, width=width, height=210, title=title)
