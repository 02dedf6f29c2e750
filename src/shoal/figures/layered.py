"""Layers drawn over each other as one chart in the house's style."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from shoal.figures.theme import chart_config

if TYPE_CHECKING:
    from collections.abc import Sequence


def layered(
    layers: Sequence[alt.Chart], *, width: int, height: int | alt.Step, title: str | None = None
) -> alt.LayerChart:
    """A chart of layers, the first of them behind the others.

    Args:
        layers: over one data set or several.
        width: of the whole drawing, in pixels.
        height: of the plot, in pixels or by row.
        title: above it; None for none.
    """
    # In one call: each of Altair's own `properties` and `configure` copies every layer with all of its data.
    titled = {} if title is None else {"title": title}
    return alt.LayerChart(layer=list(layers), width=width, height=height, config=chart_config(), **titled)
