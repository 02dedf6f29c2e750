"""What goes along with the steps of a training: its learning rate, its averaged weights, its watch and its monitor.

With ``schedule = "changes"`` the rate follows `shoal.training.watch.ChangesSchedule`. Updates whose loss or gradient is
not finite are left out, and a training that diverges goes back to a copy of weights and optimizer that is kept in
memory. All of it is a function of the losses, which are the same in every process, and stands in the checkpoint, so
that a resumed training decides as an uninterrupted one. What a training does not use costs nothing here.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from shoal.errors import UsageError
from shoal.training.averaging import WeightAverage
from shoal.training.flat_parameters import FlatParameters
from shoal.training.monitoring import HeldOutMonitor
from shoal.training.optimizers import schedule_share
from shoal.training.watch import ChangesSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from transformers import PreTrainedModel

    from shoal.training.batches import Batch
    from shoal.training.distributed import ProcessGroup
    from shoal.training.held_out import HeldOutCurve, HeldOutPoint
    from shoal.training.monitoring import Monitoring
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters
    from shoal.training.watch import RateDecision, Watch


SNAPSHOTS = 20
"""Copies of the weights that a training takes, one after the other, at least ten steps apart."""
_MIN_DISTANCE = 10
_KEY, _WEIGHTS, _OPTIMIZER, _AVERAGE = "watch/state", "watch/weights", "watch/optimizer/", "watch/average/"


class RateControl:
    """The rate of a training, and the watch over it.

    Args:
        settings: of the training.
        steps: batches of the source.
        watch: of the caller; None for none.
        average: of the weights, which goes back with them; None for none.
    """

    def __init__(
        self, settings: TrainSettings, steps: int, watch: Watch | None, average: WeightAverage | None = None
    ) -> None:
        self._settings, self._steps, self._watch, self._average = settings, steps, watch, average
        self._schedule: ChangesSchedule | None = None
        if settings.schedule == "changes":
            self._schedule = ChangesSchedule(
                steps=steps,
                warmup_steps=round(settings.warmup * steps),
                decay=settings.decay,
                acts_on=settings.changes_acts_on,
                first_step=1,
            )
        self._snapshot: tuple[torch.Tensor, dict[str, torch.Tensor], dict[str, torch.Tensor]] | None = None
        """Weights, and the states of optimizer and average."""
        self.used = 0
        """Batches that were trained on."""

    @property
    def batches(self) -> int:
        """That the next step takes."""
        return 1 if self._schedule is None else min(self._schedule.batches, self._steps - self.used)

    @property
    def may_skip(self) -> bool:
        """Whether an update that is not finite may be left out, there being weights to go back to."""
        return self._schedule is not None and self._snapshot is not None and not self._schedule.has_given_up

    @property
    def decisions(self) -> tuple[RateDecision, ...]:
        """What was done to the rate, and why."""
        return () if self._schedule is None else tuple(self._schedule.decisions)

    def share(self, step: int) -> float:
        """The share of the peak rate of a step, counted from 0."""
        if self._schedule is None:
            return schedule_share(step, self._steps, self._settings)
        return self._schedule.share(step + 1, done=self.used)

    def observe(
        self, step: int, loss: float, norm: float, batch: Batch, document_losses: Callable[[], list[float]] | None
    ) -> None:
        """Show the watch a step whose update is not made yet, so that the weights are those of its loss.

        Args:
            step: counted from 1.
            loss: of the step.
            norm: of its gradient.
            batch: that it is taken on.
            document_losses: gives the loss of each document; None where that cannot be measured.
        """
        if self._watch is not None:
            self._watch.observe(step, loss=loss, gradient_norm=norm, batch=batch, document_losses=document_losses)

    def after_step(
        self,
        step: int,
        loss: float,
        norm: float,
        weights: FlatParameters | ShardedParameters,
        optimizer: Optimizers,
    ) -> list[RateDecision]:
        """Take in a finished step; go back to the last good weights where that is decided.

        Args:
            step: counted from 1.
            loss: of the step.
            norm: of its gradient.
            weights: after the update.
            optimizer: after it, too.
        """
        self.used += self.batches
        if self._schedule is None:
            return []
        made = self._schedule.observe(step, loss, norm, done=self.used)
        if any(one.action == "roll back" for one in made) and self._snapshot is not None:
            weights.load_vector(self._snapshot[0])
            optimizer.load(self._snapshot[1])
            if self._average is not None:
                self._average.load(self._snapshot[2])
        elif not made and self._schedule.is_calm and self._is_due(step):
            average = {} if self._average is None else self._average.state()
            self._snapshot = weights.to_vector().detach().clone(), _copied(optimizer.state()), _copied(average)
        return made

    def _is_due(self, step: int) -> bool:
        return self._snapshot is None or step % max(_MIN_DISTANCE, self._steps // SNAPSHOTS) == 0

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of it."""
        if self._watch is None and self._schedule is None:
            return {}
        held = {
            "used": self.used,
            "watch": None if self._watch is None else self._watch.state_dict(),
            "schedule": None if self._schedule is None else self._schedule.state_dict(),
        }
        # As bytes: a checkpoint holds tensors.
        state = {_KEY: torch.frombuffer(bytearray(json.dumps(held).encode()), dtype=torch.uint8)}
        if self._snapshot is not None:
            state[_WEIGHTS] = self._snapshot[0]
            for prefix, held_state in zip((_OPTIMIZER, _AVERAGE), self._snapshot[1:], strict=True):
                state |= {prefix + name: tensor for name, tensor in held_state.items()}
        return state

    def load(self, state: Mapping[str, torch.Tensor], steps: int) -> None:
        """Go back to what `state` gave.

        Args:
            state: of a checkpoint.
            steps: that were made before it.
        """
        self.used = steps
        if _KEY not in state:
            return
        held = json.loads(bytes(state[_KEY].tolist()))
        self.used = held["used"]
        if self._watch is not None and held["watch"] is not None:
            self._watch.load_state_dict(held["watch"])
        if self._schedule is not None and held["schedule"] is not None:
            self._schedule.load_state_dict(held["schedule"])
        if _WEIGHTS in state:
            optimizer, average = (
                {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
                for prefix in (_OPTIMIZER, _AVERAGE)
            )
            self._snapshot = state[_WEIGHTS], optimizer, average


def _copied(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


class Companions:
    """The average and the monitor, where the settings and the caller want them.

    Args:
        model: that is trained.
        weights: of the model.
        settings: of the training.
        steps: of the whole training, as many as there are batches.
        monitoring: what is evaluated on the way; None for nothing.
        group: the processes of the training.

    Raises:
        UsageError: the settings need whole weights, and they are sharded.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        weights: FlatParameters | ShardedParameters,
        settings: TrainSettings,
        steps: int,
        monitoring: Monitoring | None,
        group: ProcessGroup,
    ) -> None:
        self._model = model
        self.average: WeightAverage | None = None
        """Of the weights, where the settings want one."""
        self._monitor: HeldOutMonitor | None = None
        averaged = settings.ema_decay > 0 or settings.swa_start is not None
        if not averaged and monitoring is None:
            return
        if not isinstance(weights, FlatParameters):
            what = "averages of the weights" if averaged else "held-out evaluations on the way"
            raise UsageError(f"{what} need whole weights, which fsdp cuts; take the mode ddp")
        if averaged:
            self.average = WeightAverage(weights, settings, steps)
        if monitoring is not None:
            self._monitor = HeldOutMonitor(monitoring, settings, steps, weights, group)

    @property
    def stopped(self) -> bool:
        """Whether the training ends here, whatever steps are left."""
        return self._monitor is not None and self._monitor.stopped

    def after_step(self, step: int, done: int, *, is_last: bool = False) -> HeldOutPoint | None:
        """Count the weights of a step into the average, and evaluate them where that is due.

        Args:
            step: counted from 1; 0 for the initial weights.
            done: batches that were trained on.
            is_last: whether no batch is left: the weights that are returned are evaluated in any case.

        Returns:
            The evaluation, where there was one.

        Raises:
            TrainingError: a held-out loss is not a number.
        """
        if self.average is not None and step:
            self.average.update(step, done)
        if self._monitor is None or not (is_last or self._monitor.is_due(step)):
            return None
        with self.in_model():
            return self._monitor.evaluate(self._model, step)

    def in_model(self) -> AbstractContextManager[None]:
        """Within it the model has the weights that are evaluated: the averaged ones, where there is an average."""
        return nullcontext() if self.average is None else self.average.in_model()

    def finish(self, *, is_whole: bool) -> HeldOutCurve | None:
        """Leave the weights that are returned in the model, and give what held-out documents showed.

        Args:
            is_whole: whether all batches were read.
        """
        if self.average is not None:
            self.average.finish()
        if self._monitor is None:
            return None
        self._monitor.finish()
        return self._monitor.curve(is_whole=is_whole)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of both."""
        parts = [part.state() for part in (self.average, self._monitor) if part is not None]
        return {name: tensor for part in parts for name, tensor in part.items()}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to what `state` gave."""
        for part in (self.average, self._monitor):
            if part is not None:
                part.load(state)


def check_monitoring(settings: TrainSettings, *, given: bool) -> None:
    """Refuse settings that cannot be followed without held-out documents.

    Args:
        settings: of a training.
        given: whether there are held-out documents.

    Raises:
        UsageError: there are none, and the settings need them.
    """
    if given:
        return
    for name in ("early_stopping_patience", "keep_best", "evaluate_every"):
        if value := getattr(settings, name):
            raise UsageError(
                f"{name} = {value} needs held-out documents, and none are given; hold some out, or leave it"
            )
