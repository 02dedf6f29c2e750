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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from shoal.errors import TrainingError
from shoal.training.batches import Batch, first_documents, micro_batches
from shoal.training.checkpoints import read_checkpoint
from shoal.training.crew import Crew, current_crew
from shoal.training.dropout import dropout_set
from shoal.training.gradients import choose_gradient
from shoal.training.optimizers import make_optimizer, schedule_share
from shoal.training.precision import Dtype, faster_precision
from shoal.training.saving import Saver, identity_of, restore
from shoal.training.settings import CurvePoint, TrainResult
from shoal.training.weights import FlatWeights

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from transformers import PreTrainedModel

    from shoal.progress import Progress
    from shoal.training.batches import BatchSource
    from shoal.training.gradients import Gradient
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedWeights

_NO_WEIGHT = 2**100
"""Tokens that a pass counts for where a process has none: its loss is divided by so many."""

_TRIED_TOKENS = 256
"""Tokens of the step in which the precisions are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Whom the loop tells of each step."""

    on_step: Callable[[CurvePoint], None] | None = None
    progress: Progress | None = None
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
    folder: str | PathLike[str] | None,
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
    folder = None if folder is None else Path(folder)
    start, crew = time.monotonic(), current_crew()
    identity = identity_of(model, source, settings, crew) if folder is not None or crew.size > 1 else {}
    for what, told in identity.items():
        crew.require_same(what, told)
    found = crew.from_first(partial(read_checkpoint, folder, identity)) if folder is not None else None
    curve = list(found.curve) if found is not None else []
    resumed_from = len(curve)
    with ExitStack() as stack:
        stack.callback(model.train, model.training)
        stack.enter_context(dropout_set(model, settings.dropout))
        model.eval()
        weights, gradient, optimizer = _prepare(model, settings, crew, stack)
        weights.module.train()
        stack.enter_context(torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []))
        if found is not None:
            restore(found, weights, optimizer)
        precision = (
            found.precision if found is not None else _precision(gradient, source, settings, crew, model.device.type)
        )
        saver = Saver(folder, identity, settings.checkpoint_seconds, crew)
        stepper = _Stepper(gradient, weights, optimizer, precision, settings, crew)
        _run_steps(stepper, source, curve, saver, watchers if crew.is_first else Watchers())
    return TrainResult(
        curve=tuple(curve),
        precision=precision,
        steps=source.steps,
        seconds=time.monotonic() - start,
        resumed_from=resumed_from,
    )


def _prepare(
    model: PreTrainedModel, settings: TrainSettings, crew: Crew, stack: ExitStack
) -> tuple[FlatWeights | ShardedWeights, Gradient, Optimizers]:
    """The weights in the form in which they are trained, and what moves them."""
    if crew.mode == "fsdp":
        from shoal.training.sharded import ShardedGradient, ShardedWeights, make_sharded_optimizer

        sharded = stack.enter_context(ShardedWeights(model, crew))
        return sharded, ShardedGradient(sharded), make_sharded_optimizer(sharded, settings)
    flat = stack.enter_context(FlatWeights(model, crew))
    return flat, choose_gradient(model, flat, dropout=settings.dropout > 0), make_optimizer(flat, settings)


def _precision(gradient: Gradient, source: BatchSource, settings: TrainSettings, crew: Crew, device: str) -> Dtype:
    if settings.precision != "auto":
        return settings.precision
    if crew.mode == "fsdp":
        return "float32" if crew.device == "cpu" else "bfloat16"
    part = first_documents(source.batch(0), _TRIED_TOKENS)
    chosen: Dtype = crew.from_first(
        lambda: faster_precision(
            lambda precision: float(gradient(part, precision, part.targets)),
            device=device,
        )
    )
    return chosen


@dataclass(frozen=True, slots=True)
class _Stepper:
    """What moves the weights."""

    gradient: Gradient
    weights: FlatWeights | ShardedWeights
    optimizer: Optimizers
    precision: Dtype
    settings: TrainSettings
    crew: Crew

    def step(self, batch: Batch, step: int, share: float) -> tuple[float, float]:
        """One update: the loss before it, and the norm of its gradient before clipping."""
        # Not for dropout alone: some gradients are random where no loss is, such as those of PhiMoE's experts.
        torch.manual_seed(self.settings.seed * 1_000_003 + step + self.crew.rank * 7_368_787)
        self.weights.zero_gradients()
        loss = float(self.crew.add_up(torch.tensor(self._gradient(batch), dtype=torch.float64)))
        self.weights.add_up_gradients()
        norm = self.weights.gradient_norm()
        numbers = (loss, norm)
        for what, number in zip(("loss", "gradient norm"), numbers, strict=True):
            if not math.isfinite(number):
                raise TrainingError(
                    f"the {what} of step {step + 1} is {number} on {batch.name}; "
                    "lower the learning rate or look at these rows (the weights are those before the step)"
                )
        if 0 < self.settings.gradient_clip < norm:
            self.weights.scale_gradients(self.settings.gradient_clip / (norm + 1e-6))
        self.optimizer.step(share)
        return numbers

    def _gradient(self, batch: Batch) -> float:
        """The loss of this process's part of a step; its gradient is added to that of the weights."""
        loss = 0.0
        for whole in micro_batches(batch, self.settings.micro_tokens):
            part = self.crew.part(whole)
            if part.documents:
                loss += float(self.gradient(part, self.precision, batch.targets))
            elif self.crew.mode == "fsdp":
                self.gradient(Batch(whole.documents[-1:], whole.name), self.precision, _NO_WEIGHT)
        return loss


def _run_steps(
    stepper: _Stepper, source: BatchSource, curve: list[CurvePoint], saver: Saver, watchers: Watchers
) -> None:
    """All steps that are left; each point goes on the curve once its update is made."""
    weights, optimizer = stepper.weights, stepper.optimizer
    if not curve:
        saver.save(weights, optimizer, stepper.precision, curve)
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
            saver.save(weights, optimizer, stepper.precision, curve)
        watchers.tell(point, source.steps)
