"""The watch: give it the numbers of each step, and it reports what happens in the training."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError
from shoal.training.watch.batch_content import batch_content
from shoal.training.watch.events import event_from
from shoal.training.watch.streams import ClassLossStream, GradientNormStream, LogProbStream, LossStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.training.watch.events import BatchContent, WatchEvent
    from shoal.training.watch.streams import WatchStream

MEAN_RUN_LENGTH = 100_000.0
"""Observations of a stream per false alarm."""

MIN_PROGRESS = 0.2
"""Progress of this share of the whole fall, in half of the steps, is excluded before a plateau is claimed."""

EVALUATION_HISTORY = 16
"""Observations that a stream of evaluations is only learned from; there are few of them in a training."""

EVALUATION_RUN_LENGTH = 10_000.0
"""Evaluations of a class or skill per false alarm."""

MAX_EVENTS = 1000
"""That are kept."""

_VERSION = 1
_KINDS: Mapping[str, type[WatchStream]] = {
    "loss": LossStream,
    "gradient norm": GradientNormStream,
    "class": ClassLossStream,
    "skill": LogProbStream,
}


class Watch:
    """Spikes, plateaus, new skills and divergence of a training while it runs.

    Memory is O(1) for each stream, and a step takes some microseconds. Each stream raises at most about one false alarm
    in ``mean_run_length`` observations, all kinds together, in dependent noise too; see `shoal.changes.ShiftDetector`
    and `ProgressDetector` for what that rests on.

    Args:
        mean_run_length: observations of a stream per false alarm.
        history: steps that loss and gradient norm are only learned from.
        min_progress: progress of this share of the whole fall, in half of the steps, is excluded before a plateau is
            claimed.
        min_steps: since a spike or the last change of the rate, before a plateau may be claimed; 96 at least.
        decode: gives the text of token ids, for batches of ids; such as ``tokenizer.decode``.
        on_event: called with each event.

    Raises:
        UsageError: a number is out of its range.
    """

    def __init__(
        self,
        *,
        mean_run_length: float = MEAN_RUN_LENGTH,
        history: int = 64,
        min_progress: float = MIN_PROGRESS,
        min_steps: int = 0,
        decode: Callable[[Sequence[int]], str] | None = None,
        on_event: Callable[[WatchEvent], None] | None = None,
    ) -> None:
        self._settings = {"mean_run_length": mean_run_length, "history": history, "min_progress": min_progress}
        self._settings["min_steps"] = min_steps
        self._decode, self._on_event = decode, on_event
        self._streams: dict[tuple[str, str], WatchStream] = {}
        self._keep_fall = False
        self.step = -1
        """The last step that was observed."""
        self.missing = 0
        """Evaluations that were not finite, and were passed over."""
        self.events: list[WatchEvent] = []
        """The events so far; the last thousand, where there are more."""
        # At once, so that wrong settings are refused here and not at the first step.
        self._loss = self._stream("loss", "loss")
        self._norm = self._stream("gradient norm", "gradient norm")

    def observe(
        self,
        step: int,
        *,
        loss: float | None = None,
        gradient_norm: float | None = None,
        class_losses: Mapping[str, float] | None = None,
        log_probs: Mapping[str, float] | None = None,
        batch: Any = None,
        document_losses: Sequence[float] | Callable[[], Sequence[float]] | None = None,
    ) -> list[WatchEvent]:
        """Take in what is known of a step.

        Args:
            step: of the training; it may come again, but never go back.
            loss: of the step.
            gradient_norm: before clipping.
            class_losses: the loss by class or source of documents, in any steps.
            log_probs: by skill, the mean log-probability of its right held-out answers, in any steps.
            batch: what was trained on: texts, rows of token ids, a mapping of names to either, a
                `shoal.training.Batch`, or a function that gives one of them; read at a spike or divergence alone.
            document_losses: of each document of the batch, mean of its predicted tokens in nats, or a function that
                gives them; read at a spike or divergence alone, whose event then names those with the highest loss.

        Returns:
            What was seen at this step.

        Raises:
            UsageError: ``step`` is below the last one.
            DataError: a value is no number.
        """
        if step < self.step:
            raise UsageError(
                f"step {step} comes after step {self.step}; give steps in order, or another Watch for another training"
            )
        self.step = step
        events: list[WatchEvent] = []
        try:
            if loss is not None and (found := self._loss.observe(step, float(loss), keep_fall=self._keep_fall)):
                events.append(found)
            if gradient_norm is not None and (found := self._norm.observe(step, float(gradient_norm), keep_fall=False)):
                events.append(found)
            if class_losses:
                events += self._observe_all("class", step, class_losses)
            if log_probs:
                events += self._observe_all("skill", step, log_probs)
        except (TypeError, ValueError) as fault:
            raise DataError(f"what is observed of step {step} must be numbers: {fault}") from fault
        return self._report(events, batch, document_losses) if events else events

    def _observe_all(self, kind: str, step: int, values: Mapping[str, float]) -> list[WatchEvent]:
        events = []
        for name, value in values.items():
            number = float(value)
            if not math.isfinite(number):
                self.missing += 1
            elif found := self._stream(kind, name).observe(step, number, keep_fall=False):
                events.append(found)
        return events

    def _report(self, events: list[WatchEvent], batch: Any, losses: Any) -> list[WatchEvent]:
        """The events, with what stood in the batch at a spike; the caller's function is called with each."""
        if batch is not None and any(event.kind in ("spike", "divergence") for event in events):
            content = self._content(batch, losses)
            events = [
                replace(event, batch=content) if event.kind in ("spike", "divergence") else event for event in events
            ]
        self.events = [*self.events, *events][-MAX_EVENTS:]
        if self._on_event is not None:
            for event in events:
                self._on_event(event)
        return events

    def _content(self, batch: Any, losses: Any) -> BatchContent:
        losses = losses() if callable(losses) else losses
        return batch_content(batch() if callable(batch) else batch, self._decode, losses=losses)

    def begin_stage(self) -> None:
        """Test progress from the next step on: the learning rate or the batch size is another one."""
        self._keep_fall = True
        self._loss.restart_progress(keep_fall=True)

    @property
    def rise_evidence(self) -> float:
        """The logarithm of the evidence that the loss rises; minus infinity where there is none."""
        return self._loss.shift.evidence[0]

    def _stream(self, kind: str, name: str) -> WatchStream:
        stream = self._streams.get((kind, name))
        if stream is None:
            settings: dict[str, Any] = dict(self._settings)
            if kind in ("class", "skill"):
                settings |= {"history": EVALUATION_HISTORY, "mean_run_length": EVALUATION_RUN_LENGTH}
            stream = self._streams[kind, name] = _KINDS[kind](name, **settings)
        return stream

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on, as plain values that JSON holds."""
        return {
            "version": _VERSION,
            "settings": dict(self._settings),
            "step": self.step,
            "missing": self.missing,
            "keep_fall": self._keep_fall,
            "events": [event.to_dict() for event in self.events],
            "streams": [[kind, name, stream.state()] for (kind, name), stream in self._streams.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave.

        Args:
            state: of a watch with the same settings.

        Raises:
            DataError: it is of another version or of other settings.
        """
        if state.get("version") != _VERSION or state.get("settings") != self._settings:
            raise DataError(
                f"the state is of a watch of version {state.get('version')} with {json.dumps(state.get('settings'))}; "
                f"this one is of version {_VERSION} with {json.dumps(self._settings)}"
            )
        self.step, self.missing, self._keep_fall = state["step"], state["missing"], state["keep_fall"]
        self.events = [event_from(values) for values in state["events"]]
        held_streams = {(kind, name): held for kind, name, held in state["streams"]}
        # What was observed of other classes and skills since then is no part of the state.
        self._streams = {key: stream for key, stream in self._streams.items() if key in held_streams}
        for (kind, name), held in held_streams.items():
            self._stream(kind, name).load(held)
