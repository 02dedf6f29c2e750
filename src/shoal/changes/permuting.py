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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.scan import distances, freedom_of, scores, windows_over

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.shuffling import Shuffler

Array = np.ndarray[Any, Any]

MOST = 199
"""Permutations at most."""
CERTAIN = {9: 0.00001, 19: 0.002, 49: 0.02, 99: 0.1}
"""After so many permutations, none as clear as the stretch, a p-value below this share of the level is believed."""
ENOUGH = 6
"""Permutations at least as clear as the stretch after which no more are drawn (Besag and Clifford 1991)."""


class Split(NamedTuple):
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
    if not len(blocks.words) or blocks.count < max(2 * least, 4):
        return None
    windows = windows_over(blocks.count, least)
    penalty = np.repeat(windows.penalty, np.diff(windows.sizes, append=len(windows.start)))
    freedom = freedom_of(blocks.grams, blocks.words)
    found = scores(distances(blocks.grams, windows, _least(blocks)), freedom, penalty).max(axis=1)
    best = int(found.argmax())
    edges = blocks.edges
    return Split(
        place=int(edges[windows.split[best]]),
        window=(int(edges[windows.start[best]]), int(edges[windows.end[best]])),
        score=float(found[best]),
    )


def p_value(blocks: Blocks, least: int, score: float, shuffler: Shuffler, *, level: float, most: int = MOST) -> float:
    """How often blocks in random order have a split as clear as ``score``.

    No more permutations are drawn once it is plain on which side of ``level`` the p-value lies: when `ENOUGH` were as
    clear, or so many that it must be above, or when the Gumbel law fitted to those drawn leaves no doubt that it is
    below. That law also gives p-values smaller than the permutations drawn can show.

    Args:
        blocks: The stretch.
        least: The least number of blocks on either side of a split.
        score: From `clearest`.
        shuffler: What permutations are drawn from.
        level: The level that matters.
        most: Permutations at most.
    """
    windows, believed = windows_over(blocks.count, least), _least(blocks)
    enough = max(1, min(ENOUGH, math.ceil(level * (most + 1))))
    drawn: list[float] = []
    exceeded = 0
    while len(drawn) < most:
        order = shuffler.permutation(blocks.count)
        grams = blocks.grams.take(order, axis=0).take(order, axis=1)
        ratios, freedom = distances(grams, windows, believed), freedom_of(grams, blocks.words)
        largest = np.maximum.reduceat(ratios, windows.sizes, axis=0)
        drawn.append(float(scores(largest, freedom, windows.penalty).max()))
        exceeded += drawn[-1] >= score
        if exceeded >= enough:
            return exceeded / len(drawn)
        share = 0.0 if exceeded else CERTAIN.get(len(drawn), 0.0)
        if share and _beyond(drawn, score) < share * level:
            break
    return _beyond(drawn, score) if exceeded <= 1 else (exceeded + 1) / (len(drawn) + 1)


def _least(blocks: Blocks) -> Array:
    """Half the variance that independent words would have; less is taken for that."""
    return np.asarray(0.5 * (blocks.words - 1) * np.diff(blocks.edges).mean(), dtype=np.float32)


def _beyond(drawn: list[float], score: float) -> float:
    """P(maximum >= score) under the Gumbel law with the mean and spread of the maxima drawn."""
    if len(drawn) < 2:
        return 1.0
    spread = max(float(np.std(drawn, ddof=1)), 1e-9) * math.sqrt(6.0) / math.pi
    middle = float(np.mean(drawn)) - 0.5772156649 * spread
    return float(max(-math.expm1(-math.exp(min((middle - score) / spread, 50.0))), 1e-12))
