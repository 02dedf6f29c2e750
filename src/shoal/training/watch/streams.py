"""One stream of a training, and what is looked for in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shoal.changes import ProgressDetector, ShiftDetector
from shoal.training.watch.events import WatchEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.changes import ProgressEnd, Shift, ShiftKind
    from shoal.training.watch.events import EventKind

_MAX_KNOTS = 128
STREAK = 3
"""Steps within which a new level is taken for a spike."""


class StepIndex:
    """Which step of the training an observation was made at; exact while they come at equal distances."""

    def __init__(self) -> None:
        self.count = 0
        self._knots: list[tuple[int, int]] = []
        """Observations and steps between which the steps are equally far apart."""

    def add(self, step: int) -> None:
        """Count an observation."""
        knots = self._knots
        if len(knots) >= 2:
            (first, start), (last, stop) = knots[-2], knots[-1]
            # The last knot moves along while the distance stays.
            if last == self.count - 1 and (stop - start) * (self.count - last) == (step - stop) * (last - first):
                knots[-1] = (self.count, step)
                self.count += 1
                return
        knots.append((self.count, step))
        self.count += 1
        if len(knots) > _MAX_KNOTS:
            self._knots = [*knots[:-2:2], *knots[-2:]]

    def step(self, observation: int) -> int:
        """The step of an observation; between those of its neighbours where it is not known."""
        places, steps = zip(*self._knots, strict=True)
        return round(float(np.interp(observation, places, steps)))

    def state(self) -> dict[str, Any]:
        """What the next answers depend on."""
        return {"count": self.count, "knots": [list(knot) for knot in self._knots]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` gave."""
        self.count = state["count"]
        self._knots = [(knot[0], knot[1]) for knot in state["knots"]]


class WatchStream:
    """A stream of a training.

    Args:
        name: of the stream.
        mean_run_length: observations per false alarm, all kinds of events together.
        history: observations that are only learned from.
        min_progress: as in `ProgressDetector`.
        min_steps: as in `ProgressDetector`.
    """

    shifts: ClassVar[Mapping[ShiftKind, EventKind]]
    """What each shift of the stream is reported as; the others are not."""

    tests_progress: ClassVar[bool] = False

    def __init__(
        self, name: str, *, mean_run_length: float, history: int, min_progress: float, min_steps: int = 0
    ) -> None:
        self.name = name
        # Each kind has its share of the false alarms.
        length = mean_run_length * (len(self.shifts) + self.tests_progress)
        self.shift = ShiftDetector(length, history=history, kinds=tuple(self.shifts))
        self.progress = None
        if self.tests_progress:
            self.progress = ProgressDetector(length, min_progress=min_progress, min_steps=min_steps)
        self.steps = StepIndex()
        self.is_finite = True
        self._last_jump = -math.inf
        self._before_spike, self._spike, self._spike_step = math.inf, math.inf, -1
        """The level before the last spike, and what it was; infinite before the first."""

    def transformed(self, value: float) -> float:
        """What the detectors read, of which less is better."""
        return value

    def restored(self, value: float) -> float:
        """The inverse of `transformed`."""
        return value

    def observe(self, step: int, value: float, *, keep_fall: bool) -> WatchEvent | None:
        """Take in the value of a step; what was seen at it."""
        if not math.isfinite(value):
            return self._not_finite(step, value)
        self.is_finite = True
        self.steps.add(step)
        read = self.transformed(value)
        found = self.shift.update(read)
        end = self.progress.update(read) if self.progress is not None else None
        if found is None and end is None:
            return None
        if found is not None:
            return self._shifted(step, value, found)
        assert end is not None
        return self._ended(step, end, keep_fall=keep_fall)

    def restart_progress(self, *, keep_fall: bool) -> None:
        """Test for the end of progress from the next value on."""
        if self.progress is not None:
            self.progress.restart(keep_fall=keep_fall)

    def _not_finite(self, step: int, value: float) -> WatchEvent | None:
        if not self.is_finite:
            return None
        self.is_finite = False
        expected = self.restored(self.shift.level) if self.steps.count else math.nan
        return WatchEvent(
            kind="divergence", stream=self.name, step=step, began=step, value=value, expected=expected, size=math.inf
        )

    def _shifted(self, step: int, value: float, found: Shift) -> WatchEvent | None:
        # What was read before is no measure of the progress after it.
        self.restart_progress(keep_fall=True)
        if found.kind == "jump":
            self._last_jump = found.time
        kind, began, expected = self.shifts[found.kind], self.steps.step(found.place), found.expected
        if found.kind == "rise" and "jump" in self.shifts and found.time - found.place < STREAK:
            # A level that was reached within three steps is that of a spike, reported already if one of them was one.
            if found.place <= self._last_jump:
                return None
            kind = "spike"
        if kind == "spike":
            # A spike on top of one that has not come back half of the way is no spike.
            if found.value > self._spike and found.expected > 0.5 * (self._before_spike + self._spike):
                kind, began, expected = "divergence", self._spike_step, self._before_spike
                self._before_spike = self._spike = math.inf
            else:
                self._before_spike, self._spike, self._spike_step = expected, found.value, step
        return WatchEvent(
            kind=kind,
            stream=self.name,
            step=step,
            began=began,
            value=value,
            expected=self.restored(expected),
            size=found.size * abs((found.value - expected) / ((found.value - found.expected) or 1.0)),
        )

    def _ended(self, step: int, end: ProgressEnd, *, keep_fall: bool) -> WatchEvent:
        self.restart_progress(keep_fall=keep_fall)
        return WatchEvent(
            kind="plateau",
            stream=self.name,
            step=step,
            began=self.steps.step(end.place),
            value=end.level,
            expected=end.level + end.fall,
            size=end.bound / end.fall,
        )

    def state(self) -> dict[str, Any]:
        """What the next observation depends on, as plain values."""
        return {
            "shift": self.shift.state(),
            "progress": None if self.progress is None else self.progress.state(),
            "steps": self.steps.state(),
            "is_finite": self.is_finite,
            "last_jump": self._last_jump,
            "spike": [self._before_spike, self._spike, self._spike_step],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` gave."""
        self.shift.load(state["shift"])
        if self.progress is not None:
            self.progress.load(state["progress"])
        self.steps.load(state["steps"])
        self.is_finite = state["is_finite"]
        self._last_jump = state["last_jump"]
        self._before_spike, self._spike, self._spike_step = state["spike"]


class LossStream(WatchStream):
    """The loss of the steps: spikes, divergence and plateaus."""

    shifts: ClassVar[Mapping[ShiftKind, EventKind]] = {"jump": "spike", "rise": "divergence"}
    tests_progress = True


class GradientNormStream(WatchStream):
    """The gradient's norm, by its logarithm: spikes."""

    shifts: ClassVar[Mapping[ShiftKind, EventKind]] = {"jump": "spike"}

    def transformed(self, value: float) -> float:
        """The logarithm; a norm of 0 is the smallest number that there is."""
        return math.log(max(value, 1e-300))

    def restored(self, value: float) -> float:
        """The norm."""
        return math.exp(min(value, 700.0))


class ClassLossStream(WatchStream):
    """The loss of one class or source of documents: new skills, and divergence where it is forgotten."""

    shifts: ClassVar[Mapping[ShiftKind, EventKind]] = {"fall": "skill", "rise": "divergence"}


class LogProbStream(WatchStream):
    """The mean log-probability of right held-out answers: new skills."""

    shifts: ClassVar[Mapping[ShiftKind, EventKind]] = {"fall": "skill"}

    def transformed(self, value: float) -> float:
        """The surprisal, of which less is better."""
        return -value

    def restored(self, value: float) -> float:
        """The log-probability."""
        return -value
