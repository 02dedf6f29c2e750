"""A schedule that acts on what a watch sees: the rate stays until progress ends, and then decays.

A stage is trained at one rate. Where `shoal.changes.ProgressDetector` finds that the loss no longer falls, the rate
decays linearly, over a share of the steps of the stage, to a part of itself, and the next stage begins: the decay of
"warmup, stable, decay" (Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392), at a moment that the
training itself gives. Where the number of steps is known, the rate falls linearly to 0 in the last three tenths in any
case. A spike that is followed by descent changes nothing: progress is only tested from behind it. Instead of the rate
the batch may grow (Smith et al. 2018, arXiv:1711.00489).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import UsageError
from shoal.training.watch.watch import MEAN_RUN_LENGTH, MIN_PROGRESS, Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.training.watch.events import WatchEvent

Action = Literal["decay", "grow the batch", "skip", "roll back"]
ActsOn = Literal["rate", "batch"]

FACTOR = 0.3
"""Of the rate, from one stage to the next."""
MIN_SHARE = 1e-3
"""Of the peak, at which the rate is no longer lowered."""
FINAL_DECAY = 0.3
"""Share of the steps of a training of known length in which the rate falls to 0 in any case."""
LATE = 0.2
"""Share of the steps, the last ones, in which a plateau is no longer acted on."""
MIN_STAGE = 0.2
"""Share of the steps of a training of known length that a stage takes, at least, and half of the steps before it."""
MIN_DECAY = 20
"""Steps of a decay, at least."""
MAX_SKIPS = 3
"""Steps in a row that may be skipped before the training is rolled back."""
MAX_ROLLBACKS = 5
"""After which a training is given up."""
ROLLBACK_FACTOR = 0.5
"""Of the rate after a roll-back: at the same one it would diverge again."""
TRAININGS = 20.0
"""In one training of so many, a decay is a false alarm."""
LOST = 0.5
"""A rise of the loss by this share of its whole fall is a divergence to act on."""
SMOOTHED = 16
"""Steps over which the loss is averaged after a divergence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDecision:
    """What a schedule has done, and why."""

    step: int
    action: Action
    reason: str
    """The event in one line."""

    share_before: float
    """Of the peak rate, without warmup and final decay."""

    share_after: float
    """Of the peak rate, once the action is done."""

    batches: int
    """That a step takes from here on."""

    evidence: dict[str, Any] | None = None
    """The event as `WatchEvent.to_dict` gives it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the ``kind``, ``stream`` and ``text`` that events have."""
        return asdict(self) | {"kind": self.action, "stream": "loss", "text": str(self)}

    def __str__(self) -> str:
        what = {
            "decay": f"the rate decays from {self.share_before:.3g} to {self.share_after:.3g} of its peak",
            "grow the batch": f"a step takes {self.batches} batches",
            "skip": "the update is left out",
            "roll back": f"back to the last good weights, at {self.share_after:.3g} of the peak rate",
        }[self.action]
        return f"step {self.step:,}: {what}, because of {self.reason}"


class ChangesSchedule:
    """The share of the peak rate of each step, by what was observed of those before it.

    Args:
        steps: of the whole training; None where they are not known, and there is no final decay.
        warmup_steps: in which the rate rises linearly.
        decay: share of a stage's steps that its decay takes.
        factor: of the rate, from one stage to the next.
        acts_on: ``rate``, or ``batch``: the number of batches of a step doubles instead.
        mean_run_length: steps per false alarm; None for 20 times ``steps``, so that one training in 20 has a false
            decay, and for 100,000 where they are not known.
        min_progress: as in `Watch`.
        first_step: the number of the first step.

    Raises:
        UsageError: a number is out of its range.
    """

    def __init__(
        self,
        *,
        steps: int | None = None,
        warmup_steps: int = 0,
        decay: float = 0.2,
        factor: float = FACTOR,
        acts_on: ActsOn = "rate",
        mean_run_length: float | None = None,
        min_progress: float = MIN_PROGRESS,
        first_step: int = 0,
    ) -> None:
        for name, value, fits in (
            ("steps", steps, steps is None or steps >= 1),
            ("warmup_steps", warmup_steps, warmup_steps >= 0),
            ("decay", decay, 0 <= decay <= 1),
            ("factor", factor, 0 < factor < 1),
            ("acts_on", acts_on, acts_on in ("rate", "batch")),
        ):
            if not fits:
                expected = {
                    "steps": "a whole number from 1, or None",
                    "warmup_steps": "a whole number from 0",
                    "decay": "a share from 0 to 1",
                    "factor": "a number between 0 and 1",
                    "acts_on": "'rate' or 'batch'",
                }[name]
                raise UsageError(f"{name} = {value!r}: expected {expected}")
        self._steps, self._warmup, self._decay, self._first = steps, warmup_steps, decay, first_step
        self._factor, self._acts_on = factor, acts_on
        if mean_run_length is None:
            mean_run_length = MEAN_RUN_LENGTH if steps is None else max(1000.0, TRAININGS * steps)
        least = 0 if steps is None else round(MIN_STAGE * steps)
        self.watch = Watch(mean_run_length=mean_run_length, min_progress=min_progress, min_steps=least)
        self.decisions: list[RateDecision] = []
        """All of them, in order."""
        self.batches = 1
        """That a step takes."""
        self._level = 1.0
        self._stage_start = first_step
        self._decay_from, self._decay_steps, self._decay_share = -1, 0, 1.0
        self._skips = self._rollbacks = 0
        self._first_loss = math.nan
        self._left, self._left_reason, self._smooth = math.nan, "", math.nan
        """The level that a rise has left, what reported it, and the mean loss since; NaN where there is none."""

    def share(self, step: int, *, done: int | None = None) -> float:
        """The share of the peak rate.

        Args:
            step: its number.
            done: batches that are used up, of ``steps`` in all, where a step may take several; by default the steps
                before it.
        """
        done = step - self._first if done is None else done
        share = self._level
        if self._decay_from >= 0:
            # On the way from the share of the last stage to that of the next.
            part = min(1.0, (step - self._decay_from + 1) / self._decay_steps)
            share = self._level + (self._decay_share - self._level) * (1.0 - part)
        if step - self._first < self._warmup:
            share *= (step - self._first + 1) / self._warmup
        if self._steps is not None:
            share *= max(0.0, min(1.0, (self._steps - done) / max(1, round(FINAL_DECAY * self._steps))))
        return share

    def is_late(self, done: int) -> bool:
        """Whether the rate is so near to 0 that a plateau is no longer acted on."""
        return self._steps is not None and done >= self._steps - round(LATE * self._steps)

    def _is_young(self, step: int) -> bool:
        """Whether the stage is too short to be ended: cut after cut would follow on noise that hides slow progress."""
        before, age = self._stage_start - self._first, step - self._stage_start
        return step - self._first < self._warmup or age < 0.5 * before

    def observe(
        self, step: int, loss: float, gradient_norm: float | None = None, *, done: int | None = None
    ) -> list[RateDecision]:
        """Take in what a step was like, and decide.

        Args:
            step: its number.
            loss: before its update.
            gradient_norm: before clipping.
            done: as in `share`.

        Returns:
            What is done because of it. After ``skip`` the update of the step must be left out, after ``roll back`` the
            last good weights must be restored.
        """
        if not (math.isfinite(loss) and (gradient_norm is None or math.isfinite(gradient_norm))):
            return [self._not_finite(step, loss, gradient_norm)]
        self._skips = 0
        if math.isnan(self._first_loss):
            self._first_loss = loss
        if self._decay_from >= 0 and step >= self._decay_from + self._decay_steps:
            self._decay_from, self._stage_start = -1, step
            self.watch.begin_stage()
        done = step - self._first if done is None else done
        events = self.watch.observe(step, loss=loss, gradient_norm=gradient_norm)
        made = [decision for event in events if (decision := self._decide(event, loss, done=done))]
        return [*made, *self._follow_rise(step, loss)]

    @property
    def has_given_up(self) -> bool:
        """Whether the training was rolled back too often."""
        return self._rollbacks > MAX_ROLLBACKS

    @property
    def is_calm(self) -> bool:
        """Whether the weights are worth keeping: the steps are finite, and there is no evidence of a rise."""
        return self._skips == 0 and self.watch.rise_evidence < math.log(20.0)

    def _not_finite(self, step: int, loss: float, gradient_norm: float | None) -> RateDecision:
        events = self.watch.observe(step, loss=loss, gradient_norm=gradient_norm)
        self._skips += 1
        reason = f"loss {loss} and gradient norm {gradient_norm}"
        if self._skips <= MAX_SKIPS:
            return self._record(step, "skip", reason, self._level, events[0] if events else None)
        return self._roll_back(step, reason, None)

    def _roll_back(self, step: int, reason: str, event: WatchEvent | None) -> RateDecision:
        self._skips, self._rollbacks = 0, self._rollbacks + 1
        before, self._level = self._level, self._level * ROLLBACK_FACTOR
        self._decay_from, self._stage_start, self._left = -1, step, math.nan
        self.watch.begin_stage()
        return self._record(step, "roll back", reason, before, event)

    def _follow_rise(self, step: int, loss: float) -> list[RateDecision]:
        """Roll back where a rise has cost half of what was learned; forget it where the loss has come down again."""
        if math.isnan(self._left):
            return []
        self._smooth += (loss - self._smooth) / SMOOTHED
        lost = (self._smooth - self._left) / max(self._first_loss - self._left, 1e-300)
        if lost > LOST:
            return [self._roll_back(step, self._left_reason, None)]
        if lost < 0.1:
            self._left = math.nan
        return []

    def _decide(self, event: WatchEvent, loss: float, *, done: int) -> RateDecision | None:
        if event.stream != "loss":
            return None
        if event.kind == "divergence" and math.isnan(self._left):
            self._left, self._left_reason, self._smooth = event.expected, event.line(), loss
        if event.kind != "plateau" or self._decay_from >= 0 or self.is_late(done) or self._is_young(event.step):
            return None
        if self._acts_on == "batch":
            self.batches *= 2
            self._stage_start = event.step
            self.watch.begin_stage()
            return self._record(event.step, "grow the batch", event.line(), self._level, event)
        if self._level * self._factor < MIN_SHARE:
            return None
        before, self._level = self._level, self._level * self._factor
        self._decay_from, self._decay_share = event.step + 1, before
        self._decay_steps = max(MIN_DECAY, round(self._decay * (event.step - self._stage_start)))
        return self._record(event.step, "decay", event.line(), before, event)

    def _record(self, step: int, action: Action, reason: str, before: float, event: WatchEvent | None) -> RateDecision:
        decision = RateDecision(
            step=step,
            action=action,
            reason=reason,
            share_before=before,
            share_after=self._level,
            batches=self.batches,
            evidence=None if event is None else event.to_dict(),
        )
        self.decisions.append(decision)
        return decision

    def state_dict(self) -> dict[str, Any]:
        """What the next steps depend on, as plain values that JSON holds."""
        return {
            "watch": self.watch.state_dict(),
            "decisions": [asdict(one) for one in self.decisions],
            "first_loss": None if math.isnan(self._first_loss) else self._first_loss,
            **{name: getattr(self, f"_{name}") for name in _PLAIN},
            "batches": self.batches,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave.

        Args:
            state: of a schedule with the same settings.

        Raises:
            DataError: it is of a watch with other settings.
        """
        self.watch.load_state_dict(state["watch"])
        self.decisions = [RateDecision(**one) for one in state["decisions"]]
        self._first_loss = math.nan if state["first_loss"] is None else state["first_loss"]
        self.batches = state["batches"]
        for name in _PLAIN:
            setattr(self, f"_{name}", state[name])


_PLAIN = (
    *("level", "stage_start", "decay_from", "decay_steps", "decay_share", "skips", "rollbacks"),
    *("left", "left_reason", "smooth"),
)
