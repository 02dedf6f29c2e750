"""A stream with its changes, drawn by matplotlib for print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.input import as_stream
from shoal.changes.telling import group_name
from shoal.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from shoal.changes.result import Changes

COLOURS = ("#0067a3", "#b84a00", "#00795c", "#98377f", "#7a5f00", "#43567d")
"""Told apart with any common colour blindness, and dark enough for thin lines on paper."""


def display(x: Any, found: Changes, *, title: str = "") -> Any:
    """Draw a stream, its changes, their confidence sets and the groups of its pieces.

    Args:
        x: The stream, as it was given to the engine.
        found: Its changes.
        title: Of the figure.

    Returns:
        A matplotlib ``Figure`` of its own (no window opens, no global state is touched): show it in a notebook, or save
        it with ``savefig``.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DataError: The stream is not the one that was searched.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as fault:
        raise MissingExtraError("plot", "display()") from fault

    stream = as_stream(x)
    if stream.length != found.length:
        raise DataError(f"the stream has {stream.length} steps, but changes were sought in {found.length}")
    columns = stream.values if stream.values is not None else stream.symbols[:, None]  # type: ignore[index]
    steps = range(found.length) if stream.index is None or stream.index.dtype.kind == "O" else stream.index
    drawing = Figure(figsize=(9.0, 1.0 + 1.9 * columns.shape[1]), layout="constrained")
    panels = drawing.subplots(columns.shape[1], 1, sharex=True, squeeze=False)[:, 0]
    edges = [0, *sorted(found.places), found.length]
    for place, (panel, column) in enumerate(zip(panels, columns.T, strict=True)):
        for start, stop, group in zip(edges[:-1], edges[1:], found.processes, strict=True):
            colour = COLOURS[group % len(COLOURS)]
            panel.plot(steps[start:stop], column[start:stop], color=colour, linewidth=0.8)
            if stream.values is not None:
                _draw_mean(panel, steps[start], steps[stop - 1], column[start:stop])
            if not place:
                middle = steps[(start + stop) // 2]
                panel.annotate(group_name(group), (middle, 1.0), xycoords=("data", "axes fraction"), va="bottom")
        for change in found.changes:
            panel.axvspan(steps[change.low], steps[change.high], color="#98a2ae", alpha=0.35, linewidth=0)
            panel.axvline(steps[change.place], color="#1c2127", linewidth=1.0, linestyle=(0, (5, 3)))
        panel.set_ylabel(stream.names[place] if stream.names else "")
        panel.spines[["top", "right"]].set_visible(False)
    if stream.symbols is not None:
        panels[0].set_yticks(range(len(stream.alphabet)), stream.alphabet)
    if title:
        drawing.suptitle(title, x=0.0, ha="left")
    return drawing


def _draw_mean(panel: Any, first: Any, last: Any, values: Any) -> None:
    """The mean of a piece, and a band of one standard deviation around it, where it has two finite values."""
    held = values[np.isfinite(values)]
    if len(held) > 1:
        mean, spread = held.mean(), held.std(ddof=1)
        panel.fill_between([first, last], mean - spread, mean + spread, color="#1c2127", alpha=0.08, linewidth=0)
        panel.hlines(mean, first, last, color="#1c2127", linewidth=0.8)
