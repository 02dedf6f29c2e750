"""Whether a stretch changes at all: its clearest split against the same stretch with its blocks in another order.

Assumption: the stretch is mixing, so that blocks much longer than its memory are nearly exchangeable where nothing
changes. What a border between blocks cuts off is put back: the covariance of neighbouring blocks, relative to their
variance, estimates the share that block sums of this length miss of the long-run variance (a flat-top window; Politis
and Romano 1995, Journal of Time Series Analysis 16). It scales the statistic, in the stretch and in each permutation
alike, so the noise of that estimate is in the null law too. Without mixing (the setting of the theory) no such test
can exist; a p-value is then a measure of clearness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.scan import Scale, distances, scale_of, scores, windows_over

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.scan import Windows

Array = np.ndarray[Any, Any]

MOST = 199
"""Permutations at most."""
FEW = 19
"""Permutations after which a split far beyond all of them is taken as it is."""
ENOUGH = 10
"""Permutations at least as clear as the stretch after which no more are drawn (Besag and Clifford 1991)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The clearest split of a stretch."""

    place: int
    """The first step after it."""
    window: tuple[int, int]
    """The steps of the window in which it is clearest."""
    score: float
    """Its normal score, the largest over windows and cells."""


def clearest(blocks: Blocks, least: int) -> Split | None:
    """The clearest split of the blocks, or None where nothing can be split.

    Args:
        blocks: The stretch.
        least: The least number of blocks on either side.
    """
    if not len(blocks.cells) or blocks.count < 2 * least:
        return None
    windows, scale = windows_over(blocks.count, least), scale_of(blocks)
    penalty = np.repeat(windows.penalty, np.diff(windows.sizes, append=len(windows.start)))
    found = scores(distances(blocks.grams, windows, scale.mean), scale.freedom, penalty).max(axis=1)
    best = int(found.argmax())
    edges = blocks.edges
    return Split(
        place=int(edges[windows.split[best]]),
        window=(int(edges[windows.start[best]]), int(edges[windows.end[best]])),
        score=float(found[best]),
    )


def p_value(blocks: Blocks, least: int, score: float, generator: np.random.Generator, *, most: int = MOST) -> float:
    """How often blocks in random order have a split as clear as ``score``.

    Permutations stop once `ENOUGH` were as clear, or once the Gumbel law fitted to the first `FEW` leaves no doubt.
    That law also gives p-values below what the permutations drawn can show.
    """
    windows, scale = windows_over(blocks.count, least), scale_of(blocks)
    drawn: list[float] = []
    exceeded = 0
    while len(drawn) < most:
        order = generator.permutation(blocks.count)
        drawn.append(_largest(blocks.grams[order[:, None], order], windows, scale))
        exceeded += drawn[-1] >= score
        if exceeded >= ENOUGH:
            return exceeded / len(drawn)
        if len(drawn) == FEW and _beyond(drawn, score) < 1e-4:
            break
    return _beyond(drawn, score) if exceeded <= 1 else (exceeded + 1) / (len(drawn) + 1)


def _largest(grams: Array, windows: Windows, scale: Scale) -> float:
    """The largest normal score over windows and cells."""
    largest = np.maximum.reduceat(distances(grams, windows, scale.mean), windows.sizes, axis=0)
    return float(scores(largest, scale.freedom, windows.penalty).max())


def _beyond(drawn: list[float], score: float) -> float:
    """P(maximum >= score) under the Gumbel law with the mean and spread of the maxima drawn."""
    spread = max(float(np.std(drawn, ddof=1)), 1e-9) * math.sqrt(6.0) / math.pi
    middle = float(np.mean(drawn)) - 0.5772156649 * spread
    return float(max(-math.expm1(-math.exp(min((middle - score) / spread, 50.0))), 1e-12))
