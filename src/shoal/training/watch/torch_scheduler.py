"""`ChangesSchedule` for any optimizer of PyTorch, called as the schedulers of ``torch.optim.lr_scheduler`` are."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

from torch.optim.lr_scheduler import LRScheduler

from shoal.training.watch.schedule import FACTOR, ChangesSchedule
from shoal.training.watch.watch import MIN_PROGRESS

if TYPE_CHECKING:
    import torch

    from shoal.training.watch.schedule import ActsOn, RateDecision

SNAPSHOT_STEPS = 50
"""Between two copies of the weights."""


class ChangesLR(LRScheduler):
    """A learning rate that decays where progress ends: ``scheduler.step(loss)`` after each ``optimizer.step()``.

    With ``model`` it keeps a copy of the weights and of the optimizer in memory, and a training that diverges is rolled
    back to them. To leave out an update whose loss is not finite, ask `accepts` before ``optimizer.step()``.

    Args:
        optimizer: its learning rates are the peaks.
        total_steps: of the whole training; None where they are not known, and there is no final decay.
        model: that is rolled back; None for none.
        warmup_steps: as all that follow in `ChangesSchedule`.
        decay: share of a stage's steps that its decay takes.
        factor: of the rate, from one stage to the next.
        acts_on: with ``batch`` the rate stays, and `batches` says how many batches to accumulate for a step.
        mean_run_length: steps per false alarm; None for 20 times ``total_steps``, so that one training in 20 has a
            false decay, and for 100,000 where they are not known.
        min_progress: what still counts as progress.

    Raises:
        UsageError: a number is out of its range.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        total_steps: int | None = None,
        *,
        model: torch.nn.Module | None = None,
        warmup_steps: int = 0,
        decay: float = 0.2,
        factor: float = FACTOR,
        acts_on: ActsOn = "rate",
        mean_run_length: float | None = None,
        min_progress: float = MIN_PROGRESS,
    ) -> None:
        self.schedule = ChangesSchedule(
            steps=total_steps,
            warmup_steps=warmup_steps,
            decay=decay,
            factor=factor,
            acts_on=acts_on,
            mean_run_length=mean_run_length,
            min_progress=min_progress,
        )
        self._model = model
        self._snapshot: tuple[dict[str, Any], dict[str, Any]] | None = None
        super().__init__(optimizer)

    @property
    def decisions(self) -> list[RateDecision]:
        """What was done and why, in order."""
        return self.schedule.decisions

    @property
    def batches(self) -> int:
        """Batches to accumulate for the next step, with ``acts_on="batch"``."""
        return self.schedule.batches

    def accepts(self, loss: float | torch.Tensor) -> bool:
        """Whether the update of a step with this loss is to be made: whether the loss is finite."""
        return math.isfinite(_number(loss))

    def step(  # type: ignore[override]  # the loss comes first, as for ReduceLROnPlateau
        self, metrics: float | torch.Tensor | None = None, epoch: int | None = None
    ) -> None:
        """Take in the loss of a step, and set the rate of the next.

        Args:
            metrics: the loss; None, as the ``Trainer`` of transformers calls it, only goes on by a step (give
                the loss to `observe` then).
            epoch: not used; for the signature of torch.
        """
        if metrics is not None:
            self.observe(_number(metrics))
        super().step(epoch)

    def observe(self, loss: float) -> list[RateDecision]:
        """Take in the loss of the present step without going on by one; what is done because of it."""
        step = max(self.last_epoch, self.schedule.watch.step)
        made = self.schedule.observe(step, loss)
        if self._model is None:
            return made
        if any(one.action == "roll back" for one in made):
            if self._snapshot is not None:
                self._model.load_state_dict(self._snapshot[0])
                # A copy: the optimizer takes the tensors as they are and updates them in place.
                self.optimizer.load_state_dict(copy.deepcopy(self._snapshot[1]))
        elif not made and self.schedule.is_calm and (self._snapshot is None or step % SNAPSHOT_STEPS == 0):
            self._snapshot = copy.deepcopy((self._model.state_dict(), self.optimizer.state_dict()))
        return made

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rates of the next step."""
        # Called by the constructor of torch too, before the first step.
        share = self.schedule.share(self.last_epoch)
        return [rate * share for rate in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        """What the next steps depend on, the copy of the weights left out."""
        left_out = ("optimizer", "schedule", "_model", "_snapshot")
        values = {key: value for key, value in self.__dict__.items() if key not in left_out}
        return values | {"schedule": self.schedule.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave.

        Args:
            state_dict: of a scheduler with the same settings.
        """
        values = dict(state_dict)
        self.schedule.load_state_dict(values.pop("schedule"))
        self.__dict__.update(values)


def _number(loss: float | torch.Tensor) -> float:
    """A loss as a number, whatever kind it is of."""
    # A tensor with a gradient warns where it becomes a number.
    return float(loss.detach()) if hasattr(loss, "detach") else float(loss)
