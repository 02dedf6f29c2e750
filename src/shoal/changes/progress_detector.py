"""Whether a falling stream, such as the loss of a training, still falls: the end of progress, tested as it comes in.

**What is claimed.** Let F be the fall of the stream since its beginning, and D how far it has fallen in the second half
of what was read since the last restart. Progress has ended where no descent is seen (the estimate of D is within its
standard error, or below 2% of F) and none of ``min_progress`` x F can be hidden in the noise, by an upper confidence
bound of D. A stream that has not fallen has no progress to end.

**Its error.** There is a test at steps n_1 < n_2 < ..., each a tenth after the last, at the level (n_k - n_{k-1}) / A.
So while D is at least min_progress x F, the mean number of claims in any n steps is at most n / A (the sum of the
levels): at most one per A steps.

**Its noise.** The values are kept as at most 128 means of equal numbers of steps; where there would be more, neighbours
are joined. The slope of the last ones is that of least squares, with the standard error of an autoregression of order
one, whose coefficient is freed of its bias (Kendall 1954) and raised by a standard error. Memory and time per step are
O(1); a test takes O(128).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, np.dtype[np.float64]]

MAX_BLOCKS = 128
"""Means that are kept."""
MIN_STEPS = 96
"""Steps since a restart before the first test: a slope through fewer is hardly ever known well enough."""
GROWTH = 1.1
"""From one test to the next."""
FIRST_VALUES = 16
"""The mean of so many first values is where a stream begins."""
MAX_LEVEL = 0.05
"""Of a test, however long the time since the one before."""
NO_PROGRESS = 0.02
"""Of the fall: a descent of this share, or one within its standard error, is none that is seen."""
ESTABLISHED = 4.0
"""Standard errors by which a stream must have fallen before its progress can end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEnd:
    """A stream that no longer falls as it did."""

    time: int
    """The step at which it was seen, counted from 0 from the start of the stream."""

    place: int
    """About where it became flat: the knot of the best line that is flat behind it."""

    level: float
    """Where it is now: the mean of the second half."""

    fall: float
    """How far it had fallen since its beginning."""

    descent: float
    """How far it has fallen in the second half of the steps since the last restart."""

    bound: float
    """The upper confidence bound of that."""

    steps: int
    """Of that half."""


class _Trend(NamedTuple):
    """A line through means."""

    slope: float
    error: float
    """Standard error of the slope."""

    freedom: float
    """Independent values, about, less two."""

    level: float
    level_error: float


class ProgressDetector:
    """Tells the end of progress of a falling stream of numbers.

    Args:
        mean_run_length: mean number of steps from one false claim to the next.
        min_progress: progress of this share of the whole fall, in half of the steps since the last restart, must be
            excluded before an end is claimed.
        min_steps: since the last restart, before the first test; at least 96.

    Raises:
        UsageError: ``mean_run_length`` is no number above 1, ``min_progress`` none between 0 and 1, or ``min_steps`` no
            whole number.
    """

    def __init__(
        self, mean_run_length: float = 100_000, *, min_progress: float = 0.2, min_steps: int = MIN_STEPS
    ) -> None:
        given: Any = (mean_run_length, min_progress, min_steps)
        if not (isinstance(given[0], Real) and 1 < mean_run_length < math.inf):
            raise UsageError(f"mean_run_length is a number of steps above 1; got {mean_run_length!r}")
        if not (isinstance(given[1], Real) and 0 < min_progress < 1):
            raise UsageError(f"min_progress is a share of the fall between 0 and 1; got {min_progress!r}")
        if not isinstance(given[2], Integral):
            raise UsageError(f"min_steps is a whole number of steps; got {min_steps!r}")
        self._length, self._min_progress = float(mean_run_length), float(min_progress)
        self._min_steps = max(MIN_STEPS, int(min_steps))
        self.time = 0
        """Values read."""
        self._first_sum, self._first_count = 0.0, 0
        self._begin()

    def _begin(self) -> None:
        self._blocks: list[float] = []
        self._block_length, self._part, self._part_length = 1, 0.0, 0
        self._read, self._tested, self._next = 0, 0, self._min_steps

    def restart(self, *, keep_fall: bool = True) -> None:
        """Forget what was read: the stream is another one from here on, at another learning rate or after a jump.

        Args:
            keep_fall: whether its fall is still counted from the beginning; otherwise from the next value.
        """
        self._begin()
        if not keep_fall:
            self._first_sum, self._first_count = 0.0, 0

    def update(self, value: float) -> ProgressEnd | None:
        """Take in one value; what was found, if a test is due at it and finds that progress has ended.

        Args:
            value: a finite number.

        Raises:
            DataError: it is not a finite number.
        """
        given: Any = value
        if not (isinstance(given, Real) and math.isfinite(given)):
            raise DataError(f"a progress detector reads finite numbers; got {value!r} at step {self.time}")
        self.time += 1
        if self._first_count < FIRST_VALUES:
            self._first_sum += value
            self._first_count += 1
        self._read += 1
        self._part += value
        self._part_length += 1
        if self._part_length == self._block_length:
            self._blocks.append(self._part / self._block_length)
            self._part, self._part_length = 0.0, 0
            if len(self._blocks) == MAX_BLOCKS:
                pairs = np.asarray(self._blocks).reshape(-1, 2)
                self._blocks = pairs.mean(axis=1).tolist()
                self._block_length *= 2
        return self._test() if self._read >= self._next else None

    def _test(self) -> ProgressEnd | None:
        level = min(MAX_LEVEL, (self._read - self._tested) / self._length)
        self._tested, self._next = self._read, math.ceil(self._read * GROWTH)
        blocks = np.asarray(self._blocks)
        half = blocks[len(blocks) // 2 :]
        trend = _trend(half)
        steps = len(half) * self._block_length
        fall = self._first_sum / self._first_count - trend.level
        # The error of the first mean, by the noise of now.
        first_error = trend.level_error * math.sqrt(steps / FIRST_VALUES)
        if fall <= ESTABLISHED * math.hypot(first_error, trend.level_error):
            return None
        descent, error = -trend.slope * len(half), trend.error * len(half)
        bound = descent + upper_quantile(level, trend.freedom) * error
        # A rise is no plateau either.
        seen = (descent > error and descent > NO_PROGRESS * fall) or descent < -3.0 * error
        if seen or not bound < self._min_progress * fall:
            return None
        # The end of a bump: the half is flat in the mean, and its second part falls.
        last = _trend(blocks[-max(8, len(blocks) // 4) :])
        if last.slope < -2.0 * last.error:
            return None
        knot = _flat_from(blocks)
        place = self.time - self._part_length - (len(blocks) - knot) * self._block_length
        return ProgressEnd(
            time=self.time - 1,
            place=place,
            level=trend.level,
            fall=fall,
            descent=descent,
            bound=bound,
            steps=steps,
        )

    def state(self) -> dict[str, Any]:
        """What the next update depends on, as plain numbers."""
        names = ("time", "_first_sum", "_first_count", "_blocks", "_block_length", "_part", "_part_length")
        values = {name.lstrip("_"): getattr(self, name) for name in (*names, "_read", "_tested", "_next")}
        return values | {"blocks": list(self._blocks)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` gave."""
        self.time = state["time"]
        for name, value in state.items():
            if name != "time":
                setattr(self, f"_{name}", value)
        self._blocks = list(state["blocks"])


def _trend(values: Array) -> _Trend:
    """The line of least squares, with errors of an autoregression of order one."""
    n = len(values)
    places = np.arange(n) - (n - 1) / 2
    spread = float(places @ places)
    slope = float(places @ values) / spread
    level = float(values.mean())
    left = values - level - slope * places
    squares = float(left @ left)
    if squares <= 1e-30 * max(1.0, level * level):
        return _Trend(slope, 0.0, n - 2.0, level, 0.0)
    memory = float(left[1:] @ left[:-1]) / squares
    memory = min(0.95, max(0.0, memory + (1.0 + 4.0 * max(memory, 0.0)) / n + math.sqrt((1.0 - memory**2) / n)))
    factor = (1.0 + memory) / (1.0 - memory)
    freedom = max(2.0, n / factor - 2.0)
    variance = squares / (n - 2.0) * factor
    return _Trend(slope, math.sqrt(variance / spread), freedom, level, math.sqrt(variance / n))


def upper_quantile(level: float, freedom: float) -> float:
    """Student's t: the value that is exceeded with this probability, for levels below 1/2 and 2 degrees or more.

    Hill (1970, Algorithm 396: Student's t-quantiles, Communications of the ACM 13:619-620). Expansions in powers of
    1/freedom (Abramowitz and Stegun 1964, 26.7.5) are far too small for few degrees of freedom.
    """
    both = 2.0 * level
    if freedom == 2.0:
        return math.sqrt(2.0 / (both * (2.0 - both)) - 2.0)
    a = 1.0 / (freedom - 0.5)
    b = 48.0 / a**2
    c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36
    d = ((94.5 / (b + c) - 3.0) / b + 1.0) * math.sqrt(a * math.pi / 2.0) * freedom
    x = d * both
    y = x ** (2.0 / freedom)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(level)
        y = x * x
        if freedom < 5.0:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x
        return math.sqrt(freedom * math.expm1(a * y * y))
    factor = (freedom + 6.0) / (freedom * y) - 0.089 * d - 0.822
    y = ((1.0 / (factor * (freedom + 2.0) * 3.0) + 0.5 / (freedom + 4.0)) * y - 1.0) * (freedom + 1.0) / (
        freedom + 2.0
    ) + 1.0 / y
    return math.sqrt(freedom * y)


def _flat_from(values: Array) -> int:
    """The knot of the best line that is flat behind it, by least squares over all knots."""
    n = len(values)
    best, place = math.inf, n // 2
    for knot in range(2, n // 2 + 1):
        ramp = np.minimum(np.arange(n) - knot, 0.0)
        ramp -= ramp.mean()
        centred = values - values.mean()
        slope = float(ramp @ centred) / float(ramp @ ramp)
        error = float(((centred - slope * ramp) ** 2).sum())
        if error < best:
            best, place = error, knot
    return place
