"""Random orders of blocks that remember one another.

A stretch with a long memory has few blocks that have forgotten one another, and so few orders that no test can be made
of them. Shorter blocks are no longer exchangeable, but what is new in each of them nearly is. With S_b the words of
block b in a cell (`blocks`) and the autocorrelation r F^(h-1) of blocks h apart, as an autoregression under noise has
it, the innovations of a sequence are L^-1 S, with L L' the matrix of those correlations; put in a random order and
multiplied by L they are a sequence with the memory of the stretch and without a change (a linear bootstrap; Kreiss and
Paparoditis 2011, Journal of the Korean Statistical Society 40). Only Gram matrices are needed: L P L^-1 K L^-T P' L'.

F is the same in all cells, phi to the length of a block. r is what each cell shows: mean squared differences of blocks
h apart, E |S_b - S_{b+h}|^2 / 2 = v (1 - r F^(h-1)), which a few changes hardly touch, fitted by least squares and
drawn to what the memory of the stream makes of blocks of their length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.decay import Decay

Array = np.ndarray[Any, Any]

OF_STREAM = 0.1
"""The weight of the stream's own memory, which is known better than that of a cell."""
APART = 8
"""Blocks are compared that lie at most so many apart."""


class Colour:
    """Blocks in random orders with the memory that they have.

    Args:
        grams: The Gram matrices of the blocks, of shape (G, G, cells).
        width: The steps of a block.
        memory: That of the stream.
        of_stream: The weight of it; the rest is what each cell shows itself.
    """

    def __init__(self, grams: Array, width: int, memory: Decay, *, of_stream: float = OF_STREAM) -> None:
        kept, blocks = memory.decay**width, np.arange(len(grams))
        apart = np.abs(np.subtract.outer(blocks, blocks))
        shown = _correlated(grams, kept) if of_stream < 1.0 else 0.0
        lasting = (1.0 - of_stream) * shown + of_stream * np.full(grams.shape[2], memory.between(width))
        lasting = np.minimum(lasting, 0.49 * (1.0 + kept))[:, None, None]
        correlation = np.where(apart == 0, 1.0, lasting * kept ** np.maximum(apart - 1, 0))
        self._factor = np.linalg.cholesky(correlation)
        inverse = np.linalg.inv(self._factor)
        self._innovations = inverse @ grams.transpose(2, 0, 1) @ inverse.transpose(0, 2, 1)

    def ordered(self, order: Array) -> Array:
        """The Gram matrices of the stretch, of shape (G, G, cells), with what is new in its blocks in another order."""
        moved = self._innovations.take(order, axis=1).take(order, axis=2)
        grams = self._factor @ moved @ self._factor.transpose(0, 2, 1)
        return np.ascontiguousarray(grams.transpose(1, 2, 0), dtype=np.float32)


def _correlated(grams: Array, kept: float) -> Array:
    """The r of each cell, not below 0. An autoregression under noise has r < (1 + F) / 2."""
    own, count = np.einsum("iic->ic", grams), len(grams)
    lags = np.arange(1, max(min(APART, count // 4), 2) + 1)
    apart = [(own[h:] + own[:-h] - 2.0 * np.einsum("iic->ic", grams[h:, :-h])).mean(axis=0) / 2.0 for h in lags]
    rows = np.sqrt(count - lags)[:, None]
    shape = np.column_stack([np.ones(len(lags)), -(kept ** (lags - 1.0))])
    level, missing = np.linalg.lstsq(rows * shape, rows * np.array(apart), rcond=None)[0]
    return np.asarray(np.maximum(missing / np.maximum(level, 1e-12), 0.0))
