"""Online change-point detection: give the detector values, and it raises an alarm when their law has changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from shoal.changes.conversion import are_numbers, numbers_of
from shoal.changes.online_evidence import SLOTS, DetectorState, likeliest_start
from shoal.changes.result import ChangedFeature
from shoal.changes.validation import as_stream
from shoal.changes.whitening import ORDER, Whitening, learn
from shoal.errors import DataError, UsageError

Array = np.ndarray[Any, Any]

MIN_HISTORY = 64
"""Four values in each of the 16 finest levels."""

OUTAGE = 32
"""Steps of a gap that are never an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change that an online detector has seen."""

    time: int
    """The step at which it was seen, counted from 0 from the start of the stream."""
    place: int
    """About where the new law begins: the start that the evidence favours, on the grid of starts."""
    evidence: float
    """The logarithm of the evidence, in nats; the alarm is raised once it passes that of the mean run length."""
    feature: ChangedFeature
    """The word whose share changed most in the cell with the most evidence, in levels of the whitened ranks."""


class OnlineDetector:
    """Change points of a stream of numbers while it comes in.

    The first ``history`` values are only learned from. After an alarm the detector starts over with the values that
    follow. The mean time between false alarms is at least about ``mean_run_length`` steps for independent values of any
    law, and about that for a stream whose normal scores are an autoregression of order up to eight with
    strong-mixing noise, once ``history`` covers a hundred times its memory. Infinities count as what they are. Missing
    values (NaN, None) count as steps and carry no evidence, but that a stream stays missing is an alarm: once a gap is
    longer than `OUTAGE` steps and than twice the longest gap before.

    Args:
        mean_run_length: mean number of steps from one false alarm to the next.
        history: number of steps that are learned from before alarms may be raised.

    Raises:
        UsageError: ``mean_run_length`` is not a number above 1, or ``history`` no whole number from 64.
    """

    def __init__(self, mean_run_length: float = 10_000, *, history: int = 256) -> None:
        length: Any = mean_run_length
        steps: Any = history
        if not (isinstance(length, Real) and 1 < float(length) < math.inf):
            raise UsageError(f"mean_run_length is a number of steps above 1; got {mean_run_length!r}")
        if not isinstance(steps, Integral) or steps < MIN_HISTORY:
            raise UsageError(f"history must be a whole number of at least {MIN_HISTORY} steps; got {history!r}")
        self.mean_run_length = mean_run_length
        self.history = int(history)
        self.time = 0
        """Steps read since the start of the stream."""
        self._begin()

    def update(self, value: float) -> Alarm | None:
        """Take in one value; return an alarm if the evidence passes its limit at it.

        Args:
            value: a number; None or NaN where it is missing.

        Raises:
            DataError: it is not one number, nor missing.
        """
        alarms = self._read(np.array([_number(value)]))
        return alarms[0] if alarms else None

    def update_many(self, values: Any) -> list[Alarm]:
        """Take in values in order and return the alarms among them; the same as `update` on each.

        Args:
            values: numbers of shape (n,); may be empty.

        Raises:
            DataError: they are not one row of numbers.
        """
        if not hasattr(values, "__len__") and hasattr(values, "__iter__"):
            values = list(values)
        if hasattr(values, "__len__") and len(values) == 0:
            return []
        try:
            table = as_stream(values, kind="numbers").values
        except DataError as fault:
            reason = str(fault).partition("; give kind=")[0]
            raise DataError(f"an online detector reads numbers in order, one per step: {reason}") from fault
        if table is None or table.shape[1] != 1:
            raise DataError("an online detector reads one number per step; give each coordinate a detector of its own")
        return self._read(table[:, 0])

    @property
    def evidence(self) -> float:
        """The logarithm of the evidence of a change now, in nats; minus infinity during the history."""
        return math.log(self._level) if self._level > 0.0 else -math.inf

    def _read(self, values: Array) -> list[Alarm]:
        """Take in values, those between two gaps and gaps in turn."""
        alarms = []
        for part in np.split(values, np.flatnonzero(np.diff(np.isnan(values))) + 1):
            take = self._miss if math.isnan(part[0]) else self._take
            while len(part):
                done, alarm = take(part)
                self.time += done
                part = part[done:]
                if alarm:
                    alarms.append(alarm)
                    self._begin()
        return alarms

    def _begin(self) -> None:
        """Forget everything but the time."""
        self._origin = self.time
        self._first: list[float] = []
        self._whitening: Whitening | None = None
        self._evidence = DetectorState.fresh()
        self._past = np.zeros(ORDER)
        self._level = 0.0
        self._missed, self._gap, self._longest = 0, 0, 0
        self._missed_before = np.zeros(SLOTS, dtype=np.int64)

    def _miss(self, values: Array) -> tuple[int, Alarm | None]:
        """Pass over missing values, to the end of them or to an alarm."""
        most = max(OUTAGE, 2 * self._longest)
        left = most + 1 - self._gap
        if self._whitening is None or left < 1 or len(values) < left:
            self._gap += len(values)
            self._missed += len(values)
            return len(values), None
        seen = self.time - self._origin
        feature = ChangedFeature(
            cell=(2, 1), word="missing", before=(self._missed - self._gap) / (seen - self._gap), after=1.0
        )
        # An alarm comes as soon as the gap is one step longer than is allowed, wherever in the values that is.
        time = self.time + left - 1
        return left, Alarm(time=time, place=time - most, evidence=math.log(self.mean_run_length), feature=feature)

    def _take(self, values: Array) -> tuple[int, Alarm | None]:
        """Read some of the values: to the end of the history, to an alarm, or to their end."""
        self._longest, self._gap = max(self._longest, self._gap), 0
        if self._whitening is None:
            return self._learn(values), None
        before = self._evidence.step
        levels, scores = self._whitening.levels(values, self._past)
        done, self._level = self._evidence.read(levels, self.mean_run_length)
        # An alarm before the last value starts everything over, the past scores included.
        self._past = scores if done == len(values) else self._past
        # Evidence counts known steps only; what was missing before a start gives its place in the stream.
        if self._missed:
            self._missed_before[self._evidence.starts >= before] = self._missed
        if self._level < self.mean_run_length:
            return done, None
        start, feature = likeliest_start(self._evidence)
        missed = int(self._missed_before[np.flatnonzero(self._evidence.starts == start)[0]])
        place = self._origin + ORDER + start + missed
        return done, Alarm(time=self.time + done - 1, place=place, evidence=self.evidence, feature=feature)

    def _learn(self, values: Array) -> int:
        """Add to the history, and learn from it once it is whole."""
        taken = values[: self.history - len(self._first)]
        self._first += taken.tolist()
        if len(self._first) == self.history:
            first = np.array(self._first)
            self._whitening = learn(first)
            levels, self._past = self._whitening.levels(first[ORDER:], self._whitening.scores(first[:ORDER]))
            self._evidence.read(levels, 0.0)
            self._first = []
        return len(taken)


def _number(value: Any) -> float:
    """One value of a stream as a number, NaN where it is missing."""
    if isinstance(value, float):
        return value
    held = value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
    if not are_numbers([held]):
        raise DataError(f"an online detector reads one number per step; got {str(value)[:40]!r}")
    return float(numbers_of([held])[0])
