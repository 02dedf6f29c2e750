"""The tail of the innovations: from where on one is a jump."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.changes.shift_baseline import MAX_WINDOW
from shoal.changes.shift_state import EXCESS, EXCESS_COUNT, QUANTILE, SQUARES, N, compiled

if TYPE_CHECKING:
    from shoal.changes.shift_state import Array

TAIL = 0.1
"""Share of innovations above the quantile from which the tail is extrapolated."""
MAX_EXCESS = 6.0
"""Of an innovation over the quantile, for the tail."""


@compiled
def learn_tail(state: Array, innovation: float) -> None:
    """Move the quantile by one value (stochastic approximation), and add to the excesses above it."""
    gain = max(5.0 / (state[N] + 50.0), 0.001)
    above = innovation > state[QUANTILE]
    state[QUANTILE] += gain * ((1.0 if above else 0.0) - TAIL)
    if above:
        kept = 1.0 - 1.0 / (MAX_WINDOW * TAIL)
        # Bounded, since the squares of a few would decide the tail.
        excess = min(innovation - state[QUANTILE], MAX_EXCESS)
        state[EXCESS] = kept * state[EXCESS] + excess
        state[SQUARES] = kept * state[SQUARES] + excess * excess
        state[EXCESS_COUNT] = kept * state[EXCESS_COUNT] + 1.0


@compiled
def tail_limit(state: Array, log_steps: float) -> float:
    """The innovation that is exceeded once in exp(log_steps) steps, by a generalised Pareto tail.

    Its shape and scale come from mean and variance of the excesses (Hosking and Wallis 1987); an exponential tail is
    the lightest that is taken.
    """
    mean = max(state[EXCESS] / state[EXCESS_COUNT], 0.2)
    variance = max(state[SQUARES] / state[EXCESS_COUNT] - mean * mean, 1e-12)
    shape = 0.5 * (1.0 - mean * mean / variance)
    # An estimate of few excesses, raised by a standard error.
    shape = min(shape + 0.5 / math.sqrt(state[EXCESS_COUNT]), 0.45)
    steps = log_steps + math.log(TAIL)
    limit: float = state[QUANTILE] + mean * steps
    if shape > 0.01:
        limit = state[QUANTILE] + mean * (1.0 - shape) * (math.exp(shape * steps) - 1.0) / shape
    return limit
