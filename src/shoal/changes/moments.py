"""Short blocks of a stretch by a few moments of its mid-ranks: what shows in few steps.

Words need blocks much longer than themselves, and most cells have many words. Where pieces are short three numbers of
each channel show more: the level u, the spread u^2 and the product u u' of neighbours, u being the centred mid-rank.
All are sums over steps, so they fill Gram matrices as words do, one dimension each; each moment of all channels
together is one more cell. Symbols have no level; they are counted, as words of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.ngrams import MAX_CHANNELS
from shoal.changes.single_change import Blocks, cut_blocks

if TYPE_CHECKING:
    from shoal.changes.ngrams import NgramTable
    from shoal.changes.quantization import QuantizedChannel

Array = np.ndarray[Any, Any]

MOMENTS = 3
"""Level, spread and product."""
SPREAD = [False, True, False]
"""Which of them is of spread."""


def short_blocks(
    channels: list[QuantizedChannel], cells: list[NgramTable], start: int, end: int, count: int
) -> tuple[Blocks, Array, Array]:
    """Cut ``[start, end)`` into ``count`` blocks.

    Where a word is rare most blocks have none, so a few of them do not show how large noise is: for counted symbols
    half the variance of independent ones is the least that is believed, as it is for words.

    Args:
        channels: the channels of the stream.
        cells: its cells, of which the single symbols are taken.
        start: the first step.
        end: the step after the last.
        count: the number of blocks.

    Returns:
        The blocks, the least variance of a block in one dimension that is believed in each cell, and which are spreads.
    """
    symbols = {place for place, channel in enumerate(channels) if channel.held}
    counted = cut_blocks(
        [one for one in cells if one.length == 1 and symbols.issuperset(one.channels)], start, end, count
    )
    edges = counted.edges - start
    grams, words = list(np.moveaxis(counted.grams, 2, 0)), counted.words.tolist()
    moving = [_moments(channel, start, end, edges) for place, channel in enumerate(channels) if place not in symbols]
    moving = [found for found in moving if found]
    spread = [False] * len(words)
    # More cells leave room for fewer blocks (`selection.MAX_NUMBERS`), so many channels have only a level of their own.
    alone = MOMENTS if len(moving) <= MAX_CHANNELS else 1
    for found in moving:
        grams += found[:alone]
        words += [2] * alone
        spread += SPREAD[:alone]
    if len(moving) > 1:
        grams += [np.sum(together, axis=0) for together in zip(*moving, strict=True)]
        words += [len(moving) + 1] * MOMENTS
        spread += SPREAD
    stacked = np.array(grams, dtype=np.float32).reshape(len(grams), count, count).transpose(1, 2, 0).copy()
    believed = np.where(np.arange(len(words)) < len(counted.words), 0.5 * (end - start) / count, 0.0)
    steps = np.full(len(words), (end - start) / count)
    blocks = Blocks(edges=counted.edges, grams=stacked, words=np.array(words, dtype=np.int64), steps=steps)
    return blocks, believed, np.array(spread, dtype=bool)


def _moments(channel: QuantizedChannel, start: int, end: int, edges: Array) -> list[Array]:
    """K of level, spread and product of a channel; nothing where it does not move."""
    ranks = channel.codes[start:end].astype(np.float64)
    if np.ptp(ranks) == 0.0:
        return []
    if channel.missing is not None:
        return _moments_of_known(ranks, ~channel.missing[start:end], edges)
    ranks -= ranks.mean()
    after = np.append(ranks[1:], ranks[-1])
    return [_gram(moment - moment.mean(), edges, len(moment)) for moment in (ranks, ranks**2, ranks * after)]


def _moments_of_known(ranks: Array, known: Array, edges: Array) -> list[Array]:
    """The same where some steps are missing: they add nothing to any sum."""
    pairs = known & np.append(known[1:], known[-1])
    if not known.any() or np.ptp(ranks[known]) == 0.0:
        return []
    ranks -= ranks[known].mean()
    after = np.append(ranks[1:], ranks[-1])
    moments = ((ranks, known), (ranks**2, known), (ranks * after, pairs))
    counts = [max(int(held.sum()), 1) for _, held in moments]
    return [
        _gram(np.where(held, moment - moment[held].sum() / count, 0.0), edges, count)
        for (moment, held), count in zip(moments, counts, strict=True)
    ]


def _gram(moment: Array, edges: Array, count: int) -> Array:
    """K of the block sums of a centred number at each step, scaled to a variance of one over ``count`` steps."""
    sums = np.add.reduceat(moment, edges[:-1])
    return np.outer(sums, sums) / max(float(moment @ moment) / count, 1e-12)
