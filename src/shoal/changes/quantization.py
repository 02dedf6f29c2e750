"""A stream as channels: integer codes whose binary digits are ever finer quantile cells.

A value is replaced by its mid-rank u in (0, 1) among all values of its coordinate, and u by floor(2^depth u). The first
digit is the half of the values in which it lies, the first two are the quarter, and so on, so one array of codes holds
every resolution 2, 4, 8, ... Ranks see comparisons only: the codes are the same under every increasing transformation.
Symbols are put in order of frequency first; a rare one shares its cell with others as rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.stream import Stream

Array = np.ndarray[Any, Any]

DEPTH = 6
"""Binary digits of the finest cells: 64 quantile cells."""


class QuantizedChannel(NamedTuple):
    """One coordinate of a stream in quantile cells."""

    codes: Array
    """uint8 of shape (n,), below 2^depth."""
    depth: int
    """The number of binary digits."""
    name: str
    """The name of the coordinate, empty where there is only one."""
    held: tuple[tuple[str, ...], ...] = ()
    """For symbols: those in each finest cell, as they are written, the most frequent first."""
    bounds: Array | None = None
    """For numbers: the least and the greatest value in each finest cell, of shape (2^depth, 2), NaN where empty."""
    missing: Array | None = None
    """Where it is missing, of shape (n,): the code there is the one before, and is not counted. None: nowhere."""

    def at(self, digits: int) -> Array:
        """The codes at the resolution of the first ``digits`` digits."""
        return self.codes >> (self.depth - digits)


def depth_for(length: int) -> int:
    """Digits that a stream of this length can fill: at least 8 values in a finest cell, 2 to `DEPTH` digits."""
    return max(2, min(DEPTH, (max(length, 1) // 8).bit_length() - 1))


def channels_of(stream: Stream) -> list[QuantizedChannel]:
    """The channels of a stream: one for each coordinate, and one for where it is missing, if it sometimes is."""
    depth = depth_for(stream.length)
    if stream.symbols is not None:
        return [symbol_channel(stream.symbols, stream.alphabet, depth)]
    assert stream.values is not None
    channels = []
    compared = stream.compared if stream.exact else None
    for place, column in enumerate(stream.values.T):
        name = _name(stream, place)
        channels.append(number_channel(column, name, depth, None if compared is None else compared[:, place]))
        missing = np.isnan(column)
        if missing.any() and not missing.all():
            channels.append(symbol_channel(missing.astype(np.int64), ("present", "missing"), 1, name=name))
    return channels


def known_channels(stream: Stream) -> list[QuantizedChannel]:
    """The channels of what is known: one for each coordinate, ranked among its known values.

    Missing steps are no values of a coordinate; `missing_channels` are about where it is missing.
    """
    if stream.values is None:
        return channels_of(stream)
    compared = stream.compared if stream.exact else None
    return [
        _known_channel(column, _name(stream, place), None if compared is None else compared[:, place])
        for place, column in enumerate(stream.values.T)
    ]


def missing_channels(missing: Array, stream: Stream, unknown: Array) -> list[QuantizedChannel]:
    """A channel of two symbols for each coordinate that is sometimes missing, where others are not missing alike.

    Args:
        missing: where each coordinate is missing, of shape (n, d).
        stream: the stream, for the names.
        unknown: steps of each coordinate that are not to be counted, of shape (n, d).
    """
    channels: list[QuantizedChannel] = []
    for place, column in enumerate(missing.T):
        if column.all() or not column.any() or any(np.array_equal(column, missing[:, k]) for k in range(place)):
            continue
        channel = symbol_channel(column.astype(np.int64), ("present", "missing"), 1, name=_name(stream, place))
        channels.append(channel._replace(missing=unknown[:, place] if unknown[:, place].any() else None))
    return channels


def _name(stream: Stream, place: int) -> str:
    assert stream.values is not None
    return stream.names[place] if stream.names else (f"x{place}" if stream.values.shape[1] > 1 else "")


def _known_channel(column: Array, name: str, compared: Array | None) -> QuantizedChannel:
    missing = np.isnan(column)
    if not missing.any():
        return number_channel(column, name, depth_for(len(column)), compared)
    known = np.flatnonzero(~missing)
    if not len(known):
        return QuantizedChannel(codes=np.zeros(len(column), dtype=np.uint8), depth=2, name=name, missing=missing)
    channel = number_channel(column[known], name, depth_for(len(known)), None if compared is None else compared[known])
    last = np.maximum(np.searchsorted(known, np.arange(len(column)), side="right") - 1, 0)
    return channel._replace(codes=channel.codes[last], missing=missing)


def number_channel(values: Array, name: str, depth: int, compared: Array | None = None) -> QuantizedChannel:
    """Mid-rank codes of numbers; NaN ranks above everything, all NaN alike.

    Args:
        values: the numbers as float64.
        name: what the coordinate is called.
        depth: binary digits of the finest cells.
        compared: numbers in the same order, where float64 makes different values equal.
    """
    shown = np.sort(values)
    keys, ordered = (values, shown) if compared is None else (compared, np.sort(compared))
    starts = _cell_starts(ordered, depth)
    reached = starts[1:-1][starts[1:-1] < len(ordered)]
    codes = np.minimum(np.searchsorted(ordered[reached], keys, side="right"), len(reached))
    bounds = np.full((1 << depth, 2), np.nan)
    filled = starts[1:] > starts[:-1]
    bounds[filled] = np.stack((shown[starts[:-1][filled]], shown[starts[1:][filled] - 1]), axis=1)
    return QuantizedChannel(codes=codes.astype(np.uint8), depth=depth, name=name, bounds=bounds)


def symbol_channel(symbols: Array, alphabet: tuple[str, ...], depth: int, *, name: str = "") -> QuantizedChannel:
    """Codes of symbols in order of frequency, the most frequent first.

    Symbols as frequent as each other go by a checksum of how they are written: their order must not know when they
    appear, or all the words that stand once in a text would seem to change with time.

    Args:
        symbols: codes of symbols, int64 of shape (n,).
        alphabet: how the symbol of each code is written.
        depth: binary digits of the finest cells.
        name: what the coordinate is called.
    """
    counts = np.bincount(symbols, minlength=len(alphabet))
    written = [alphabet[code] if code < len(alphabet) else str(code) for code in range(len(counts))]
    # A text with half a surrogate pair cannot be encoded without surrogatepass.
    checksums = np.array([crc32(text.encode("utf-8", "surrogatepass")) for text in written], dtype=np.int64)
    order = np.lexsort((checksums, -counts))
    below = np.cumsum(counts[order]) - counts[order]
    midranks = (below + counts[order] / 2.0) / max(len(symbols), 1)
    cell = np.empty(len(counts), dtype=np.uint8)
    cell[order] = np.minimum((midranks * (1 << depth)).astype(np.int64), (1 << depth) - 1)
    held: list[list[str]] = [[] for _ in range(1 << depth)]
    for symbol in order[counts[order] > 0].tolist():
        held[cell[symbol]].append(written[symbol])
    return QuantizedChannel(codes=cell[symbols], depth=depth, name=name, held=tuple(map(tuple, held)))


def _cell_starts(ordered: Array, depth: int) -> Array:
    """Where each cell floor(2^depth u) of mid-ranks u starts among the sorted values, and their number at the end.

    The mid-rank of v exceeds a threshold exactly where v is at least some order statistic; so 2^depth - 1 values, found
    once, decide every code by comparisons alone.
    """
    cells = 1 << depth
    distinct = np.append(np.flatnonzero(np.concatenate(([True], _differs(ordered)))), len(ordered))
    # Whole numbers throughout: in floats a tie could fall on either side of a border.
    doubled = distinct[:-1] + distinct[1:]  # twice the mid-rank of each distinct value, times n
    cell = doubled * cells // (2 * len(ordered))
    return np.concatenate(([0], distinct[np.searchsorted(cell, np.arange(1, cells))], [len(ordered)]))


def _differs(ordered: Array) -> Array:
    """Where a sorted value differs from the one before it; NaN equal one another."""
    before, after = ordered[:-1], ordered[1:]
    return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after)))
