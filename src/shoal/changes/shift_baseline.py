"""The level that a stream is expected at: a local line and two means, whose memory grows with the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.changes.shift_state import (
    EVIDENCE,
    HELD,
    IN_A_ROW,
    JUMPED,
    LEVEL,
    LINE,
    MEAN,
    ORDER,
    PAGE,
    PAST,
    PHI,
    PREDICTION,
    REFERENCE,
    SHORT,
    SLOPE,
    SUSPECT,
    K,
    compiled,
)

if TYPE_CHECKING:
    from shoal.changes.shift_state import Array

WARM = 8
"""Values of a new baseline from which a jump is judged."""
LINE_SHARE = 8.0
"""The line remembers this part of the baseline."""
SHORT_SHARE = 12.0
"""The short mean remembers this part of the baseline."""
MAX_WINDOW = 5000.0
"""Steps of the longest memory."""


@compiled
def predict(state: Array) -> None:
    """The line at the next step, and the value that is expected there."""
    level = slope = 0.0
    if state[K] > 0.0:
        s0, s1, s2 = state[LINE], state[LINE + 1], state[LINE + 2]
        determinant = s0 * s2 - s1 * s1
        # Through fewer values than this a line goes anywhere.
        if state[K] >= WARM and determinant > 1e-9 * s0 * s0:
            slope = (s0 * state[LINE + 4] - s1 * state[LINE + 3]) / determinant
        # Places are counted back from the last value, and the line is wanted one step after it.
        level = (state[LINE + 3] - slope * s1) / s0 + slope
    state[LEVEL], state[SLOPE] = level, slope
    expected = level
    for lag in range(ORDER):
        if state[K] > lag:
            expected += state[PHI + lag] * (state[PAST + lag] - (level - slope * (lag + 1)))
    state[PREDICTION] = expected


@compiled
def window_of(state: Array, share: float) -> float:
    """Steps of a memory that grows with the baseline."""
    grown: float = min(max(state[K] / share, min(state[K], 8.0)), MAX_WINDOW)
    return grown


@compiled
def learn_baseline(state: Array, taken: float) -> None:
    """Add a value to the line and the means."""
    state[K] += 1.0
    kept = 1.0 - 1.0 / max(window_of(state, LINE_SHARE), 1.0) if state[K] > 8.0 else 1.0
    s0, s1, s2, t0, t1 = state[LINE], state[LINE + 1], state[LINE + 2], state[LINE + 3], state[LINE + 4]
    state[LINE] = kept * s0 + 1.0
    state[LINE + 1] = kept * (s1 - s0)
    state[LINE + 2] = kept * (s2 - 2.0 * s1 + s0)
    state[LINE + 3] = kept * t0 + taken
    state[LINE + 4] = kept * (t1 - t0)
    for sums in (MEAN, SHORT):
        kept = 1.0 - 1.0 / max(window_of(state, 2.0 if sums == MEAN else SHORT_SHARE), 1.0) if state[K] > 8.0 else 1.0
        state[sums + 2] = kept * (state[sums + 2] - state[sums])
        state[sums] = kept * state[sums] + 1.0
        state[sums + 1] = kept * state[sums + 1] + taken


@compiled
def forget_baseline(state: Array) -> None:
    """Begin the baseline and the evidence again; what is known of the noise stays."""
    state[K] = 0.0
    for place in range(5):
        state[LINE + place] = 0.0
    for place in range(6):
        state[MEAN + place] = 0.0
    for place in range(12):
        state[EVIDENCE + place] = state[PAGE + place] = 0.0
    state[IN_A_ROW] = state[JUMPED] = state[SUSPECT] = state[HELD] = 0.0
    for reference in range(3):
        state[REFERENCE + 4 * reference + 3] = 0.0
