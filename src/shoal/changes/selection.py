"""Which places are changes: by tests, or by their score where the number of changes or processes is known.

A stretch is tested in two ways, by its clearest split in long blocks of words and by its best partition in short blocks
of moments, which share the level. So is each place in the end.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.moments import short_blocks
from shoal.changes.multiple_changes import MAX_BLOCKS, MAX_PIECES, calibrated_partition, pool_noise, pooled_p_value
from shoal.changes.ngrams import MAX_CHANNELS
from shoal.changes.permutation import permutation_p_value
from shoal.changes.search import MIN_SHORT_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.multiple_changes import Ordered, Partition, PooledNoise
    from shoal.changes.permutation import Decay
    from shoal.changes.search import BlockedSegment, Search
    from shoal.changes.single_change import BestSplit, Blocks

Array = np.ndarray[Any, Any]

SCORE_THRESHOLD = 4.0
"""A score above which a stretch is split where groups, not p-values, decide in the end."""


def select_by_score(search: Search, min_count: int) -> list[int]:
    """Places of splits with a score above `SCORE_THRESHOLD`, or the ``min_count`` clearest: more than there may be.

    Where the stream as a whole has no clear split, changes may hide one another: its best partition is tried first.

    Args:
        search: the stream.
        min_count: how many places are returned at least, where the stream has room for them.
    """
    places = sorted(search.given)
    if not places and _score(search.stretch(0, search.length)) < SCORE_THRESHOLD:
        places = split_by_partition(search, 0, search.length, search.alpha)
    waiting = _splittable(search, *itertools.pairwise([0, *places, search.length]))
    while waiting:
        (start, end), split = max(waiting, key=lambda one: one[1].score)
        if split.score < SCORE_THRESHOLD and len(places) >= min_count:
            break
        waiting.remove(((start, end), split))
        places.append(search.exact(split.window, split.place))
        waiting += _splittable(search, (start, places[-1]), (places[-1], end))
    return sorted(places)


def _splittable(search: Search, *stretches: tuple[int, int]) -> list[tuple[tuple[int, int], BestSplit]]:
    """The stretches that can be split, with the clearest split of each."""
    found = [(stretch, search.stretch(*stretch).split) for stretch in stretches]
    return [(stretch, split) for stretch, split in found if split is not None]


def weakest_change(search: Search, places: list[int]) -> int:
    """The place whose two neighbouring pieces differ least clearly.

    Args:
        search: the stream.
        places: all places, in order.
    """
    edges = [0, *places, search.length]
    found = {
        place: _score(search.stretch(start, end)) for start, place, end in zip(edges, places, edges[2:], strict=False)
    }
    return min(found, key=lambda place: found[place])


def _score(stretch: BlockedSegment) -> float:
    return stretch.split.score if stretch.split else -math.inf


DECISIVE = 0.1
"""A p-value of long blocks above this share of the level may be due to their small number; then short ones are used."""


def select_by_tests(search: Search) -> list[int]:
    """Places of the changes that tests find."""
    places = sorted(search.given)
    waiting = list(itertools.pairwise([0, *places, search.length]))
    while waiting:
        start, end = waiting.pop()
        found = _tested(search, start, end)
        if found:
            places += found
            waiting += itertools.pairwise([start, *found, end])
    return significant_places(search, sorted(places))


def _tested(search: Search, start: int, end: int) -> list[int]:
    """The clearest split of a stretch, if its test believes it, or else the cuts of a partition, if its test does."""
    # By length, so that the levels of all parts of the stream add up to alpha.
    share = search.alpha * (end - start) / search.length
    long, short = (share * part for part in search.shares)
    whole = search.tested(start, end)
    if whole.split and search.p_value_of_split(whole, long) <= long:
        return [search.exact(whole.split.window, whole.split.place)]
    if not short:
        return []
    return split_by_partition(search, start, end, short)


def significant_places(search: Search, places: list[int]) -> list[int]:
    """The places that a test still finds between their neighbours; the least believable one goes first.

    The p-value of a place that was found in a wide window may come from a change that has a place of its own by now.

    Args:
        search: the stream.
        places: the places to test, in order.
    """
    while True:
        edges = [0, *places, search.length]
        found = [p_value_of_change(search, edges, number, search.alpha) for number in range(1, len(edges) - 1)]
        if max(found, default=0.0) <= search.alpha:
            return places
        weakest = found.index(max(found))
        places = places[:weakest] + places[weakest + 1 :]


def p_value_of_change(search: Search, edges: Sequence[int], number: int, alpha: float) -> float:
    """The p-value of one change between its neighbours, exact enough to be held against a level.

    Args:
        search: the stream.
        edges: all places of the stream, its first step before them and its end after them.
        number: which edge is tested, from 1 to the last but one.
        alpha: the level that matters.
    """
    if edges[number] in search.given:
        return search.given[edges[number]]
    key = (*edges, number), alpha
    if key not in search.p_values:
        stretch = search.tested(edges[number - 1], edges[number + 1])
        long, short = search.shares
        # Each p-value is divided by its test's share of alpha, so the smaller can be held against alpha (Bonferroni).
        found = search.p_value_of_split(stretch, alpha * long) / long
        if short and found > DECISIVE * alpha:
            found = min(found, short_block_p_value(search, edges, number, alpha * short) / short)
        search.p_values[key] = min(found, 1.0)
    return search.p_values[key]


MAX_NUMBERS = 1 << 18
"""Numbers in the matrices of a partition at most: with many channels there are fewer blocks."""


class ShortBlocks(NamedTuple):
    """A stretch in short blocks."""

    blocks: Blocks
    """The blocks."""
    believed: Array
    """The least variance of a block in one dimension that is believed in each cell."""
    min_size: int
    """The blocks that the smallest distance between changes takes."""
    ordered: Ordered
    """The matrices of the blocks in an order, with the memory of the spread that the stream has."""


def split_by_partition(search: Search, start: int, end: int, alpha: float) -> list[int]:
    """Where the best partition of a stretch cuts, each place by likelihood; none where its test does not believe it.

    Args:
        search: the stream.
        start: the first step.
        end: the step after the last.
        alpha: the level of the test.
    """
    short = _short_blocks(search, start, end)
    if short is None:
        return []
    found = _partition(search, short, MAX_PIECES)
    if permutation_p_value(found.statistic, short.blocks.count, found.observed, search.shuffler, alpha=alpha) > alpha:
        return []
    edges = [start, *(int(short.blocks.edges[cut]) for cut in found.cuts()), end]
    for number in range(1, len(edges) - 1):  # one after the other, or two might pass each other
        edges[number] = search.exact((edges[number - 1], edges[number + 1]), edges[number])
    return edges[1:-1]


def short_block_p_value(search: Search, edges: Sequence[int], number: int, alpha: float) -> float:
    """The p-value of a change by short blocks: those of all pieces, or of its own two where these are most of them.

    Args:
        search: the stream.
        edges: all places of a stretch, its first step before them and its end after them.
        number: which edge is tested, from 1 to the last but one.
        alpha: the level that matters.
    """
    before, after = edges[number - 1], edges[number + 1]
    if 2 * (after - before) <= edges[-1] - edges[0]:
        pooled = _pooled_noise(search, edges)
        if pooled is None:
            return 1.0
        min_size = search.min_size(edges[0], edges[-1], pooled.blocks.count)
        return pooled_p_value(pooled, number, min_size, search.shuffler, alpha=alpha)
    short = _short_blocks(search, before, after)
    if short is None:
        return 1.0
    found = _partition(search, short, 2)
    return permutation_p_value(found.statistic, short.blocks.count, found.observed, search.shuffler, alpha=alpha)


def _pooled_noise(search: Search, edges: Sequence[int]) -> PooledNoise | None:
    """The noise of the pieces between edges, made once for all of these; None as in `_short_blocks`."""
    key, start, end = tuple(edges), edges[0], edges[-1]
    if key not in search.pools:
        search.pools.clear()
        short = _short_blocks(search, start, end)
        count = short.blocks.count if short else 0
        nearest = [round((edge - start) * count / (end - start)) for edge in edges]
        search.pools[key] = pool_noise(short.blocks, nearest) if short else None
    return search.pools[key]


def _short_blocks(search: Search, start: int, end: int) -> ShortBlocks | None:
    """A stretch in short blocks; None where it is too short or does not move."""
    channels = len(search.channels)
    cells = channels + 2 * min(channels, MAX_CHANNELS) + 3  # about as many as `moments` makes
    most = min(MAX_BLOCKS, int((MAX_NUMBERS / cells) ** 0.5))
    count = search.memory.blocks(end - start, max(search.memory.short, -(-(end - start) // most)))
    min_size = search.min_size(start, end, count)
    if count < max(MIN_SHORT_BLOCKS, 2 * min_size):
        return None
    blocks, believed, spread = short_blocks(search.channels, search.cells, start, end, count)
    if not len(blocks.words):
        return None
    ordered = _remembering(blocks, spread, search.memory.spread)
    return ShortBlocks(blocks=blocks, believed=believed, min_size=min_size, ordered=ordered)


def _remembering(blocks: Blocks, spread: Array, memory: Decay) -> Ordered:
    """Blocks in an order, those cells that are of spread with its memory."""
    if memory.share == 0.0 or not spread.any():
        return blocks.ordered
    from shoal.changes.permutation import LinearBootstrap  # few streams need it

    colour = LinearBootstrap(blocks.grams[:, :, spread], blocks.width, memory, of_stream=1.0)

    def ordered(order: Array) -> Array:
        grams = blocks.ordered(order)
        grams[:, :, spread] = colour.ordered(order)
        return grams

    return ordered


def _partition(search: Search, short: ShortBlocks, pieces: int) -> Partition:
    count = short.blocks.count
    most = min(pieces, count // short.min_size, count // 3)
    return calibrated_partition(
        short.blocks, short.believed, short.min_size, most, search.shuffler, ordered=short.ordered
    )
