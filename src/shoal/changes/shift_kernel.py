"""The step of a `ShiftDetector`, compiled by Numba: trend, noise, and the evidence of a shift, in one array of floats.

The stream is x_t = m_t + noise, where the level m_t moves slowly. A step

1. predicts x_t from a local line and an autoregression of what the line leaves, and divides the error by its standard
   deviation: the innovation z_t;
2. compares z_t with the tail of the innovations before it (a jump);
3. weighs, for each reference that the level may have left, the innovation about the reference;
4. learns from the value, pulled to within `CLIP` standard deviations of its prediction.

**Evidence.** Let e_t be the innovation about a reference, clipped to [-c, c], and d its allowance. While the level has
not left the reference, g_t = exp(w (e_t - d) - psi(w)) with psi(w) = w^2/2 + w^3/4 has conditional mean at most 1 for
innovations of conditional mean at most d, standard deviation at most 1 and third moment at most 1.5. Then
R_t = (1 + R_{t-1}) g_t has R_t - t as a supermartingale, and so has a mixture of such R with weights that add up to 1:
the mean time until it first reaches A is at least A (the e-detector of Shiryaev and Roberts's kind: Shin, Ramdas and
Rinaldo 2024, New England Journal of Statistics in Data Science, definition 2.3; Pollak 1987). Page's
W_t = max(1, W_{t-1}) g_t (1954) says where the evidence began, and whether there is any.

**References.** A level that is learned is uncertain. For an autoregression the error of a mean over n steps, in
standard deviations of the innovations and after the autoregression is taken off, is about 1/sqrt(n) whatever the
coefficients are; the allowance is a multiple of it. While evidence grows its reference stands still, so that a shift is
not learned as the new normal; it is renewed where there is no evidence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.changes.shift_baseline import WARM, forget_baseline, learn_baseline, predict
from shoal.changes.shift_evidence import CLIP, FALL, JUMP, NOTHING, RISE, SUSPICION, learn_blocks, weigh
from shoal.changes.shift_noise import forget_noise, wait_with_noise
from shoal.changes.shift_state import (
    BEGAN,
    FLOOR,
    HASTY,
    IN_A_ROW,
    INNOVATION,
    JUMPED,
    LEFT,
    LEVEL,
    ORDER,
    PAST,
    PREDICTION,
    SD,
    SUSPECT,
    K,
    N,
    T,
    compiled,
)
from shoal.changes.shift_tail import learn_tail, tail_limit

if TYPE_CHECKING:
    from shoal.changes.shift_state import Array

SETTLED = 32
"""Values of a new baseline from which evidence is collected."""
STREAK, STREAK_SIZE = 3, 4.0
"""So many innovations in a row beyond this size, or half of that of a jump, are a new level: of independent normal ones
three are one time in 10^13, and of those with Student's t of five degrees one in 10^8."""


@compiled
def advance(state: Array, value: float, history: float, jump: float, rise: float, fall: float) -> int:
    """Take in one finite value.

    Args:
        state: see `shift_state`; changed in place.
        value: the next of the stream.
        history: values that are only learned from.
        jump: mean number of steps between false jumps, its natural logarithm.
        rise: mean number of steps between false rises.
        fall: mean number of steps between false falls.

    Returns:
        `NOTHING`, `JUMP`, `RISE` or `FALL`.
    """
    found = NOTHING
    state[T] += 1.0
    predict(state)
    innovation = 0.0
    if state[N] >= ORDER + 4.0:
        error = value - state[PREDICTION]
        innovation = error / state[SD] if state[SD] > 0.0 else (0.0 if error == 0.0 else math.copysign(1e9, error))
    state[INNOVATION] = innovation
    if state[N] >= history and state[K] >= WARM:
        limit = tail_limit(state, jump)
        if abs(innovation) > max(STREAK_SIZE, 0.5 * limit):
            # Signed: a jump down after one up is its end, and not its second step.
            side = 1.0 if innovation > 0.0 else -1.0
            state[IN_A_ROW] = side + (state[IN_A_ROW] if state[IN_A_ROW] * side > 0.0 else 0.0)
        else:
            state[IN_A_ROW] = state[JUMPED] = 0.0
        if abs(innovation) > limit:
            if innovation > 0.0 and state[JUMPED] == 0.0:
                state[JUMPED] = 1.0
                found = JUMP
        else:
            if state[SUSPECT] < SUSPICION:
                learn_tail(state, innovation)
            learn_blocks(state, min(max(innovation, -CLIP), CLIP))
            if state[K] >= SETTLED:
                found = weigh(state, value, rise, fall)
        if found == NOTHING and abs(state[IN_A_ROW]) >= STREAK:
            found = RISE if state[IN_A_ROW] > 0.0 else FALL
            state[BEGAN] = state[T] - (STREAK - 1.0)
            state[LEFT] = state[LEVEL]
        if found >= RISE:
            if state[K] < SETTLED:
                # A second level that is left before it has settled: the noise was learned from what was smoother.
                if state[HASTY] > 0.0:
                    forget_noise(state)
                state[HASTY] = 1.0
            else:
                state[HASTY] = 0.0
            state[FLOOR] = min(state[FLOOR], state[LEVEL])
            forget_baseline(state)
    _learn(state, value, history)
    return found


@compiled
def advance_until(
    state: Array, values: Array, history: float, jump: float, rise: float, fall: float
) -> tuple[int, int]:
    """Take in values in order, up to the first that raises something.

    Args:
        state: as the rest in `advance`.
        values: of shape (n,), finite.
        history: as in `advance`.
        jump: as in `advance`.
        rise: as in `advance`.
        fall: as in `advance`.

    Returns:
        How many were taken in, and what the last of them raised.
    """
    for place in range(len(values)):
        found = advance(state, values[place], history, jump, rise, fall)
        if found != NOTHING:
            return place + 1, found
    return len(values), NOTHING


@compiled
def _learn(state: Array, value: float, history: float) -> None:
    """Add the value to baseline and noise."""
    fresh = state[K] == 0.0
    taken = value
    if state[N] >= history and not fresh and state[SD] > 0.0:
        bound = CLIP * state[SD]
        taken = state[PREDICTION] + min(max(value - state[PREDICTION], -bound), bound)
    # A shift that is under way would be learned as noise with a long memory, and its first steps as a trend; and a line
    # through the first values of a new baseline leaves more than noise.
    # Noise of which nothing is known yet, as behind a stream that stood still, is learned at once.
    is_known = state[K] >= (2.0 * WARM if state[N] >= history and state[SD] > 0.0 else 1.0)
    if is_known and state[SUSPECT] < SUSPICION and state[IN_A_ROW] == 0.0:
        wait_with_noise(state, taken - state[LEVEL])
    if state[IN_A_ROW] == 0.0:
        learn_baseline(state, taken)
    for lag in range(ORDER - 1, 0, -1):
        state[PAST + lag] = state[PAST + lag - 1]
    state[PAST] = taken
