"""The evidence that the level has left a reference; the theory stands in `shift_kernel`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.changes.shift_baseline import SHORT_SHARE, window_of
from shoal.changes.shift_state import (
    BEGAN,
    BLOCK,
    BLOCK_COUNT,
    EVIDENCE,
    FLOOR,
    INFLATION,
    LEFT,
    MEAN,
    ORDER,
    PAGE,
    PART,
    PART_LENGTH,
    PAST,
    PHI,
    REFERENCE,
    SD,
    SHORT,
    START,
    SUSPECT,
    K,
    T,
    compiled,
)

if TYPE_CHECKING:
    from shoal.changes.shift_state import Array

NOTHING, JUMP, RISE, FALL = 0, 1, 2, 3
"""What a step has found."""
CLIP = 3.0
"""Innovations beyond it count as this many standard deviations."""
WEIGHTS = np.array([0.08, 0.16, 0.32, 0.64])
"""w of the evidence: best for shifts of the innovations by (exp(3 w) - 1) / 3 = 0.09, 0.2, 0.5 and 1.9."""
BLOCKS = np.array([128.0, 32.0, 8.0, 2.0])
"""Steps over which each weight's evidence grows, about 1 / w^2."""
PSI = WEIGHTS**2 / 2.0 + WEIGHTS**3 / 4.0
ALLOWANCE, FALL_ALLOWANCE = 2.0, 1.0
"""Standard errors of a reference that are allowed for; a fall below the trend is hardly ever simulated by the error of
the trend, since trainings slow down."""
SUSPICION = 20.0
"""Evidence W at which the noise, its tail and its short sums are no longer learned."""
SLOW = 32.0
"""Steps of sums that are always learned."""


@compiled
def weigh(state: Array, value: float, rise: float, fall: float) -> int:
    """Add the value to the evidence about each reference, and renew those that there is none about."""
    risen = fallen = strongest = 0.0
    for reference in range(3):
        place = REFERENCE + 4 * reference
        if state[place + 3] == 0.0:
            _renew(state, reference)
        state[place + 2] += 1.0
        largest = 0.0
        error = _reference_error(state, value, reference)
        for weight in range(len(WEIGHTS)):
            at = 4 * reference + weight
            gain = math.exp(WEIGHTS[weight] * error / math.sqrt(state[INFLATION + weight]) - PSI[weight])
            if state[PAGE + at] <= 1.0:
                state[PAGE + at] = 1.0
                state[START + at] = state[T]
            state[PAGE + at] *= gain
            state[EVIDENCE + at] = (1.0 + state[EVIDENCE + at]) * gain
            largest = max(largest, state[PAGE + at])
            if reference == 2:
                fallen += state[EVIDENCE + at] / len(WEIGHTS)
            else:
                risen += state[EVIDENCE + at] / (2.0 * len(WEIGHTS))
        # A reference that is old beside the baseline is renewed too, with the evidence kept: it was learned from few
        # values, and evidence holds for any reference that is chosen before the value.
        if largest <= 1.0 or state[place + 2] > max(64.0, state[K] / 3.0):
            _renew(state, reference)
        strongest = max(strongest, largest)
    state[SUSPECT] = strongest
    if risen >= rise:
        _note(state, 0, 8)
        return RISE
    if fallen >= fall:
        _note(state, 8, 12)
        return FALL
    return NOTHING


@compiled
def _note(state: Array, first: int, stop: int) -> None:
    """Note where the evidence about some references began, and the level that the strongest of them says was left."""
    best = first
    for at in range(first, stop):
        if state[PAGE + at] > state[PAGE + best]:
            best = at
    place = REFERENCE + 4 * (best // 4)
    # Of the weights with much evidence the one that begins last: small ones begin at the first hint of a slow shift.
    state[BEGAN] = state[START + best]
    for at in range(first, stop):
        if state[PAGE + at] ** 2 > state[PAGE + best]:
            state[BEGAN] = max(state[BEGAN], state[START + at])
    state[LEFT] = state[place] + state[place + 1] * state[place + 2]


@compiled
def _reference_error(state: Array, value: float, reference: int) -> float:
    """The innovation about a reference, clipped, less what is allowed for; positive where the level has left it."""
    place = REFERENCE + 4 * reference
    slope = state[place + 1]
    line = state[place] + slope * state[place + 2]
    error = value - line
    for lag in range(ORDER):
        error -= state[PHI + lag] * (state[PAST + lag] - line + slope * (lag + 1))
    error = error / state[SD] if state[SD] > 0.0 else 0.0
    # Sums that vary more over 128 steps than independent ones do so still more over longer times.
    allowance = state[place + 3] * state[INFLATION]
    if reference == 2:
        error = -error
        # An extrapolated line is the less certain the longer it is.
        allowance *= 1.0 + 2.5 * state[place + 2] / state[K]
    left: float = min(max(error, -CLIP), CLIP) - allowance
    return left


@compiled
def _renew(state: Array, reference: int) -> None:
    """Take the present baseline as the reference: the mean, the line's end, or the line itself."""
    place = REFERENCE + 4 * reference
    known = max(state[K], 1.0)
    slope = 0.0
    if reference == 2:
        # The line through both means: it follows slowly, so that a fall that begins gently is not learned meanwhile.
        short, lag = state[SHORT + 1] / state[SHORT], -state[SHORT + 2] / state[SHORT]
        lead = -state[MEAN + 2] / state[MEAN] - lag
        slope = min((short - state[MEAN + 1] / state[MEAN]) / lead, 0.0) if lead > 0.5 else 0.0
        level = short + slope * (lag + 1.0)
        error = 8.0 / known
        # A fall is one below what was reached before the last jump.
        if level > state[FLOOR]:
            level = state[FLOOR]
            slope = 0.0
    else:
        # Means, not the end of the line: a falling stream lies below its mean, so that its curvature is no rise.
        sums = MEAN if reference == 0 else SHORT
        level = state[sums + 1] / state[sums]
        error = max(0.5 / window_of(state, 2.0 if reference == 0 else SHORT_SHARE), 1.0 / known)
    state[place] = level
    state[place + 1] = slope
    state[place + 2] = 0.0
    state[place + 3] = (FALL_ALLOWANCE if reference == 2 else ALLOWANCE) * math.sqrt(error)


@compiled
def learn_blocks(state: Array, innovation: float) -> None:
    """How much more sums over blocks vary than sums of independent innovations would."""
    for weight in range(len(WEIGHTS)):
        length = BLOCKS[weight]
        # A shift that is under way would hide itself in short sums; a slow wave shows in the long ones alone.
        if length < SLOW and state[SUSPECT] >= SUSPICION:
            continue
        state[PART + weight] += innovation
        state[PART_LENGTH + weight] += 1.0
        if state[PART_LENGTH + weight] < length:
            continue
        # The steep beginning of a training is soon forgotten.
        kept = 1.0 - 1.0 / min(max(state[T] / length / 3.0, 4.0), 64.0)
        total = state[PART + weight]
        state[BLOCK + weight] = kept * state[BLOCK + weight] + total * total / length
        state[BLOCK_COUNT + weight] = kept * state[BLOCK_COUNT + weight] + 1.0
        state[PART + weight] = state[PART_LENGTH + weight] = 0.0
        seen = state[BLOCK_COUNT + weight]
        ratio = state[BLOCK + weight] / seen * (1.0 + 0.5 * math.sqrt(2.0 / seen))
        state[INFLATION + weight] = max(1.0, ratio)
