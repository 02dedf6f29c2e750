"""Several changes at once: the best partition of a stretch, and whether it is better than chance would give.

Changes are noise to one another where a test asks for a single split: they swell the variance that it divides by. What
K pieces explain of the sum of squares over blocks,

    R_K^2 = max over partitions of (sum over pieces of |S_piece|^2 / N_piece) / (sum over blocks of |S_block|^2),

with S from `blocks` and N in blocks, is not troubled by them. The maximum is exact, by dynamic programming over the
Gram matrix (Jackson et al. 2005, IEEE Signal Processing Letters 12). Every cell and K has a chance level of its own, so
-log(1 - R_K^2) is centred and scaled by what random orders give, drawn for that alone; the largest over cells and K is
then as exact a statistic for the test as any. Only short words are counted, so blocks may be short, and pieces too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.scan import running_sums

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.shuffling import Shuffler

Array = np.ndarray[Any, Any]

CALIBRATING = 24
"""Random orders that centre and scale the statistic."""
LEAST_SPREAD = 1e-3
"""The spread of -log(1 - R^2) is taken to be at least this."""
NO_NOISE = 1e-6
"""The share that is left unexplained is taken to be at least this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The partitions of a stretch into 2 to K pieces, and what they would explain by chance."""

    blocks: Blocks
    """The stretch in short blocks."""
    least: int
    """The least number of blocks of a piece."""
    pieces: int
    """The greatest number of pieces."""
    centre: Array
    """The mean of -log(1 - R^2) in random orders, of shape (pieces - 1, cells)."""
    spread: Array
    """Its standard deviation."""

    def statistic(self, order: Array) -> float:
        """How far the best partition of the blocks in an order is above chance, in standard deviations."""
        return float(self._above_chance(self.blocks.ordered(order)).max())

    @property
    def observed(self) -> float:
        """The same of the blocks in their own order."""
        return float(self._above_chance(self.blocks.grams).max())

    def places(self) -> list[int]:
        """Where the pieces of the best partition begin, the first piece excepted."""
        above = self._above_chance(self.blocks.grams)
        most, cell = np.unravel_index(int(above.argmax()), above.shape)
        cuts = _cuts(_gains(self.blocks.grams[:, :, cell : cell + 1], self.least)[:, :, 0], int(most) + 2)
        return [int(self.blocks.edges[cut]) for cut in cuts]

    def _above_chance(self, grams: Array) -> Array:
        return np.asarray((_explained(grams, self.least, self.pieces) - self.centre) / self.spread)


def partition(blocks: Blocks, least: int, pieces: int, shuffler: Shuffler) -> Partition:
    """Prepare the partitions of a stretch.

    Args:
        blocks: The stretch in short blocks.
        least: The least number of blocks of a piece.
        pieces: The greatest number of pieces, from 2 to the number of blocks over ``least``.
        shuffler: What the calibrating orders are drawn from.
    """
    orders = [shuffler.permutation(blocks.count) for _ in range(CALIBRATING)]
    chance = np.array([_explained(blocks.ordered(order), least, pieces) for order in orders])
    spread = np.maximum(chance.std(axis=0, ddof=1), LEAST_SPREAD)
    return Partition(blocks=blocks, least=least, pieces=pieces, centre=chance.mean(axis=0), spread=spread)


def _explained(grams: Array, least: int, pieces: int) -> Array:
    """-log(1 - R_K^2) for K from 2 to ``pieces``, of shape (pieces - 1, cells)."""
    gains = _gains(grams, least)
    best = gains[0]
    found = []
    for _ in range(pieces - 1):
        best = (best[:, None, :] + gains).max(axis=0)
        found.append(best[-1])
    share = np.array(found) / np.maximum(np.einsum("iic->c", grams), np.float32(1e-30))
    return np.asarray(-np.log(np.maximum(1.0 - share, NO_NOISE)))


def _gains(grams: Array, least: int) -> Array:
    """|S|^2 / N of the blocks [i, j), of shape (G + 1, G + 1, cells); minus infinity where that is no piece."""
    sums = running_sums(grams)
    squares = np.einsum("iic->ic", sums)
    gains = squares[:, None] + squares - 2.0 * sums
    steps = np.arange(len(sums))
    width = steps - steps[:, None]
    gains /= np.maximum(width, 1)[:, :, None].astype(gains.dtype)
    gains[width < least] = -np.inf
    return np.asarray(gains)


def _cuts(gains: Array, pieces: int) -> list[int]:
    """Where the best partition into so many pieces cuts, for one cell."""
    best, sources = gains[0], []
    for _ in range(pieces - 1):
        totals = best[:, None] + gains
        sources.append(totals.argmax(axis=0))
        best = totals.max(axis=0)
    cuts = [len(gains) - 1]
    for source in reversed(sources):
        cuts.append(int(source[cuts[-1]]))
    return cuts[:0:-1]
