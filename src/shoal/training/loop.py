"""The loop that all training here goes through; only the source of its batches differs.

One step: a batch, the gradient of its loss, the gradient's norm, the optimizer. Weights and optimizer state are a
function of the initial weights, the settings and the data alone, so that a training that was killed and started again
ends bit for bit where the uninterrupted one does (same machine and number of threads).
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.errors import TrainingError
from shoal.training.batches import first_documents, micro_batches
from shoal.training.checkpoints import read_checkpoint
from shoal.training.dropout import dropout_set
from shoal.training.gradients import choose_gradient
from shoal.training.optimizers import make_optimizer, schedule_share
from shoal.training.precision import Dtype, faster_precision
from shoal.training.saving import Saver, identity_of, restore
from shoal.training.settings import CurvePoint, TrainResult
from shoal.training.weights import FlatWeights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transformers import PreTrainedModel

    from shoal.training.batches import Batch, BatchSource
    from shoal.training.gradients import Gradient
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings

_TRIED_TOKENS = 256
"""Tokens of the step in which the precisions are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Whom the loop tells of each step."""

    on_step: Callable[[CurvePoint], None] | None = None
    progress: Callable[[str, int, int], None] | None = None
    keep: Callable[[CurvePoint], None] | None = None
    """Gets each step before its checkpoint is written, so that what it keeps of the step is there when the training
    goes on behind it; a step that was killed in between is done again. It may look at the model, not change it."""

    def tell(self, point: CurvePoint, steps: int) -> None:
        """Pass on a step that is done."""
        if self.on_step is not None:
            self.on_step(point)
        if self.progress is not None:
            self.progress("training", point.step, steps)


def run_training(
    model: PreTrainedModel,
    source: BatchSource,
    settings: TrainSettings,
    *,
    folder: Path | None,
    watchers: Watchers,
) -> TrainResult:
    """Train the model in place on all batches of the source.

    Raises:
        ModelError: the weights are not float32, or the model cannot be trained here.
        TrainingError: a loss or gradient is not a number; every weight is frozen.
        UsageError: dropout is asked of an architecture that has none.
        StoreError: a checkpoint cannot be written, or is of another training.
        CorruptModelError: a checkpoint is damaged.
    """
    start = time.monotonic()
    identity = identity_of(model, source, settings) if folder is not None else {}
    found = read_checkpoint(folder, identity) if folder is not None else None
    curve = list(found.curve) if found is not None else []
    resumed_from = len(curve)
    with ExitStack() as stack:
        stack.callback(model.train, model.training)
        model.eval()
        weights = stack.enter_context(FlatWeights(model))
        gradient = choose_gradient(model, weights, dropout=settings.dropout > 0)
        optimizer = make_optimizer(weights, settings)
        model.train()
        stack.enter_context(dropout_set(model, settings.dropout))
        stack.enter_context(torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []))
        if found is not None:
            restore(found, weights.values_P, optimizer)
        precision = found.precision if found is not None else _precision(gradient, source, settings)
        saver = Saver(folder, identity, settings.checkpoint_seconds)
        stepper = _Stepper(gradient, weights, optimizer, precision, settings)
        _run_steps(stepper, source, curve, saver, watchers)
    return TrainResult(
        curve=tuple(curve),
        precision=precision,
        steps=source.steps,
        seconds=time.monotonic() - start,
        resumed_from=resumed_from,
    )


def _precision(gradient: Gradient, source: BatchSource, settings: TrainSettings) -> Dtype:
    if settings.precision != "auto":
        return settings.precision
    part = first_documents(source.batch(0), _TRIED_TOKENS)
    return faster_precision(lambda precision: float(gradient(part, precision, part.targets)))


@dataclass(frozen=True, slots=True)
class _Stepper:
    """What moves the weights."""

    gradient: Gradient
    weights: FlatWeights
    optimizer: Optimizers
    precision: Dtype
    settings: TrainSettings

    def step(self, batch: Batch, step: int, share: float) -> tuple[float, float]:
        """One update: the loss before it, and the norm of its gradient before clipping."""
        if self.settings.dropout:
            torch.manual_seed(self.settings.seed * 1_000_003 + step)
        self.weights.grads_P.zero_()
        parts = micro_batches(batch, self.settings.micro_tokens)
        loss = sum(float(self.gradient(part, self.precision, batch.targets)) for part in parts)
        norm = float(torch.linalg.vector_norm(self.weights.grads_P))
        numbers = (loss, norm)
        for what, number in zip(("loss", "gradient norm"), numbers, strict=True):
            if not math.isfinite(number):
                raise TrainingError(
                    f"the {what} of step {step + 1} is {number} on {batch.name}; "
                    "lower the learning rate or look at these rows (the weights are those before the step)"
                )
        if 0 < self.settings.gradient_clip < norm:
            self.weights.grads_P.mul_(self.settings.gradient_clip / (norm + 1e-6))
        self.optimizer.step(share)
        return numbers


def _run_steps(
    stepper: _Stepper, source: BatchSource, curve: list[CurvePoint], saver: Saver, watchers: Watchers
) -> None:
    """All steps that are left; each point goes on the curve once its update is made."""
    values_P, optimizer = stepper.weights.values_P, stepper.optimizer
    if not curve:
        saver.save(values_P, optimizer, stepper.precision, curve)
    for step in range(len(curve), source.steps):
        batch = source.batch(step)
        tokens = batch.targets + (curve[-1].tokens if curve else 0)
        share = schedule_share(step, source.steps, stepper.settings)
        loss, norm = stepper.step(batch, step, share)
        rate = share * stepper.settings.learning_rate
        point = CurvePoint(step=step + 1, loss=loss, learning_rate=rate, gradient_norm=norm, tokens=tokens)
        curve.append(point)
        if watchers.keep is not None:
            watchers.keep(point)
        if step + 1 == source.steps or saver.is_due():
            saver.save(values_P, optimizer, stepper.precision, curve)
        watchers.tell(point, source.steps)
