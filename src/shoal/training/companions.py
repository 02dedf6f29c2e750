"""What goes along with the steps of a training: the average of its weights, and the monitor of held-out documents.

A training without either has nothing to do here, and costs nothing.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.training.averaging import WeightAverage
from shoal.training.flat_parameters import FlatParameters
from shoal.training.monitoring import HeldOutMonitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    import torch
    from transformers import PreTrainedModel

    from shoal.training.distributed import ProcessGroup
    from shoal.training.held_out import HeldOutCurve, HeldOutPoint
    from shoal.training.monitoring import Monitoring
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters


class Companions:
    """The average and the monitor, where the settings and the caller want them.

    Args:
        model: that is trained.
        weights: of the model.
        settings: of the training.
        steps: of the whole training.
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
        self._average: WeightAverage | None = None
        self._monitor: HeldOutMonitor | None = None
        averaged = settings.ema_decay > 0 or settings.swa_start is not None
        if not averaged and monitoring is None:
            return
        if not isinstance(weights, FlatParameters):
            what = "averages of the weights" if averaged else "held-out evaluations on the way"
            raise UsageError(f"{what} need whole weights, which fsdp cuts; take the mode ddp")
        if averaged:
            self._average = WeightAverage(weights, settings, steps)
        if monitoring is not None:
            self._monitor = HeldOutMonitor(monitoring, settings, steps, weights, group)

    @property
    def stopped(self) -> bool:
        """Whether the training ends here, whatever steps are left."""
        return self._monitor is not None and self._monitor.stopped

    def after_step(self, step: int) -> HeldOutPoint | None:
        """Count the weights of a step into the average, and evaluate them where that is due.

        Args:
            step: counted from 1; 0 for the initial weights.

        Returns:
            The evaluation, where there was one.

        Raises:
            TrainingError: a held-out loss is not a number.
        """
        if self._average is not None and step:
            self._average.update(step)
        if self._monitor is None or not self._monitor.is_due(step):
            return None
        with self.in_model():
            return self._monitor.evaluate(self._model, step)

    def in_model(self) -> AbstractContextManager[None]:
        """Within it the model has the weights that are evaluated: the averaged ones, where there is an average."""
        return nullcontext() if self._average is None else self._average.in_model()

    def finish(self) -> HeldOutCurve | None:
        """Leave the weights that are returned in the model, and give what held-out documents showed."""
        if self._average is not None:
            self._average.finish()
        if self._monitor is None:
            return None
        self._monitor.finish()
        return self._monitor.curve()

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of both."""
        parts = [part.state() for part in (self._average, self._monitor) if part is not None]
        return {name: tensor for part in parts for name, tensor in part.items()}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to what `state` gave."""
        for part in (self._average, self._monitor):
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
