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
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]

ORDER = 4
"""Steps back of the autoregression."""
CLIP = 3.0
"""Innovations beyond it count as this many standard deviations."""
WEIGHTS = np.array([0.08, 0.16, 0.32, 0.64])
"""w of the evidence: best for shifts of the innovations by (exp(3 w) - 1) / 3 = 0.09, 0.2, 0.5 and 1.9."""
BLOCKS = np.array([128.0, 32.0, 8.0, 2.0])
"""Steps over which each weight's evidence grows, about 1 / w^2."""
PSI = WEIGHTS**2 / 2.0 + WEIGHTS**3 / 4.0

NOTHING, JUMP, RISE, FALL = 0, 1, 2, 3

ALLOWANCE, FALL_ALLOWANCE = 2.0, 1.0
"""Standard errors of a reference that are allowed for; a fall below the trend is hardly ever simulated by the error of
the trend, since trainings slow down."""
SCALE_MARGIN = 1.05
"""The standard deviation is taken larger than it was seen: it is estimated."""
MAX_EXCESS = 6.0
"""Of an innovation over the quantile, for the tail."""
TAIL = 0.1
"""Share of innovations above the quantile from which the tail is extrapolated."""
NOTABLE = 2.0
"""A partial correlation counts where it is this many standard errors from zero."""
WARM = 8
"""Values of a new baseline from which a jump is judged."""
SETTLED = 32
"""Values of a new baseline from which evidence is collected."""
WAIT = 64
"""Steps after which a residual is learned from, at most: a slow rise must be suspect before it is taken for memory."""
SUSPICION = 20.0
"""Evidence W at which the noise, its tail and its short sums are no longer learned."""
SLOW = 32.0
"""Steps of sums that are always learned."""
STREAK, STREAK_SIZE = 3, 4.0
"""So many innovations in a row beyond this size, or half of that of a jump, are a new level: of independent normal ones
three are one time in 10^13, and of those with Student's t of five degrees one in 10^8."""
MAX_SUM = 0.98
"""Of the coefficients of the autoregression: at 1 it would take differences."""
LINE_SHARE = 8.0
"""The line remembers this part of the baseline."""
SHORT_SHARE = 12.0
"""The short mean remembers this part of the baseline."""
MAX_WINDOW = 5000.0
"""Steps of the longest memory."""

# Places in the array of the state; each is the first of its group.
N, K, T = 0, 1, 2  # values that the noise, and that the baseline, is learned from; values read
LINE = 3  # sums of the local line: weights, places, their squares, values, products
COV, COV_WEIGHT = 10, 15  # discounted sums of products of residuals at lags 0 to ORDER
RESIDUAL, PAST = 16, 20  # the last residuals and values, the newest first
PHI, SD = 24, 29
QUANTILE, EXCESS, EXCESS_COUNT = 30, 31, 32
IN_A_ROW, FLOOR, JUMPED = 33, 34, 35  # large innovations in a row, signed; the level before the last; whether reported
REFERENCE = 36  # level, slope, age and allowance of each of the three
EVIDENCE, START = 48, 60  # R, and where W last was 1: three references by four weights
INNOVATION, PREDICTION, LEVEL, SLOPE = 72, 73, 74, 75
SQUARES = 76  # of the excesses
PART, PART_LENGTH, BLOCK, BLOCK_COUNT, INFLATION = 80, 84, 88, 92, 96  # of the blocks of each weight
PAGE = 100  # W, of the references and weights
MEAN, SHORT = 117, 120  # sums of the two means: weights, values, places
BEGAN, LEFT = 114, 115  # of the last rise or fall: where its evidence began, and the level that was left
SUSPECT = 116  # the largest W of the last step
HELD, PUT, WAITING = 123, 124, 125  # residuals that are not learned from yet; those that were put in the ring
SIZE = 125 + 64

_compiled = njit(cache=True, nogil=True, error_model="numpy")


def fresh_state() -> Array:
    """The state before the first value."""
    state = np.zeros(SIZE)
    state[FLOOR] = np.inf
    # Those of normal innovations, for as long as there are few.
    state[QUANTILE] = 1.2816
    state[EXCESS], state[SQUARES], state[EXCESS_COUNT] = 0.4733 * 20, 2 * 0.4733**2 * 20, 20.0
    state[INFLATION : INFLATION + 4] = 1.0
    return state


@_compiled
def advance(state: Array, value: float, history: float, jump: float, rise: float, fall: float) -> int:
    """Take in one finite value.

    Args:
        state: of `fresh_state`; changed in place.
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
    _predict(state)
    innovation = 0.0
    if state[N] >= ORDER + 4.0:
        error = value - state[PREDICTION]
        innovation = error / state[SD] if state[SD] > 0.0 else (0.0 if error == 0.0 else math.copysign(1e9, error))
    state[INNOVATION] = innovation
    if state[N] >= history and state[K] >= WARM:
        limit = _tail_limit(state, jump)
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
                _learn_tail(state, innovation)
            _learn_blocks(state, min(max(innovation, -CLIP), CLIP))
            if state[K] >= SETTLED:
                found = _weigh(state, value, rise, fall)
        if found == NOTHING and abs(state[IN_A_ROW]) >= STREAK:
            found = RISE if state[IN_A_ROW] > 0.0 else FALL
            state[BEGAN] = state[T] - (STREAK - 1.0)
            state[LEFT] = state[LEVEL]
        if found >= RISE:
            state[FLOOR] = min(state[FLOOR], state[LEVEL])
            _forget_baseline(state)
    _learn(state, value, history)
    return found


@_compiled
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


@_compiled
def _predict(state: Array) -> None:
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


@_compiled
def _learn_tail(state: Array, innovation: float) -> None:
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


@_compiled
def _tail_limit(state: Array, log_steps: float) -> float:
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


@_compiled
def _learn_blocks(state: Array, innovation: float) -> None:
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


@_compiled
def _weigh(state: Array, value: float, rise: float, fall: float) -> int:
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


@_compiled
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


@_compiled
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


@_compiled
def _window(state: Array, share: float) -> float:
    """Steps of a memory that grows with the baseline."""
    grown: float = min(max(state[K] / share, min(state[K], 8.0)), MAX_WINDOW)
    return grown


@_compiled
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
        error = max(0.5 / _window(state, 2.0 if reference == 0 else SHORT_SHARE), 1.0 / known)
    state[place] = level
    state[place + 1] = slope
    state[place + 2] = 0.0
    state[place + 3] = (FALL_ALLOWANCE if reference == 2 else ALLOWANCE) * math.sqrt(error)


@_compiled
def _forget_baseline(state: Array) -> None:
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


@_compiled
def _learn(state: Array, value: float, history: float) -> None:
    """Add the value to baseline and noise."""
    fresh = state[K] == 0.0
    taken = value
    if state[N] >= history and not fresh and state[SD] > 0.0:
        bound = CLIP * state[SD]
        taken = state[PREDICTION] + min(max(value - state[PREDICTION], -bound), bound)
    # A shift that is under way would be learned as noise with a long memory, and its first steps as a trend; and a line
    # through the first values of a new baseline leaves more than noise.
    is_known = state[K] >= (2.0 * WARM if state[N] >= history else 1.0)
    if is_known and state[SUSPECT] < SUSPICION and state[IN_A_ROW] == 0.0:
        _wait_with_noise(state, taken - state[LEVEL])
    if state[IN_A_ROW] == 0.0:
        _learn_baseline(state, taken)
    for lag in range(ORDER - 1, 0, -1):
        state[PAST + lag] = state[PAST + lag - 1]
    state[PAST] = taken


@_compiled
def _learn_baseline(state: Array, taken: float) -> None:
    """Add a value to the line and the means."""
    state[K] += 1.0
    kept = 1.0 - 1.0 / max(_window(state, LINE_SHARE), 1.0) if state[K] > 8.0 else 1.0
    s0, s1, s2, t0, t1 = state[LINE], state[LINE + 1], state[LINE + 2], state[LINE + 3], state[LINE + 4]
    state[LINE] = kept * s0 + 1.0
    state[LINE + 1] = kept * (s1 - s0)
    state[LINE + 2] = kept * (s2 - 2.0 * s1 + s0)
    state[LINE + 3] = kept * t0 + taken
    state[LINE + 4] = kept * (t1 - t0)
    for sums in (MEAN, SHORT):
        kept = 1.0 - 1.0 / max(_window(state, 2.0 if sums == MEAN else SHORT_SHARE), 1.0) if state[K] > 8.0 else 1.0
        state[sums + 2] = kept * (state[sums + 2] - state[sums])
        state[sums] = kept * state[sums] + 1.0
        state[sums + 1] = kept * state[sums + 1] + taken


@_compiled
def _wait_with_noise(state: Array, residual: float) -> None:
    """Put a residual into the ring, and learn from those that have waited long enough."""
    wait = min(WAIT - 1.0, math.floor(state[K] / 4.0))
    # By a count of its own, since not every step puts one in.
    state[WAITING + int(state[PUT]) % WAIT] = residual
    state[PUT] += 1.0
    state[HELD] += 1.0
    while state[HELD] > wait:
        _learn_noise(state, state[WAITING + int(state[PUT] - state[HELD]) % WAIT])
        state[HELD] -= 1.0


@_compiled
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


@_compiled
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
