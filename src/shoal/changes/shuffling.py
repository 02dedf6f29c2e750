"""Random orders from a seed, the same on every machine, without `numpy.random`, whose import costs more than a search.

The keys that are sorted are splitmix64 (Steele, Lea and Flood 2014, OOPSLA) of a counter: 64 bits of which every one
depends on every bit of the counter and of the seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class Shuffler:
    """Draws permutations, each different from those before.

    Args:
        seed: Any whole number.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._start = int(_mixed(np.array([seed & _WORD], dtype=np.uint64))[0])
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
