"""The page of ``shoal changes --plot``: the stream, its changes and their table in one file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from shoal.changes import changes_table, describe_change, headline, pieces_table, step_label
from shoal.figures import STRETCHES, StreamMark, StreamPiece, figure, page, stream_chart, table, to_svg

if TYPE_CHECKING:
    from shoal.changes import Changes, Stream

Array = np.ndarray[Any, Any]

PANELS = 8
"""At most so many coordinates, or symbols, are drawn."""


def changes_page(source: str, stream: Stream, found: Changes, *, searched: Stream) -> str:
    """A whole document that opens offline.

    Args:
        source: What the stream was read from.
        stream: The stream.
        found: Its changes.
        searched: What was made of the stream before they were sought: differences, or the stream itself.
    """
    line = headline(found, searched, source)
    columns, names = _drawn(stream)
    edges = [0, *sorted(found.places), found.length]
    pieces = [
        StreamPiece(start=start, stop=stop, group=group)
        for start, stop, group in zip(edges[:-1], edges[1:], found.processes, strict=True)
    ]
    marks = [
        StreamMark(
            place=change.place,
            low=change.low,
            high=change.high,
            says=f"{step_label(stream, change.place)}, from {change.low} to {change.high}: {describe_change(change)}",
        )
        for change in found.changes
    ]
    dates = stream.index if stream.index is not None and stream.index.dtype.kind == "M" else None
    svg = to_svg(stream_chart(columns, pieces, marks, names=names, labels=dates), title=line)
    head, rows = changes_table(found, searched, max_features=3)
    caption = (
        "Dashed: the first step of each new piece. Grey: its confidence set. Thin: the mean of each piece, and one "
        "standard deviation around it. Pieces of one letter and colour are taken to be of one process."
    )
    if found.length > STRETCHES:
        caption += f" Line and band: the mean, and the least to the greatest value, of each of {STRETCHES} stretches."
    body = Markup("<h1>shoal changes</h1><h2>{}</h2>").format(line) + figure([svg], caption=caption)
    if rows:
        body += table(head, rows, caption="The changes, in order of place", numeric=range(len(head) - 1))
    body += table(*pieces_table(found, searched), caption="The pieces", numeric=(1, 2))
    body += Markup('<p class="muted">{}</p>').format(_settings(found))
    return page(title=line, body=body)


def _drawn(stream: Stream) -> tuple[list[Array], list[str]]:
    """The columns to draw: the coordinates, or for symbols how often each of the commonest ones comes."""
    if stream.values is not None:
        names = stream.names or tuple(f"value {place + 1}" for place in range(stream.values.shape[1]))
        return list(stream.values.T[:PANELS]), list(names[:PANELS])
    assert stream.symbols is not None
    common = np.argsort(-np.bincount(stream.symbols), kind="stable")[:PANELS]
    return [_share(stream.symbols == symbol) for symbol in common], [stream.alphabet[symbol] for symbol in common]


def _share(here: Array) -> Array:
    """How often a symbol comes in the sixtieth of the stream around each step."""
    half = len(here) // 120 + 1
    counts = np.concatenate([[0], np.cumsum(here)])
    low = np.maximum(np.arange(len(here)) - half, 0)
    high = np.minimum(np.arange(len(here)) + half + 1, len(here))
    return np.asarray((counts[high] - counts[low]) / (high - low))


def _settings(found: Changes) -> str:
    """How the search was made."""
    asked = "chosen by tests" if found.process_count is None else f"{found.process_count} given"
    levels = f"alpha {found.alpha:g}; confidence {found.confidence:g}"
    return f"min_distance {found.min_distance:g}; number of processes {asked}; {levels}."
