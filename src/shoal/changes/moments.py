"""Short blocks of a stretch by a few moments of its mid-ranks: what shows in few steps.

Words need blocks much longer than themselves, and most cells have many words. Where pieces are short three numbers of
each channel say more: the level u, the spread u^2 and the product u u' of neighbours, u being the centred mid-rank. All
are sums over steps, so they fill Gram matrices as words do, one dimension each; the levels of all channels together are
one more cell. Symbols have no level; they are counted, as words of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.blocks import Blocks, cut

if TYPE_CHECKING:
    from shoal.changes.channels import Channel
    from shoal.changes.words import Cell

Array = np.ndarray[Any, Any]


def short_blocks(channels: list[Channel], cells: list[Cell], start: int, end: int, count: int) -> tuple[Blocks, Array]:
    """Cut ``[start, end)`` into ``count`` blocks.

    Where a word is rare most blocks have none, so noise cannot be told from a few of them: for counted symbols half the
    variance of independent ones is the least that is believed, as it is for words.

    Args:
        channels: The channels of the stream.
        cells: Its cells, of which the single symbols are taken.
        start: The first step.
        end: The step after the last.
        count: The number of blocks.

    Returns:
        The blocks, and in each cell the least variance of a block in one dimension that is believed.
    """
    symbols = {place for place, channel in enumerate(channels) if channel.held}
    counted = cut([one for one in cells if one.length == 1 and symbols.issuperset(one.channels)], start, end, count)
    edges = counted.edges - start
    grams, words = list(np.moveaxis(counted.grams, 2, 0)), counted.words.tolist()
    levels = []
    for place, channel in enumerate(channels):
        ranks = channel.codes[start:end].astype(np.float64)
        if place in symbols or np.ptp(ranks) == 0.0:
            continue
        ranks -= ranks.mean()
        after = np.append(ranks[1:], ranks[-1])
        found = [_gram(moment, edges) for moment in (ranks, ranks**2, ranks * after)]
        grams += found
        words += [2] * len(found)
        levels.append(found[0])
    if len(levels) > 1:
        grams.append(np.sum(levels, axis=0))
        words.append(len(levels) + 1)
    stacked = np.array(grams, dtype=np.float32).reshape(len(grams), count, count).transpose(1, 2, 0).copy()
    believed = np.where(np.arange(len(words)) < len(counted.words), 0.5 * (end - start) / count, 0.0)
    return Blocks(edges=counted.edges, grams=stacked, words=np.array(words, dtype=np.int64)), believed


def _gram(moment: Array, edges: Array) -> Array:
    """K of the block sums of a number at each step, scaled to a variance of one."""
    sums = np.add.reduceat(moment - moment.mean(), edges[:-1])
    return np.outer(sums, sums) / max(float(moment.var()), 1e-12)
