"""The monitor of a training: evaluates held-out documents on the way, stops by them, and keeps the best weights.

Its state is what it has measured, so that a resumed training stops where an uninterrupted one does, and with the same
weights. With several processes rank 0 measures and all of them decide, alike.

Shapes: K evaluations, D held-out documents, S documents of the training sample, P trained weights in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import StoreError, TrainingError, UsageError
from shoal.training.early_stopping import EarlyStopping, best_evaluation
from shoal.training.held_out import CONFIDENCE, HeldOutCurve, Measured, MonitoredDocuments, held_out_point

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from transformers import PreTrainedModel

    from shoal.training.distributed import ProcessGroup
    from shoal.training.flat_parameters import FlatParameters
    from shoal.training.held_out import Array, HeldOutPoint
    from shoal.training.settings import TrainSettings

EVALUATIONS = 20
"""Of a training whose settings say nothing of their distance, besides the one before the first step."""

_KEY = "held-out/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What is measured while a model learns, and when."""

    held_out: MonitoredDocuments
    """Documents that are not trained on."""

    training_sample: MonitoredDocuments | None = None
    """Some that are, for the gap between the two; None measures no gap."""

    steps: Collection[int] | None = None
    """The steps after which they are evaluated, 0 for before the first; None for what the settings have.

    The last step of the training is one of them in any case, since its weights are returned."""


def evaluation_steps(steps: int, every: int, *, count: int = EVALUATIONS) -> frozenset[int]:
    """The steps after which a training is evaluated: before the first, after the last, and at equal distances between.

    Args:
        steps: of the whole training.
        every: steps between two evaluations; 0 for ``count`` of them.
        count: how many, where ``every`` is 0.
    """
    if every:
        return frozenset({*range(0, steps, every), steps})
    return frozenset(round(part * steps / count) for part in range(count + 1))


class HeldOutMonitor:
    """Measures, and decides by what it has measured.

    Args:
        monitoring: what is measured.
        settings: of the training.
        steps: of the whole training.
        weights: of the model.
        group: the processes of the training.

    Raises:
        UsageError: there are no documents, or one alone where a test over documents is wanted.
    """

    def __init__(
        self,
        monitoring: Monitoring,
        settings: TrainSettings,
        steps: int,
        weights: FlatParameters,
        group: ProcessGroup,
    ) -> None:
        documents = len(monitoring.held_out.tokens)
        if not documents:
            raise UsageError("there are no held-out documents to evaluate; give at least one, or no monitoring")
        if documents == 1 and settings.early_stopping_patience and settings.early_stopping_alpha < 1:
            raise UsageError(
                "early stopping compares documents, and there is one held-out document; give more, or "
                "early_stopping_alpha = 1 to stop without a test"
            )
        self._monitoring, self._weights, self._group = monitoring, weights, group
        every = settings.evaluate_every
        given = {step for step in monitoring.steps or () if step < steps}
        self._steps = evaluation_steps(steps, every) if monitoring.steps is None else frozenset({*given, steps})
        self._rule = EarlyStopping(
            patience=settings.early_stopping_patience,
            alpha=settings.early_stopping_alpha,
            evaluations=len(self._steps),
        )
        self._keeps_best = settings.keep_best or settings.early_stopping_patience > 0
        self._measured: list[Measured] = []
        self._points: list[HeldOutPoint] = []
        self._best_P: torch.Tensor | None = None
        sample = monitoring.training_sample
        self._tokens_D = np.asarray(monitoring.held_out.tokens, dtype=np.float64)
        self._tokens_S = np.asarray(sample.tokens if sample is not None else (), dtype=np.float64)
        self.stopped = False
        """Whether the training ends after the last evaluation, whatever steps are left."""

    def is_due(self, step: int) -> bool:
        """Whether there is an evaluation after this step."""
        return step in self._steps

    def evaluate(self, model: PreTrainedModel, step: int) -> HeldOutPoint:
        """Measure, keep the weights where they are the best so far, and decide whether to stop.

        Args:
            model: with the weights that would be returned now.
            step: that they are of.

        Raises:
            TrainingError: a held-out loss is not a number.
        """
        held_out_D, training_S = self._group.broadcast_from_rank0(lambda: self._measure(model))
        if not np.isfinite(held_out_D).all():
            worst = int(np.flatnonzero(~np.isfinite(held_out_D))[0])
            raise TrainingError(
                f"the loss of held-out document {worst} after step {step} is {held_out_D[worst]}; lower the learning "
                "rate or look at this document"
            )
        self._measured.append(Measured(step, held_out_D, training_S))
        self._decide()
        if self._keeps_best and self._best_place() == len(self._measured) - 1:
            self._best_P = self._weights.to_vector().clone()
        return self._all_points()[-1]

    def _measure(self, model: PreTrainedModel) -> tuple[Array, Array]:
        sample = self._monitoring.training_sample
        training_S = sample.measure(model) if sample is not None else np.zeros(0)
        return self._monitoring.held_out.measure(model), training_S

    def _decide(self) -> None:
        self.stopped = self._rule.stops(self._held_out_losses())

    def _held_out_losses(self) -> list[Array]:
        return [measured.held_out_D for measured in self._measured]

    def _best_place(self) -> int:
        return best_evaluation(self._held_out_losses())

    def _all_points(self) -> list[HeldOutPoint]:
        # Those of a resumed training are made when they are first wanted.
        for measured in self._measured[len(self._points) :]:
            self._points.append(held_out_point(measured, self._tokens_D, self._tokens_S))
        return self._points

    def finish(self) -> None:
        """Leave the best weights in the model, where the settings want them."""
        if self._best_P is not None:
            self._weights.load_vector(self._best_P)

    def curve(self, *, is_whole: bool) -> HeldOutCurve:
        """What was measured, of a training that has come to its end.

        Args:
            is_whole: whether it read all of its batches.
        """
        # Here alone, so that a training does not wait for the change-point engine to be loaded.
        from shoal.training.overfitting import find_overfitting

        steps = [measured.step for measured in self._measured]
        best = steps[self._best_place()]
        return HeldOutCurve(
            points=tuple(self._all_points()),
            documents=len(self._tokens_D),
            confidence=CONFIDENCE,
            best_step=best,
            returned_step=best if self._keeps_best else steps[-1],
            stopped_early=self.stopped and not is_whole,
            onset=find_overfitting(steps, self._held_out_losses(), self._tokens_D),
        )

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of it."""
        if not self._measured:
            return {}
        state = {
            f"{_KEY}steps": torch.tensor([measured.step for measured in self._measured]),
            f"{_KEY}losses": torch.from_numpy(np.stack([measured.held_out_D for measured in self._measured])),
            f"{_KEY}sample": torch.from_numpy(np.stack([measured.training_S for measured in self._measured])),
            # By which other documents are told from these.
            f"{_KEY}tokens": torch.from_numpy(self._tokens_D),
            f"{_KEY}sample-tokens": torch.from_numpy(self._tokens_S),
        }
        return state if self._best_P is None else state | {f"{_KEY}best": self._best_P}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to what `state` gave.

        Raises:
            StoreError: it is of other documents.
        """
        if f"{_KEY}steps" not in state:
            return
        losses_KD, sample_KS = state[f"{_KEY}losses"].numpy(), state[f"{_KEY}sample"].numpy()
        found, given = (losses_KD.shape[1], sample_KS.shape[1]), (len(self._tokens_D), len(self._tokens_S))
        if found != given:
            raise StoreError(
                f"the checkpoint was made with {found[0]} held-out and {found[1]} training documents under "
                f"evaluation, and there are {given[0]} and {given[1]} now; give the same, or another folder"
            )
        for what, key, tokens in (
            ("held-out", "tokens", self._tokens_D),
            ("training", "sample-tokens", self._tokens_S),
        ):
            # Checkpoints from before there was this check do not have them.
            if f"{_KEY}{key}" in state and not np.array_equal(state[f"{_KEY}{key}"].numpy(), tokens):
                raise StoreError(
                    f"the checkpoint was made with other {what} documents under evaluation, whose tokens differ in "
                    "number; give the same, or another folder"
                )
        steps = state[f"{_KEY}steps"].tolist()
        self._measured = [Measured(*row) for row in zip(steps, losses_KD, sample_KS, strict=True)]
        if f"{_KEY}best" in state:
            self._best_P = state[f"{_KEY}best"].to(self._weights.to_vector().device)
        self._decide()
