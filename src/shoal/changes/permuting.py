"""How often chance does as well: a statistic of a stretch against the same with its blocks in random order.

Assumption: the stretch is mixing, so that blocks much longer than its memory are nearly exchangeable where nothing
changes. Without mixing (the setting of the theory) no such test can exist; a p-value is then a measure of clearness.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.changes.shuffling import Shuffler

    Statistic = Callable[[np.ndarray[Any, Any]], float]
    """What the blocks are worth in an order."""

MOST = 199
"""Permutations at most."""
CERTAIN = {9: 0.00001, 19: 0.002, 49: 0.02, 99: 0.1}
"""After so many permutations, none as clear as the stretch, a p-value below this share of the level is believed."""
ENOUGH = 6
"""Permutations at least as clear as the stretch after which no more are drawn (Besag and Clifford 1991)."""


def p_value(statistic: Statistic, count: int, observed: float, shuffler: Shuffler, *, alpha: float) -> float:
    """How often blocks in random order are worth as much as ``observed``.

    No more permutations are drawn once it is plain on which side of ``alpha`` the p-value lies: when `ENOUGH` were as
    clear, or so many that it must be above, or when the Gumbel law fitted to those drawn leaves no doubt that it is
    below. That law also gives p-values smaller than the permutations drawn can show.

    Args:
        statistic: What blocks in an order are worth; the clearer a change, the more.
        count: The number of blocks.
        observed: What they are worth in their own order.
        shuffler: What permutations are drawn from.
        alpha: The level that matters.
    """
    enough = max(1, min(ENOUGH, math.ceil(alpha * (MOST + 1))))
    drawn: list[float] = []
    exceeded = 0
    while len(drawn) < MOST:
        drawn.append(statistic(shuffler.permutation(count)))
        exceeded += drawn[-1] >= observed
        if exceeded >= enough:
            return exceeded / len(drawn)
        share = 0.0 if exceeded else CERTAIN.get(len(drawn), 0.0)
        if share and _beyond(drawn, observed) < share * alpha:
            break
    return _beyond(drawn, observed) if exceeded <= 1 else (exceeded + 1) / (len(drawn) + 1)


def _beyond(drawn: list[float], observed: float) -> float:
    """P(maximum >= observed) under the Gumbel law with the mean and spread of the maxima drawn."""
    if len(drawn) < 2:
        return 1.0
    spread = max(float(np.std(drawn, ddof=1)), 1e-9) * math.sqrt(6.0) / math.pi
    middle = float(np.mean(drawn)) - 0.5772156649 * spread
    return float(max(-math.expm1(-math.exp(min((middle - observed) / spread, 50.0))), 1e-12))
