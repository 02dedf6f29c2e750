"""Online detection of jumps, rises and falls of a level that moves slowly, in dependent noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]
ShiftKind = Literal["jump", "rise", "fall"]

MIN_HISTORY = 16
"""Values that the first estimates of noise and trend need."""

_KINDS: tuple[ShiftKind, ...] = ("jump", "rise", "fall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change of level that a `ShiftDetector` has seen."""

    kind: ShiftKind
    time: int
    """The step at which it was seen, counted from 0 from the start of the stream."""

    place: int
    """About where the new level begins: for a jump the step itself, else where the evidence began to grow (Page)."""

    value: float
    """The value of the step."""

    expected: float
    """What was expected: of a jump at this step, of a rise or fall the level that was left."""

    size: float
    """How far away it is, in standard deviations of the innovations: of what the steps before do not predict."""


class ShiftDetector:
    """Jumps, rises and falls of a stream of numbers while it comes in; O(1) memory and about a microsecond per value.

    The level may move slowly and steadily: a local line is followed, whose memory grows with the stream. The noise may
    be dependent: an autoregression of order up to four is learned, and sums over longer times are compared with what
    it promises. A *jump* is one value far above what was expected, a *rise* a level that lies above what has been
    reached, a *fall* one that sinks faster than the trend promises. After a rise or fall, or three jumps in a row, the
    new level is learned, the noise stays.

    The mean time between false rises, and between false falls, is at least ``mean_run_length`` as far as the level
    that was learned is known (see `shoal.changes.shift_kernel`); that between false jumps is extrapolated from the tail
    of the innovations. `benchmarks/watch_alarms.py` measures all three.

    Args:
        mean_run_length: mean number of steps from one false alarm of a kind to the next.
        history: values that are only learned from.
        kinds: the alarms that are wanted; of the others none is raised, but the level follows them all the same.

    Raises:
        UsageError: ``mean_run_length`` is not a number above 1, ``history`` is below 16, or a kind is unknown.
    """

    def __init__(
        self, mean_run_length: float = 100_000, *, history: int = 64, kinds: Sequence[ShiftKind] = _KINDS
    ) -> None:
        length: Any = mean_run_length
        steps: Any = history
        if not (isinstance(length, Real) and 1 < float(length) < math.inf):
            raise UsageError(f"mean_run_length is a number of steps above 1; got {mean_run_length!r}")
        if not isinstance(steps, Integral) or steps < MIN_HISTORY:
            raise UsageError(f"history must be a whole number of at least {MIN_HISTORY} steps; got {history!r}")
        for kind in kinds:
            if kind not in _KINDS:
                raise UsageError(f"unknown kind {kind!r} of a shift; there are {', '.join(_KINDS)}")
        # Here alone: Numba is a second of imports.
        from shoal.changes import shift_kernel, shift_state

        self._kernel = shift_kernel
        self._places = places = shift_state
        self._state = np.zeros(places.SIZE)
        self._state[places.FLOOR] = np.inf
        self._state[places.INFLATION : places.INFLATION + 4] = 1.0
        places.forget_tail(self._state)
        self._limits = (float(history), math.log(length), float(length), float(length))
        self._wanted = (False, *(kind in kinds for kind in _KINDS))

    @property
    def time(self) -> int:
        """Values read."""
        return int(self._state[self._places.T])

    @property
    def level(self) -> float:
        """The level that is expected next, by the local line; NaN before the first value."""
        return float(self._state[self._places.LEVEL]) if self.time else math.nan

    @property
    def noise(self) -> float:
        """The standard deviation of the innovations."""
        return float(self._state[self._places.SD])

    @property
    def evidence(self) -> tuple[float, float]:
        """The logarithms of the evidence of a rise and of a fall; minus infinity where there is none."""
        places, state = self._places, self._state
        first = places.EVIDENCE
        means = float(state[first : first + 8].mean()), float(state[first + 8 : first + 12].mean())
        rise, fall = (math.log(mean) if mean > 0 else -math.inf for mean in means)
        return rise, fall

    def update(self, value: float) -> Shift | None:
        """Take in one value.

        Args:
            value: a finite number.

        Returns:
            What was seen at it, if anything.

        Raises:
            DataError: it is not a finite number.
        """
        given: Any = value
        if not (isinstance(given, Real) and math.isfinite(given)):
            raise DataError(f"a shift detector reads finite numbers; got {value!r} at step {self.time}")
        found = self._kernel.advance(self._state, value, *self._limits)
        return self._shift(found, value) if self._wanted[found] else None

    def update_many(self, values: Any) -> list[Shift]:
        """Take in values in order; the same as `update` on each.

        Args:
            values: finite numbers of shape (n,).

        Raises:
            DataError: they are not one row of finite numbers.
        """
        try:
            row = np.ascontiguousarray(values, dtype=np.float64)
        except (TypeError, ValueError) as fault:
            raise DataError(f"a shift detector reads one row of finite numbers: {fault}") from fault
        if row.ndim != 1 or not np.isfinite(row).all():
            raise DataError("a shift detector reads one row of finite numbers; leave out what is missing")
        found: list[Shift] = []
        start = 0
        while start < len(row):
            done, kind = self._kernel.advance_until(self._state, row[start:], *self._limits)
            start += done
            if self._wanted[kind]:
                found.append(self._shift(kind, float(row[start - 1])))
        return found

    def _shift(self, found: int, value: float) -> Shift:
        places, state, is_jump = self._places, self._state, _KINDS[found - 1] == "jump"
        expected = float(state[places.PREDICTION] if is_jump else state[places.LEFT])
        place = self.time - 1 if is_jump else int(state[places.BEGAN]) - 1
        noise = self.noise
        size = (value - expected) / noise if noise > 0 else math.inf
        return Shift(
            kind=_KINDS[found - 1], time=self.time - 1, place=place, value=value, expected=expected, size=abs(size)
        )

    def state(self) -> list[float]:
        """What the next update depends on, as plain numbers."""
        state: list[float] = self._state.tolist()
        return state

    def load(self, state: Sequence[float]) -> None:
        """Go back to what `state` gave.

        Args:
            state: of a detector of this version.

        Raises:
            DataError: it has another length.
        """
        if len(state) != self._places.SIZE:
            raise DataError(f"the state of a shift detector has {self._places.SIZE} numbers; got {len(state)}")
        self._state[:] = state
