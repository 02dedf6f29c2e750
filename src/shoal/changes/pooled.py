"""Whether a change between two short pieces is one, by what noise is in all pieces of a stretch.

Two pieces of a few blocks have too few orders to be tested by. Once the pieces of a stretch are known each block, less
the mean of its piece, is noise; blocks drawn from all pieces stand for those of the two, and are split as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.permuting import p_value
from shoal.changes.scan import normal_scores

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.shuffling import Shuffler

Array = np.ndarray[Any, Any]


class Pool(NamedTuple):
    """The noise of all pieces of a stretch."""

    blocks: Blocks
    """The stretch in short blocks."""
    edges: list[int]
    """The blocks at which its pieces begin, and their number at the end."""
    noise: Array
    """The Gram matrices of the blocks less the means of their pieces, of shape (blocks, blocks, cells)."""
    variance: Array
    """That of a block, in each cell."""


def pool(blocks: Blocks, edges: list[int]) -> Pool:
    """What is noise in a stretch.

    Args:
        blocks: The stretch in short blocks.
        edges: The blocks at which its pieces begin, and their number at the end.
    """
    noise = _noise(blocks, edges)
    variance = np.maximum(np.einsum("iic->c", noise) / max(len(noise), 1), 1e-12)
    return Pool(blocks=blocks, edges=edges, noise=noise, variance=variance)


def pooled_p_value(pooled: Pool, number: int, least: int, shuffler: Shuffler, *, alpha: float) -> float:
    """The p-value of one change, whose two pieces hold at most half of the blocks.

    Args:
        pooled: The noise of the stretch.
        number: Which edge is asked about, from 1 to the last but one.
        least: The least number of blocks of a piece.
        shuffler: What the draws are made from.
        alpha: The level that matters.
    """
    blocks, edges, noise, variance = pooled
    first, last = edges[number - 1], edges[number + 1]
    size = last - first
    if size < 2 * least or size > len(noise):
        return 1.0

    def clearness(grams: Array) -> float:
        return float(normal_scores(_split_anywhere(grams, least) / variance, blocks.words - 1).max())

    return p_value(
        lambda order: clearness(noise.take(order[:size], axis=0).take(order[:size], axis=1)),
        len(noise),
        clearness(blocks.grams[first:last, first:last]),
        shuffler,
        alpha=alpha,
    )


def _noise(blocks: Blocks, edges: list[int]) -> Array:
    """The Gram matrices of all blocks less the means of their pieces, those that are pieces by themselves left out.

    Taking a mean off m blocks takes 1 / m of their variance, which is put back.
    """
    piece = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    sizes = np.diff(edges)[piece]
    means = (piece[:, None] == piece) / sizes
    kept = sizes > 1
    less = (np.eye(len(piece)) - means)[kept] * np.sqrt(sizes / np.maximum(sizes - 1, 1))[kept, None]
    return np.asarray(np.einsum("ij,jkc,lk->ilc", less, blocks.grams, less, optimize=True))


def _split_anywhere(grams: Array, least: int) -> Array:
    """D of each split of the blocks, of shape (splits, cells)."""
    count = len(grams)
    split = np.arange(least, count - least + 1)
    left = np.cumsum(grams.sum(axis=1), axis=0)  # products of the first blocks with all
    squares = np.cumsum(np.cumsum(grams, axis=0), axis=1)
    before = np.einsum("iic->ic", squares)[split - 1]
    everything = squares[-1, -1]
    after = everything - 2.0 * left[split - 1] + before
    sizes = split[:, None].astype(np.float64)
    return np.asarray(before / sizes + after / (count - sizes) - everything / count)
