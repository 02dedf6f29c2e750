"""Several changes at once: the best partition of a segment into pieces, and whether it beats chance.

Changes are noise to one another where a test looks for a single split: they swell the variance that it divides by. What
K pieces explain of the sum of squares over blocks,

    R_K^2 = max over partitions of (sum over pieces of |S_piece|^2 / N_piece) / (sum over blocks of |S_block|^2),

with S from `single_change` and N in blocks, is not troubled by them. The maximum is exact, by dynamic programming over
the Gram matrix (Jackson et al. 2005, IEEE Signal Processing Letters 12). Every cell and K has a chance level of its
own, so -log(1 - R_K^2) is centred and scaled by what random orders give, drawn for that alone; the largest over cells
and K is then as exact a statistic for the test as any.

Which cell and K describe the stretch is another question. It is answered by the modified Bayesian information criterion
for noise of known variance (Zhang and Siegmund 2007, Biometrics 63): a change costs 2 + f times the logarithm of the
number of blocks in a cell of f dimensions. The variance is the median of the squared differences of neighbouring
blocks, which changes between less than half of them hardly touch.

Two pieces of a few blocks have too few orders to be tested by. Once the pieces of a stretch are known each block, less
the mean of its piece, is noise; blocks drawn from all pieces stand for those of the two, and are split as they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.permutation import permutation_p_value
from shoal.changes.single_change import normal_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.changes.permutation import Shuffler
    from shoal.changes.single_change import Blocks

    Ordered = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]

    """The Gram matrices of blocks in an order."""

Array = np.ndarray[Any, Any]

MAX_BLOCKS = 160
"""Blocks that a stretch is cut into at most."""
MAX_PIECES = 40
"""Pieces of a partition at most; what has more is found inside those."""
CALIBRATING = 24
"""Random orders that centre and scale the statistic."""
MIN_SPREAD = 1e-3
"""The spread of -log(1 - R^2) is taken to be at least this."""
NO_NOISE = 1e-6
"""The share that is left unexplained, and what noise is of all, are taken to be at least this."""


class Partition(NamedTuple):
    """The partitions of a stretch into 2 to K pieces, and what they would explain by chance."""

    blocks: Blocks
    """The stretch in short blocks."""
    ordered: Ordered
    """Their matrices in an order."""
    min_size: int
    """The minimum number of blocks of a piece."""
    pieces: int
    """The greatest number of pieces."""
    believed: Array
    """The least variance of a block in one dimension that is believed in each cell."""
    shares: Array
    """R^2 of the blocks in their own order, of shape (pieces - 1, cells)."""
    centre: Array
    """The mean of -log(1 - R^2) in random orders, of the same shape."""
    spread: Array
    """Its standard deviation."""

    def statistic(self, order: Array) -> float:
        """How far the best partition of the blocks in an order is above chance, in standard deviations."""
        return self._above_chance(explained_shares(self.ordered(order), self.min_size, self.pieces))

    @property
    def observed(self) -> float:
        """The same of the blocks in their own order."""
        return self._above_chance(self.shares)

    def cuts(self) -> list[int]:
        """The blocks at which pieces but the first begin, in the cell and the number that describe the stretch best."""
        gained = _gained(self.blocks, self.shares, self.believed)
        most, cell = np.unravel_index(int(gained.argmax()), gained.shape)
        return best_cuts(segment_gains(self.blocks.grams[:, :, cell : cell + 1], self.min_size)[:, 0], int(most) + 2)

    def _above_chance(self, shares: Array) -> float:
        return float(((_left(shares) - self.centre) / self.spread).max())


def calibrated_partition(
    blocks: Blocks,
    believed: Array,
    min_size: int,
    pieces: int,
    shuffler: Shuffler,
    *,
    ordered: Ordered | None = None,
) -> Partition:
    """Prepare the partitions of a stretch.

    Args:
        blocks: the stretch in short blocks.
        believed: the least variance of a block in one dimension that is believed in each cell.
        min_size: the minimum number of blocks of a piece.
        pieces: the greatest number of pieces, from 2 to the number of blocks over ``min_size``.
        shuffler: what the calibrating orders are drawn from.
        ordered: the matrices of the blocks in an order, where they have a memory to be given.
    """
    ordered = ordered or blocks.ordered
    orders = [shuffler.permutation(blocks.count) for _ in range(CALIBRATING)]
    chance = np.array([_left(explained_shares(ordered(order), min_size, pieces)) for order in orders])
    return Partition(
        blocks=blocks,
        ordered=ordered,
        min_size=min_size,
        pieces=pieces,
        believed=believed,
        shares=explained_shares(blocks.grams, min_size, pieces),
        centre=chance.mean(axis=0),
        spread=np.maximum(chance.std(axis=0, ddof=1), MIN_SPREAD),
    )


def explained_shares(grams: Array, min_size: int, pieces: int) -> Array:
    """R_K^2 for K from 2 to ``pieces``, of shape (pieces - 1, cells).

    Args:
        grams: the Gram matrices of the blocks, of shape (G, G, cells).
        min_size: the minimum number of blocks of a piece.
        pieces: the greatest number of pieces.
    """
    gains = segment_gains(grams, min_size)
    best, joined = gains[0], np.empty_like(gains)
    found = []
    for _ in range(pieces - 1):
        best = np.add(best.T[:, :, None], gains, out=joined).max(axis=0)
        found.append(best[:, -1])
    return np.asarray(np.array(found) / np.maximum(np.einsum("iic->c", grams), np.float32(1e-30)))


def _left(shares: Array) -> Array:
    """-log(1 - R^2)."""
    return np.asarray(-np.log(np.maximum(1.0 - shares, NO_NOISE)))


def _gained(blocks: Blocks, shares: Array, believed: Array) -> Array:
    """The criterion for each number of pieces and each cell."""
    own = np.einsum("iic->ic", blocks.grams)
    steps = (own[1:] + own[:-1] - 2.0 * np.einsum("iic->ic", blocks.grams[1:, :-1])) / 2.0
    total, dimensions = own.sum(axis=0), blocks.words - 1
    variance = np.median(steps, axis=0) / (dimensions * (1.0 - 2.0 / (9.0 * dimensions)) ** 3)  # Wilson and Hilferty
    gained = shares * total / np.maximum(np.maximum(variance, believed), NO_NOISE * total)
    changes = np.arange(1, len(shares) + 1)[:, None]
    return np.asarray(gained - changes * (2 + dimensions) * np.log(blocks.count))


def segment_gains(grams: Array, min_size: int) -> Array:
    """|S|^2 / N of the blocks [i, j), of shape (G + 1, cells, G + 1) by i, cell and j; minus infinity for no piece.

    Cells stand between the two, so that the maximum over i of all j is taken along rows that lie together in memory.

    Args:
        grams: the Gram matrices of the blocks, of shape (G, G, cells).
        min_size: the minimum number of blocks of a piece.
    """
    count, _, cells = grams.shape
    sums = np.zeros((count + 1, cells, count + 1), dtype=grams.dtype)
    np.cumsum(grams.transpose(0, 2, 1), axis=2, out=sums[1:, :, 1:])
    np.cumsum(sums, axis=0, out=sums)
    squares = np.einsum("ici->ic", sums)
    gains = -2.0 * sums  # in place from here on: a sum of broadcast arrays would take on their order in memory
    gains += squares[:, :, None]
    gains += squares.T
    inverse, barrier = _widths(count, min_size, grams.dtype)
    gains *= inverse
    gains += barrier
    return np.asarray(gains)


@lru_cache(maxsize=8)
def _widths(count: int, min_size: int, dtype: Any) -> tuple[Array, Array]:
    """One over the number of blocks [i, j), and minus infinity where these are no piece, of shape (G + 1, 1, G + 1)."""
    steps = np.arange(count + 1)
    width = (steps - steps[:, None])[:, None, :]
    return (1.0 / np.maximum(width, 1)).astype(dtype), np.where(width < min_size, -np.inf, 0.0).astype(dtype)


def best_cuts(gains: Array, pieces: int) -> list[int]:
    """Where the best partition into ``pieces`` pieces cuts, for one cell.

    Args:
        gains: those of the cell from `segment_gains`, of shape (G + 1, G + 1).
        pieces: the number of pieces, at least 2.
    """
    return best_cuts_each(gains, pieces)[-1]


def best_cuts_each(gains: Array, pieces: int) -> list[list[int]]:
    """Where the best partitions into 2, 3, ... pieces cut, for one cell.

    Args:
        gains: those of the cell from `segment_gains`, of shape (G + 1, G + 1).
        pieces: the greatest number of pieces.
    """
    best, sources, found = gains[0], [], []
    for _ in range(pieces - 1):
        totals = best[:, None] + gains
        sources.append(totals.argmax(axis=0))
        best = totals.max(axis=0)
        cuts = [len(gains) - 1]
        for source in reversed(sources):
            cuts.append(int(source[cuts[-1]]))
        found.append(cuts[:0:-1])
    return found


class PooledNoise(NamedTuple):
    """The noise of all pieces of a stretch."""

    blocks: Blocks
    """The stretch in short blocks."""
    edges: list[int]
    """The blocks at which its pieces begin, and their number at the end."""
    noise: Array
    """The Gram matrices of the blocks less the means of their pieces, of shape (blocks, blocks, cells)."""
    variance: Array
    """That of a block, in each cell."""


def pool_noise(blocks: Blocks, edges: list[int]) -> PooledNoise:
    """What is noise in a stretch.

    Args:
        blocks: the stretch in short blocks.
        edges: the blocks at which its pieces begin, and their number at the end.
    """
    noise = _noise(blocks, edges)
    variance = np.maximum(np.einsum("iic->c", noise) / max(len(noise), 1), 1e-12)
    return PooledNoise(blocks=blocks, edges=edges, noise=noise, variance=variance)


def pooled_p_value(pooled: PooledNoise, number: int, min_size: int, shuffler: Shuffler, *, alpha: float) -> float:
    """The p-value of one change, whose two pieces hold at most half of the blocks.

    Args:
        pooled: the noise of the stretch.
        number: which edge is tested, from 1 to the last but one.
        min_size: the minimum number of blocks of a piece.
        shuffler: what the draws are made from.
        alpha: the level that matters.
    """
    blocks, edges, noise, variance = pooled
    first, last = edges[number - 1], edges[number + 1]
    size = last - first
    # Blocks are drawn without replacement: there must be as many.
    if size < 2 * min_size or size > len(noise):
        return 1.0

    def clearness(grams: Array) -> float:
        return float(normal_scores(_split_anywhere(grams, min_size) / variance, blocks.words - 1).max())

    return permutation_p_value(
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


def _split_anywhere(grams: Array, min_size: int) -> Array:
    """D of each split of the blocks, of shape (splits, cells)."""
    count = len(grams)
    split = np.arange(min_size, count - min_size + 1)
    left = np.cumsum(grams.sum(axis=1), axis=0)  # products of the first blocks with all
    squares = np.cumsum(np.cumsum(grams, axis=0), axis=1)
    before = np.einsum("iic->ic", squares)[split - 1]
    everything = squares[-1, -1]
    after = everything - 2.0 * left[split - 1] + before
    sizes = split[:, None].astype(np.float64)
    return np.asarray(before / sizes + after / (count - sizes) - everything / count)
