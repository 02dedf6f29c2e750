"""Short pieces of a stretch, seen in short blocks: where the best partition cuts, and how sure each cut is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.moments import short_blocks
from shoal.changes.partition import MOST_BLOCKS, MOST_PIECES, partition
from shoal.changes.permuting import p_value
from shoal.changes.pooled import pool, pooled_p_value
from shoal.changes.search import FEWEST
from shoal.changes.words import MOST_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.blocks import Blocks
    from shoal.changes.decay import Decay
    from shoal.changes.partition import Ordered, Partition
    from shoal.changes.pooled import Pool
    from shoal.changes.search import Search

Array = np.ndarray[Any, Any]

ROOM = 1 << 18
"""Numbers in the matrices of a partition at most: with many channels there are fewer blocks."""


class Short(NamedTuple):
    """A stretch in short blocks."""

    blocks: Blocks
    """The blocks."""
    believed: Array
    """The least variance of a block in one dimension that is believed in each cell."""
    least: int
    """The blocks that the least distance between changes takes."""
    ordered: Ordered
    """The matrices of the blocks in an order, with the memory of the spread that the stream has."""


def parted(search: Search, start: int, end: int, alpha: float) -> list[int]:
    """Where the best partition of a stretch cuts, each place by likelihood; none where its test does not believe it.

    Args:
        search: The stream.
        start: The first step.
        end: The step after the last.
        alpha: The level of the test.
    """
    short = _cut(search, start, end)
    if short is None:
        return []
    found = _partition(search, short, MOST_PIECES)
    if p_value(found.statistic, short.blocks.count, found.observed, search.shuffler, alpha=alpha) > alpha:
        return []
    edges = [start, *(int(short.blocks.edges[cut]) for cut in found.cuts()), end]
    for number in range(1, len(edges) - 1):  # one after the other, or two might pass each other
        edges[number] = search.exact((edges[number - 1], edges[number + 1]), edges[number])
    return edges[1:-1]


def short_p_value(search: Search, edges: Sequence[int], number: int, alpha: float) -> float:
    """The p-value of a change by short blocks: those of all pieces, or of its own two where these are most of them.

    Args:
        search: The stream.
        edges: All places of a stretch, its first step before them and its end after them.
        number: Which edge is asked about, from 1 to the last but one.
        alpha: The level that matters.
    """
    before, after = edges[number - 1], edges[number + 1]
    if 2 * (after - before) <= edges[-1] - edges[0]:
        pooled = _pooled(search, edges)
        if pooled is None:
            return 1.0
        least = search.least(edges[0], edges[-1], pooled.blocks.count)
        return pooled_p_value(pooled, number, least, search.shuffler, alpha=alpha)
    short = _cut(search, before, after)
    if short is None:
        return 1.0
    found = _partition(search, short, 2)
    return p_value(found.statistic, short.blocks.count, found.observed, search.shuffler, alpha=alpha)


def _pooled(search: Search, edges: Sequence[int]) -> Pool | None:
    """The noise of the pieces between edges, made once for all that are asked about; None as in `_cut`."""
    key, start, end = tuple(edges), edges[0], edges[-1]
    if key not in search.pools:
        search.pools.clear()
        short = _cut(search, start, end)
        count = short.blocks.count if short else 0
        nearest = [round((edge - start) * count / (end - start)) for edge in edges]
        search.pools[key] = pool(short.blocks, nearest) if short else None
    return search.pools[key]


def _cut(search: Search, start: int, end: int) -> Short | None:
    """A stretch in short blocks; None where it is too short or does not move."""
    channels = len(search.channels)
    cells = channels + 2 * min(channels, MOST_CHANNELS) + 3  # about so many, as `moments` has it
    most = min(MOST_BLOCKS, int((ROOM / cells) ** 0.5))
    count = (end - start) // max(search.memory.short, -(-(end - start) // most))
    least = search.least(start, end, count)
    if count < max(FEWEST, 2 * least):
        return None
    blocks, believed, spread = short_blocks(search.channels, search.cells, start, end, count)
    if not len(blocks.words):
        return None
    ordered = _remembering(blocks, spread, search.memory.spread)
    return Short(blocks=blocks, believed=believed, least=least, ordered=ordered)


def _remembering(blocks: Blocks, spread: Array, memory: Decay) -> Ordered:
    """Blocks in an order, those cells that are of spread with its memory."""
    if memory.share == 0.0 or not spread.any():
        return blocks.ordered
    from shoal.changes.colour import Colour  # few streams need it

    colour = Colour(blocks.grams[:, :, spread], blocks.width, memory, of_stream=1.0)

    def ordered(order: Array) -> Array:
        grams = blocks.ordered(order)
        grams[:, :, spread] = colour.ordered(order)
        return grams

    return ordered


def _partition(search: Search, short: Short, pieces: int) -> Partition:
    count = short.blocks.count
    most = min(pieces, count // short.least, count // 3)
    return partition(short.blocks, short.believed, short.least, most, search.shuffler, ordered=short.ordered)
