"""How often chance does as well: a statistic of a segment against the same with its blocks in random order.

Assumption: the stretch is mixing, so that blocks much longer than its memory are nearly exchangeable where nothing
changes. Without mixing (the setting of the theory) no such test can exist; a p-value is then a measure of clearness.

Orders are drawn from a seed, the same on every machine, without `numpy.random`, whose import costs more than a search.
The keys that are sorted are splitmix64 (Steele, Lea and Flood 2014, OOPSLA) of a counter: 64 bits of which every one
depends on every bit of the counter and of the seed.

**Blocks that remember one another.** A stretch with a long memory has few blocks that have forgotten one another, and
so few orders that no test can be made of them. Shorter blocks are no longer exchangeable, but what is new in each of
them nearly is. With S_b the words of block b in a cell (`single_change`) and the autocorrelation r F^(h-1) of blocks h
apart, as an autoregression under noise has it, the innovations of a sequence are L^-1 S, with L L' the matrix of those
correlations; put in a random order and multiplied by L they are a sequence with the memory of the stretch and without a
change (a linear bootstrap; Kreiss and Paparoditis 2011, Journal of the Korean Statistical Society 40). Only Gram
matrices are needed: L P L^-1 K L^-T P' L'.

F is the same in all cells, phi to the length of a block. r is what each cell shows: mean squared differences of blocks
h apart, E |S_b - S_{b+h}|^2 / 2 = v (1 - r F^(h-1)), which a few changes hardly touch, fitted by least squares and
drawn to what the memory of the stream makes of blocks of their length.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Statistic = Callable[[np.ndarray[Any, Any]], float]

    """What the blocks are worth in an order."""

Array = np.ndarray[Any, Any]

MAX_PERMUTATIONS = 199
"""Permutations at most."""
CERTAIN = {9: 0.00001, 19: 0.002, 49: 0.02, 99: 0.1}
"""By number of permutations, none as clear as the stretch: a p-value below this share of the level is believed."""
ENOUGH_EXCEEDED = 6
"""Permutations at least as clear as the stretch after which no more are drawn (Besag and Clifford 1991)."""


def permutation_p_value(
    statistic: Statistic, count: int, observed: float, shuffler: Shuffler, *, alpha: float
) -> float:
    """How often blocks in random order are worth as much as ``observed``.

    No more permutations are drawn once it is plain on which side of ``alpha`` the p-value lies: when `ENOUGH_EXCEEDED`
    were as clear, or as many as put it above, or when the Gumbel law fitted to those drawn leaves no doubt that it is
    below. That law also gives p-values smaller than the permutations drawn can show.

    Args:
        statistic: what blocks in an order are worth; the clearer a change, the more.
        count: the number of blocks.
        observed: what they are worth in their own order.
        shuffler: what permutations are drawn from.
        alpha: the level that matters.
    """
    # With more than alpha of all permutations as clear, the p-value is above alpha whatever the rest give.
    enough = max(1, min(ENOUGH_EXCEEDED, math.ceil(alpha * (MAX_PERMUTATIONS + 1))))
    drawn: list[float] = []
    exceeded = 0
    while len(drawn) < MAX_PERMUTATIONS:
        drawn.append(statistic(shuffler.permutation(count)))
        exceeded += drawn[-1] >= observed
        if exceeded >= enough:
            return exceeded / len(drawn)
        share = 0.0 if exceeded else CERTAIN.get(len(drawn), 0.0)
        if share and _beyond(drawn, observed) < share * alpha:
            break
    # A count of one or none is a coarse estimate of a small p-value; the tail of the law is a finer one.
    return _beyond(drawn, observed) if exceeded <= 1 else (exceeded + 1) / (len(drawn) + 1)


def _beyond(drawn: list[float], observed: float) -> float:
    """P(maximum >= observed) under the Gumbel law with the mean and spread of the maxima drawn."""
    if len(drawn) < 2:
        return 1.0
    # Of a Gumbel law with scale s and mode m the standard deviation is s pi / sqrt(6) and the mean m + .5772 s.
    spread = max(float(np.std(drawn, ddof=1)), 1e-9) * math.sqrt(6.0) / math.pi
    middle = float(np.mean(drawn)) - 0.5772156649 * spread
    # math.exp raises where it overflows; at 50 the outer one is 0 already.
    return float(max(-math.expm1(-math.exp(min((middle - observed) / spread, 50.0))), 1e-12))


# 2^64 over the golden ratio, the increment of splitmix64.
_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class Shuffler:
    """Draws permutations, each different from those before.

    Args:
        seed: any whole number.
    """

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)  # a whole number of NumPy has no room for the mask
        self._start = int(_mixed(np.array([self.seed & _WORD], dtype=np.uint64))[0])
        self.drawn = 0

    def permutation(self, count: int) -> Array:
        """The numbers below ``count`` in random order."""
        keys = np.arange(self.drawn + 1, self.drawn + count + 1, dtype=np.uint64)
        self.drawn += count
        return np.argsort(_mixed(keys * np.uint64(_STEP) + np.uint64(self._start)), kind="stable")


def _mixed(words: Array) -> Array:
    """Sixty-four bits from as many, one to one."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(words ^ (words >> np.uint64(31)))


MIN_STEPS = 3
"""Steps of a block at least."""
BLOCK_FACTOR = 26.0
"""Blocks are this many times as long as they would be to be wholly correlated with their neighbours."""


class Decay(NamedTuple):
    """An autocorrelation A phi^k."""

    share: float
    """A, from 0 to 1: the part of the variance that is remembered."""
    decay: float
    """phi, below 1."""

    @property
    def reach(self) -> float:
        """What the correlation of neighbouring long blocks, times their length, tends to."""
        lasting = self.share * self.decay / (1.0 - self.decay)
        return lasting / ((1.0 - self.decay) * (1.0 + 2.0 * lasting))

    def between(self, width: int) -> float:
        """The correlation of the sums of two neighbouring blocks of ``width`` steps."""
        steps = np.arange(1, 2 * width)
        kept = self.share * self.decay**steps
        within = width + 2.0 * float(((width - steps[:width]) * kept[:width]).sum())
        return float((np.minimum(steps, 2 * width - steps) * kept).sum()) / within

    @property
    def steps(self) -> int:
        """The length of blocks whose neighbours are correlated by 1/26."""
        return max(MIN_STEPS, round(BLOCK_FACTOR * self.reach))


NO_MEMORY = Decay(0.0, 0.0)


STREAM_WEIGHT = 0.1
"""The weight of the stream's own memory, which is known better than that of a cell."""
MAX_LAG = 8
"""Blocks are compared that lie at most this many apart."""


class LinearBootstrap:
    """Blocks in random orders with the memory that they have.

    Args:
        grams: the Gram matrices of the blocks, of shape (G, G, cells).
        width: the steps of a block.
        memory: that of the stream.
        of_stream: the weight of it; the rest is what each cell shows itself.
    """

    def __init__(self, grams: Array, width: int, memory: Decay, *, of_stream: float = STREAM_WEIGHT) -> None:
        kept, blocks = memory.decay**width, np.arange(len(grams))
        apart = np.abs(np.subtract.outer(blocks, blocks))
        shown = _correlated(grams, kept) if of_stream < 1.0 else 0.0
        lasting = (1.0 - of_stream) * shown + of_stream * np.full(grams.shape[2], memory.between(width))
        # At (1 + F) / 2 the matrix stops being positive definite, and Cholesky fails.
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
    lags = np.arange(1, max(min(MAX_LAG, count // 4), 2) + 1)
    apart = [(own[h:] + own[:-h] - 2.0 * np.einsum("iic->ic", grams[h:, :-h])).mean(axis=0) / 2.0 for h in lags]
    # The mean at lag h is of count - h differences: a weight of its inverse variance, as if these were independent.
    rows = np.sqrt(count - lags)[:, None]
    shape = np.column_stack([np.ones(len(lags)), -(kept ** (lags - 1.0))])
    level, missing = np.linalg.lstsq(rows * shape, rows * np.array(apart), rcond=None)[0]
    return np.asarray(np.maximum(missing / np.maximum(level, 1e-12), 0.0))
