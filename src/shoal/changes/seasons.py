"""The season of a stream: a whole number of steps after which its level comes back.

A season is neither a change nor a memory that fades. Where it is taken for memory, blocks of about one period are as
many draws of one wave at drifting phases: in random orders that wave is noise, in the stream it cancels between the
pieces of any window, and the test is left with a size of .01. Blocks of whole periods hold the same of the season, so
what is left to permute is what is new (the generalized seasonal block bootstrap; Dudek, Leskow, Paparoditis and Politis
2014, Journal of Time Series Analysis 35).

A season shows as a line in the periodogram: one frequency that stands above those around it as a smooth spectrum does
not let it. Relative to the mean of 2m values of a spectrum that is flat there, the power at one frequency has an F
distribution with 2 and 2m degrees of freedom (Thomson 1982, Proceedings of the IEEE 70), whose tail is (1 + x / m)^-m.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

PERIODS = 12
"""Periods that a stream must have: phases are to be known, and there must be blocks to permute."""
CHANCE = 0.001
"""The share of streams without a season in which the clearest frequency passes for a line."""
AROUND = 16
"""Frequencies on either side that show how high the spectrum is around a line."""
LEAKED = 2
"""Frequencies on either side of a line that are not among those: a line between two frequencies leaks into them."""
OVERTONES = 3
"""A line may be one of the first overtones of the season."""
OFF = 0.75
"""A period has its line within this many frequencies of the clearest: half of one, and what noise moves it."""


def season_of(ranks: Array, known: Array, longest: int) -> int:
    """The period of the season, or 1 where there is none.

    Only the clearest line is looked at. Where that is slower than a season may be, the stream has a trend or pieces of
    a few levels, whose overtones are no seasons.

    Args:
        ranks: mid-ranks, of shape (n,).
        known: where they are known, of shape (n,).
        longest: the steps of a period at most.
    """
    n = len(ranks)
    if longest < 2:
        return 1
    values = np.where(known, ranks - ranks[known].mean(), 0.0)
    line = _clearest_line(values)
    for overtone in range(1, OVERTONES + 1) if line else ():
        first, last = (overtone * n / (line + side) for side in (OFF, -OFF))
        if first > longest:
            return 1
        periods = range(max(2, math.ceil(first)), int(last) + 1)
        if periods:
            best = max(periods, key=lambda period: float(phase_means(values, known, period) @ values))
            return best if best <= longest else 1
    return 1


def phase_means(values: Array, known: Array, period: int) -> Array:
    """The mean of the phase of each step, of shape (n,), 0 where a step is not known.

    Args:
        values: numbers, of shape (n,).
        known: where they are known, of shape (n,).
        period: the steps of a period.
    """
    phase = np.arange(len(values)) % period
    counts = np.bincount(phase[known], minlength=period)
    sums = np.bincount(phase[known], values[known], minlength=period)
    return np.asarray(np.where(known, (sums / np.maximum(counts, 1))[phase], 0.0))


def _clearest_line(values: Array) -> int:
    """The frequency of the clearest line, in waves over all of the values; 0 where none is clear."""
    power = np.abs(np.fft.rfft(values)[1:]) ** 2
    if len(power) <= 2 * AROUND:
        return 0
    sums, at = np.concatenate(([0.0], np.cumsum(power))), np.arange(len(power))

    def total(width: int) -> tuple[Array, Array]:
        low, high = np.maximum(at - width, 0), np.minimum(at + width + 1, len(power))
        return sums[high] - sums[low], high - low

    (wide, many), (close, few) = total(AROUND), total(LEAKED)
    around = many - few
    ratio = power / np.maximum((wide - close) / around, 1e-12 * sums[-1])
    # The tail of the F distribution at each frequency, Bonferroni over all of them.
    chance = -around * np.log1p(ratio / around)
    best = int(chance.argmin())
    return best + 1 if chance[best] < np.log(CHANCE / len(power)) else 0
