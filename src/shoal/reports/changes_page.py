"""The page of ``shoal changes --plot``: where the stream changes, the stream drawn, and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes import changes_table, describe_change, pieces_table, step_label
from shoal.figures import (
    MAX_POINTS,
    Section,
    StreamMark,
    StreamPiece,
    document,
    figure,
    responsive,
    stream_chart,
    table,
)
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from markupsafe import Markup

    from shoal.changes import Changes, Stream

Array = np.ndarray[Any, Any]

# One above the other they are as high as a screen; a stream of embeddings has hundreds.
PANELS = 8
"""At most this many coordinates, or symbols, are drawn."""

_NAMED = 6
"""At most this many places stand in the sentence; the table has them all."""


def changes_page(source: str, stream: Stream, found: Changes, *, searched: Stream | None = None) -> str:
    """A whole document that opens offline.

    Args:
        source: what the stream was read from.
        stream: the stream; an empty one where it is not known any more, which leaves out the picture.
        found: its changes.
        searched: what was made of the stream before they were sought: differences; None is the stream itself.
    """
    searched = stream if searched is None else searched
    sections = []
    head, rows = changes_table(found, searched, max_features=3)
    if rows:
        listed = table(head, rows, caption="The changes, in order of place", numeric=range(len(head) - 1))
        sections.append(Section("changes", "What changes where", listed))
    pieces = table(*pieces_table(found, searched), caption="The pieces between them", numeric=(1, 2))
    sections.append(Section("pieces", "What the pieces are like", pieces))
    sections.append(Section("settings", "How it was searched", _settings(found)))
    return document(
        f"Changes in {'standard input' if source == '-' else source}",
        _result(stream, found),
        sections,
        details=_details(stream, found),
        picture=_picture(stream, found) if stream.length else None,
    )


def _result(stream: Stream, found: Changes) -> str:
    """How often it changes, and where."""
    name = ", ".join(stream.names) or "The stream"
    count = len(found.changes)
    if not count:
        return f"{name} does not change: none of its {found.length:,} steps begins a new law that the tests believe."
    dates = stream.index is not None and stream.index.dtype.kind == "M"
    unit = "step " if stream.index is None else "" if dates else "index "
    places = [step_label(stream, change.place) for change in found.changes]
    if count == 1:
        change = found.changes[0]
        ends = f"{step_label(stream, change.low)} to {step_label(stream, change.high)}"
        return f"{name} changes once, at {unit}{places[0]} ({100 * found.confidence:g}% confidence: {ends})."
    more = [f"{count - _NAMED} more"] if count > _NAMED else []
    return f"{name} changes at {count} places: {unit}{joined([*places[:_NAMED], *more])}."


def _details(stream: Stream, found: Changes) -> str:
    """What changes most, and how much was read."""
    read = f"{plural(found.length, 'step')} of {plural(len(stream.names), 'column')}" if stream.names else ""
    read = read or plural(found.length, "step")
    if not found.changes:
        return f"{read} were read."
    strongest = min(found.changes, key=lambda change: change.p_value)
    what = describe_change(strongest)
    where = "" if len(found.changes) == 1 else f"At {step_label(stream, strongest.place)}, the clearest: "
    return f"{where}{what}. {read} were read."


def _picture(stream: Stream, found: Changes) -> Markup:
    """The stream with its pieces and marks, for a wide and for a narrow page."""
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
            tooltip=f"{step_label(stream, change.place)} ({step_label(stream, change.low)} to "
            f"{step_label(stream, change.high)}): {describe_change(change)}",
        )
        for change in found.changes
    ]
    dates = stream.index if stream.index is not None and stream.index.dtype.kind == "M" else None
    drawing = responsive(
        lambda width: stream_chart(columns, pieces, marks, names=names, labels=dates, width=width),
        title=_result(stream, found),
    )
    caption = (
        "Dashed: the first step of each new piece. Grey: its confidence set. Thin lines: the mean of each piece, and "
        "one standard deviation around it. Pieces of one letter and colour are taken to be of one process."
    )
    if found.length > MAX_POINTS:
        caption += f" Line and band: the mean, and the least to the greatest value, of each of {MAX_POINTS} windows."
    return figure([drawing], caption=caption)


def _drawn(stream: Stream) -> tuple[list[Array], list[str]]:
    """The columns to draw: the coordinates, or for symbols how often each of the most frequent ones comes."""
    if stream.values is not None:
        names = stream.names or tuple(f"value {place + 1}" for place in range(stream.values.shape[1]))
        return list(stream.values.T[:PANELS]), list(names[:PANELS])
    assert stream.symbols is not None
    # Stable, so that symbols of equal frequency keep the order of the alphabet.
    common = np.argsort(-np.bincount(stream.symbols), kind="stable")[:PANELS]
    return [_share(stream.symbols == symbol) for symbol in common], [stream.alphabet[symbol] for symbol in common]


def _share(here: Array) -> Array:
    """How often a symbol comes in the sixtieth of the stream around each step."""
    # A symbol is there or not; a window of a sixtieth shows its share and still leaves sixty places that can differ.
    half = len(here) // 120 + 1
    # Cumulated, so that a window costs two look-ups however wide it is.
    counts = np.concatenate([[0], np.cumsum(here)])
    low = np.maximum(np.arange(len(here)) - half, 0)
    high = np.minimum(np.arange(len(here)) + half + 1, len(here))
    return np.asarray((counts[high] - counts[low]) / (high - low))


def _settings(found: Changes) -> Markup:
    """How the search was made."""
    processes = "chosen by tests" if found.process_count is None else f"{found.process_count}, as given"
    rows = [
        ("What may change", {"law": "anything (tests of the whole law)"}.get(found.model, found.model)),
        ("Least share of the stream between two changes", f"{found.min_distance:g}"),
        ("Number of processes", processes),
        ("Level of the tests (alpha)", f"{found.alpha:g}"),
        ("Confidence of the sets of places", f"{found.confidence:g}"),
    ]
    return table(("Setting", "Value"), rows, caption="Settings of the search")
