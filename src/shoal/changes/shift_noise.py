"""The noise about the level: an autoregression of what the line leaves, learned late (Levinson and Durbin)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.changes.shift_baseline import MAX_WINDOW
from shoal.changes.shift_state import (
    BLOCK,
    BLOCK_COUNT,
    COV,
    COV_WEIGHT,
    HELD,
    INFLATION,
    ORDER,
    PART,
    PART_LENGTH,
    PHI,
    PUT,
    RESIDUAL,
    SD,
    WAITING,
    K,
    N,
    compiled,
    forget_tail,
)

if TYPE_CHECKING:
    from shoal.changes.shift_state import Array

SCALE_MARGIN = 1.05
"""The standard deviation is taken larger than it was seen: it is estimated."""
NOTABLE = 2.0
"""A partial correlation counts where it is this many standard errors from zero."""
WAIT = 64
"""Steps after which a residual is learned from, at most: a slow rise must be suspect before it is taken for memory."""
MAX_PARTIAL = 0.999
"""Of a partial correlation that was estimated as 1 or more."""
MAX_SUM = 0.98
"""Of the coefficients of the autoregression: at 1 it would take differences."""


@compiled
def wait_with_noise(state: Array, residual: float) -> None:
    """Put a residual into the ring, and learn from those that have waited long enough."""
    wait = min(WAIT - 1.0, math.floor(state[K] / 4.0))
    # By a count of its own, since not every step puts one in.
    state[WAITING + int(state[PUT]) % WAIT] = residual
    state[PUT] += 1.0
    state[HELD] += 1.0
    while state[HELD] > wait:
        _learn_noise(state, state[WAITING + int(state[PUT] - state[HELD]) % WAIT])
        state[HELD] -= 1.0


@compiled
def forget_noise(state: Array) -> None:
    """Begin to learn the noise, its tail and its short sums again."""
    state[N] = state[SD] = state[COV_WEIGHT] = state[HELD] = 0.0
    for lag in range(ORDER):
        state[COV + lag] = state[RESIDUAL + lag] = state[PHI + lag] = 0.0
    state[COV + ORDER] = 0.0
    forget_tail(state)
    for weight in range(4):
        state[PART + weight] = state[PART_LENGTH + weight] = 0.0
        state[BLOCK + weight] = state[BLOCK_COUNT + weight] = 0.0
        state[INFLATION + weight] = 1.0


@compiled
def _learn_noise(state: Array, residual: float) -> None:
    """Add a residual to the autocovariances, and solve for the autoregression (Levinson and Durbin)."""
    state[N] += 1.0
    window = min(max(state[N] / 3.0, 8.0), MAX_WINDOW)
    kept = 1.0 - 1.0 / window
    state[COV_WEIGHT] = kept * state[COV_WEIGHT] + 1.0
    state[COV] = kept * state[COV] + residual * residual
    for lag in range(ORDER):
        state[COV + lag + 1] = kept * state[COV + lag + 1] + residual * state[RESIDUAL + lag]
    for lag in range(ORDER - 1, 0, -1):
        state[RESIDUAL + lag] = state[RESIDUAL + lag - 1]
    state[RESIDUAL] = residual
    _solve_noise(state, min(state[N], 2.0 * window))


@compiled
def _solve_noise(state: Array, known: float) -> None:
    """The autoregression of the autocovariances, which were seen over ``known`` values (Levinson and Durbin)."""
    variance = state[COV] / state[COV_WEIGHT]
    left = variance
    for lag in range(ORDER):
        state[PHI + lag] = 0.0
    for order in range(ORDER):
        if left <= 1e-12 * variance or variance <= 0.0:
            break
        partial = state[COV + order + 1] / state[COV_WEIGHT]
        for lag in range(order):
            partial -= state[PHI + lag] * state[COV + order - lag] / state[COV_WEIGHT]
        partial /= left
        if abs(partial) < NOTABLE / math.sqrt(known):
            continue
        # Sums that are discounted, of residuals that fall steeply, can give more than 1, which no stationary noise has:
        # the innovations would be left without a variance, and every later value be a jump.
        if abs(partial) >= 1.0:
            partial = math.copysign(MAX_PARTIAL, partial)
        # In pairs from both ends, so that no second array is needed.
        for lag in range((order + 1) // 2):
            other = order - 1 - lag
            near, far = state[PHI + lag], state[PHI + other]
            state[PHI + lag] = near - partial * far
            state[PHI + other] = far - partial * near
        state[PHI + order] = partial
        left *= 1.0 - partial * partial
    total = 0.0
    for lag in range(ORDER):
        total += state[PHI + lag]
    if total > 0.0:
        # A memory taken for shorter than it is leaves slow waves that look like shifts: Kendall's correction of the
        # bias, and two standard errors.
        more = (1.0 + 3.0 * total) / known + 2.0 * math.sqrt(left / variance / known)
        state[PHI] += more
        total += more
        if total > MAX_SUM:
            for lag in range(ORDER):
                state[PHI + lag] *= MAX_SUM / total
    state[SD] = SCALE_MARGIN * math.sqrt(max(left, 0.0))
