"""A memory that fades: the autocorrelation A phi^k, and the length of blocks that it asks for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEAST = 3
"""Steps of a block at least."""
BELIEVED = 26.0
"""Blocks are so many times as long as they would be to be wholly correlated with their neighbours."""


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
        """The correlation of the sums of two neighbouring blocks of so many steps."""
        steps = np.arange(1, 2 * width)
        kept = self.share * self.decay**steps
        within = width + 2.0 * float(((width - steps[:width]) * kept[:width]).sum())
        return float((np.minimum(steps, 2 * width - steps) * kept).sum()) / within

    @property
    def steps(self) -> int:
        """The length of blocks whose neighbours are correlated by 1/26."""
        return max(LEAST, round(BELIEVED * self.reach))


NONE = Decay(0.0, 0.0)
