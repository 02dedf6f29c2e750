"""A watch over a stream: feed it values, and it says when their law has changed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shoal.changes.input import as_stream
from shoal.changes.online.alarm import Alarm
from shoal.changes.online.evidence import Evidence
from shoal.changes.online.moved import clearest
from shoal.changes.online.whitening import ORDER, Whitening, learn
from shoal.errors import DataError, UsageError

Array = np.ndarray[Any, Any]

LEAST_HISTORY = 64


class Watch:
    """Change points of a stream of numbers while it comes in.

    The first ``history`` values are only learned from. After an alarm the watch begins anew with the values that
    follow. The mean time between false alarms is at least about ``mean_run_length`` steps for independent values of any
    law, and about that for a stream whose normal scores are an autoregression of order up to eight with
    strong-mixing noise, once ``history`` covers a hundred times its memory. NaN counts as greater than every
    number, infinities as what they are.

    Args:
        mean_run_length: Steps from one false alarm to the next, on average.
        history: Steps that are learned from before the watch begins.

    Raises:
        UsageError: ``mean_run_length`` is not above 1, or ``history`` below 64.
    """

    def __init__(self, mean_run_length: float = 10_000, *, history: int = 256) -> None:
        if not (math.isfinite(mean_run_length) and mean_run_length > 1):
            raise UsageError(f"mean_run_length is a number of steps above 1; got {mean_run_length!r}")
        if history < LEAST_HISTORY:
            raise UsageError(f"history must be at least {LEAST_HISTORY} steps; got {history!r}")
        self.mean_run_length = mean_run_length
        self.history = int(history)
        self.time = 0
        """Steps read since the start of the stream."""
        self._begin()

    def update(self, value: float) -> Alarm | None:
        """Take in one value; return an alarm where it is the one that gives the change away."""
        alarms = self.update_many(np.array([value], dtype=float))
        return alarms[0] if alarms else None

    def update_many(self, values: Any) -> list[Alarm]:
        """Take in values in order and return the alarms among them; the same as `update` on each.

        Args:
            values: Numbers of shape (n,); may be empty.

        Raises:
            DataError: They are not one row of numbers.
        """
        if hasattr(values, "__len__") and len(values) == 0:
            return []
        table = as_stream(values, kind="numbers").values
        if table is None or table.shape[1] != 1:
            raise DataError("a watch reads one number a step; give each coordinate a watch of its own")
        rest, alarms = table[:, 0], []
        while len(rest):
            done, alarm = self._take(rest)
            self.time += done
            rest = rest[done:]
            if alarm:
                alarms.append(alarm)
                self._begin()
        return alarms

    @property
    def evidence(self) -> float:
        """The logarithm of the evidence of a change now, in nats; minus infinity while the watch still learns."""
        return math.log(self._level) if self._level > 0.0 else -math.inf

    def _begin(self) -> None:
        """Forget everything but the time."""
        self._origin = self.time
        self._first: list[float] = []
        self._whitening: Whitening | None = None
        self._evidence = Evidence.fresh()
        self._past = np.zeros(ORDER)
        self._level = 0.0

    def _take(self, values: Array) -> tuple[int, Alarm | None]:
        """Read some of the values: to the end of the history, to an alarm, or to their end."""
        if self._whitening is None:
            return self._learn(values), None
        levels, scores = self._whitening.levels(values, self._past)
        done, self._level = self._evidence.read(levels, self.mean_run_length)
        self._past = scores if done == len(values) else self._past
        if self._level < self.mean_run_length:
            return done, None
        start, moved = clearest(self._evidence)
        return done, Alarm(
            time=self.time + done - 1, place=self._origin + ORDER + start, evidence=self.evidence, what=moved
        )

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
