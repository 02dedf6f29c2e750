"""A stream as channels: integer codes whose binary digits are ever finer quantile cells.

A value is replaced by its mid-rank u in (0, 1) among all values of its coordinate, and u by floor(2^depth u). The
first digit says on which side of the median it lies, the first two which quarter, and so on, so one array of codes
holds every resolution 2, 4, 8, ... Ranks see comparisons only: the codes are the same under every increasing
transformation. Symbols are put in order of frequency first; a rare one shares its cell with others as rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.input import Stream

Array = np.ndarray[Any, Any]

DEPTH = 6
"""Binary digits of the finest cells: 64 quantile cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One coordinate of a stream in quantile cells."""

    codes: Array
    """uint8 of shape (n,), below 2^depth."""
    depth: int
    """The number of binary digits."""
    name: str
    """The name of the coordinate, empty where there is only one."""
    labels: tuple[str, ...] = ()
    """How the content of each finest cell is written where it is no range of numbers."""
    bounds: Array | None = None
    """For numbers: the least and the greatest value in each finest cell, of shape (2^depth, 2), NaN where empty."""

    def at(self, digits: int) -> Array:
        """The codes at the resolution of the first ``digits`` digits."""
        return self.codes >> (self.depth - digits)


def depth_for(length: int) -> int:
    """Digits that a stream of this length can fill: at least 8 values in a finest cell, 2 to `DEPTH` digits."""
    return max(2, min(DEPTH, (max(length, 1) // 8).bit_length() - 1))


def channels_of(stream: Stream) -> list[Channel]:
    """The channels of a stream: one for each coordinate, and one for where it is missing, if it sometimes is."""
    depth = depth_for(stream.length)
    if stream.symbols is not None:
        return [symbol_channel(stream.symbols, stream.alphabet, depth)]
    assert stream.values is not None
    channels = []
    for place, column in enumerate(stream.values.T):
        name = stream.names[place] if stream.names else (f"x{place}" if stream.values.shape[1] > 1 else "")
        channels.append(number_channel(column, name, depth))
        missing = np.isnan(column)
        if missing.any() and not missing.all():
            labels = ("present", "missing")
            channels.append(symbol_channel(missing.astype(np.int64), labels, 1, name=name))
    return channels


def number_channel(values: Array, name: str, depth: int) -> Channel:
    """Mid-rank codes of numbers; NaN ranks above everything, all NaN alike."""
    ordered = np.sort(values)
    codes = _codes_of_ranks(values, ordered, depth)
    cells = 1 << depth
    bounds = np.full((cells, 2), np.nan)
    ranks = _codes_of_ranks(ordered, ordered, depth)
    first = np.searchsorted(ranks, np.arange(cells), side="left")
    past = np.searchsorted(ranks, np.arange(cells), side="right")
    filled = past > first
    bounds[filled, 0], bounds[filled, 1] = ordered[first[filled]], ordered[past[filled] - 1]
    return Channel(codes=codes, depth=depth, name=name, bounds=bounds)


def symbol_channel(symbols: Array, alphabet: tuple[str, ...], depth: int, *, name: str = "") -> Channel:
    """Codes of symbols in order of frequency, the most frequent first; equals in order of first appearance."""
    counts = np.bincount(symbols, minlength=len(alphabet))
    first = np.full(len(counts), len(symbols))
    first[symbols[::-1]] = np.arange(len(symbols))[::-1]
    order = np.lexsort((first, -counts))
    below = np.cumsum(counts[order]) - counts[order]
    midranks = (below + counts[order] / 2.0) / max(len(symbols), 1)
    cell = np.empty(len(counts), dtype=np.uint8)
    cell[order] = np.minimum((midranks * (1 << depth)).astype(np.int64), (1 << depth) - 1)
    held: list[list[str]] = [[] for _ in range(1 << depth)]
    for symbol in order[counts[order] > 0].tolist():
        held[cell[symbol]].append(alphabet[symbol] if symbol < len(alphabet) else str(symbol))
    return Channel(codes=cell[symbols], depth=depth, name=name, labels=tuple(map(_listed, held)))


def _codes_of_ranks(values: Array, ordered: Array, depth: int) -> Array:
    """floor(2^depth u) of the mid-ranks u of ``values`` in ``ordered``.

    The mid-rank of v exceeds a threshold exactly where v is at least some order statistic; so 2^depth - 1 values,
    found once, decide every code with comparisons only.
    """
    cells = 1 << depth
    distinct_from = np.flatnonzero(np.concatenate(([True], _differs(ordered))))
    starts = np.append(distinct_from, len(ordered))
    doubled = starts[:-1] + starts[1:]  # twice the mid-rank of each distinct value, times n
    cell = np.minimum(doubled * cells // (2 * len(ordered)), cells - 1)
    least = np.searchsorted(cell, np.arange(1, cells), side="left")
    enters = np.append(ordered[distinct_from], np.nan)[least]
    unreachable = least == len(distinct_from)
    codes = np.searchsorted(np.where(unreachable, np.nan, enters), values, side="right")
    if unreachable.any():
        codes = np.minimum(codes, int(np.count_nonzero(~unreachable)) + 0)
    return codes.astype(np.uint8)


def _differs(ordered: Array) -> Array:
    """Where a sorted value differs from the one before it; NaN equal one another."""
    before, after = ordered[:-1], ordered[1:]
    return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after)))


def _listed(symbols: list[str]) -> str:
    shown = [repr(symbol) for symbol in symbols[:3]]
    return " or ".join(shown) + (f" or {len(symbols) - 3} more" if len(symbols) > 3 else "")
