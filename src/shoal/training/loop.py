"""The loop that all training here goes through; only the source of its batches differs.

One step: a batch to hidden states, the chunked loss, the gradient, its norm, the optimizer. Weights and optimizer state
are a function of the initial weights, the settings and the data alone, so that a training that was killed and started
again ends bit for bit where the uninterrupted one does (same machine and number of threads).
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.errors import ModelError, TrainingError
from shoal.training.bodies import PaddedRows, targets_of
from shoal.training.checkpoints import read_checkpoint
from shoal.training.dropout import dropout_set
from shoal.training.loss import mean_cross_entropy
from shoal.training.optimizers import learning_rate, make_optimizer, trained_parameters
from shoal.training.precision import Dtype, faster_precision, products_in
from shoal.training.saving import Saver, identity_of, restore
from shoal.training.settings import CurvePoint, TrainResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transformers import PreTrainedModel

    from shoal.models.anatomy import Head
    from shoal.training.batches import Batch, BatchSource
    from shoal.training.bodies import Body
    from shoal.training.settings import TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Whom the loop tells of each step."""

    on_step: Callable[[CurvePoint], None] | None = None
    progress: Callable[[str, int, int], None] | None = None

    def tell(self, point: CurvePoint, steps: int) -> None:
        """Pass on a step that is done."""
        if self.on_step is not None:
            self.on_step(point)
        if self.progress is not None:
            self.progress("training", point.step, steps)


@dataclass(frozen=True, slots=True)
class _Trainee:
    """A model on its way, and what moves it."""

    model: PreTrainedModel
    body: Body
    head: Head
    weights: dict[str, torch.nn.Parameter]
    optimizer: torch.optim.Optimizer

    def loss(self, batch: Batch, precision: Dtype) -> torch.Tensor:
        with products_in(precision, self.model.device):
            hidden_ND = self.body(batch)
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        return mean_cross_entropy(hidden_ND.to(dtype), targets_of(batch, self.model.device), self.head)


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
    trainee = _prepare(model, settings)
    with ExitStack() as stack:
        stack.callback(model.train, model.training)
        model.train()
        stack.enter_context(dropout_set(model, settings.dropout))
        stack.enter_context(torch.random.fork_rng(devices=_cuda_devices(model)))
        found = read_checkpoint(folder, identity) if folder is not None else None
        if found is not None:
            restore(found, trainee.weights, trainee.optimizer)
        precision = found.precision if found is not None else _precision(trainee, source, settings)
        curve = list(found.curve) if found is not None else []
        resumed_from = len(curve)
        _steps(
            trainee, source, settings, precision, curve, Saver(folder, identity, settings.checkpoint_seconds), watchers
        )
    return TrainResult(
        curve=tuple(curve),
        precision=precision,
        steps=source.steps,
        seconds=time.monotonic() - start,
        resumed_from=resumed_from,
    )


def _prepare(model: PreTrainedModel, settings: TrainSettings) -> _Trainee:
    from shoal.models.anatomy import split_model

    weights = trained_parameters(model)
    for name, weight in weights.items():
        if weight.dtype != torch.float32:
            raise ModelError(f"the weights {name} are {weight.dtype}; load the model with dtype='float32' to train it")
    model.eval()
    body = PaddedRows(split_model(model))
    return _Trainee(
        model=model,
        body=body,
        head=body.head,
        weights=weights,
        optimizer=make_optimizer(weights, settings),
    )


def _cuda_devices(model: PreTrainedModel) -> list[torch.device]:
    return [model.device] if model.device.type == "cuda" else []


def _precision(trainee: _Trainee, source: BatchSource, settings: TrainSettings) -> Dtype:
    if settings.precision != "auto":
        return settings.precision
    first = source.batch(0)

    def step(precision: Dtype) -> None:
        trainee.loss(first, precision).backward()
        trainee.optimizer.zero_grad()

    return faster_precision(step)


def _steps(
    trainee: _Trainee,
    source: BatchSource,
    settings: TrainSettings,
    precision: Dtype,
    curve: list[CurvePoint],
    saver: Saver,
    watchers: Watchers,
) -> None:
    """All steps that are left; each point goes on the curve once its update is made."""
    if not curve:
        saver.save(trainee.weights, trainee.optimizer, precision, curve)
    for step in range(len(curve), source.steps):
        batch = source.batch(step)
        tokens = batch.targets + (curve[-1].tokens if curve else 0)
        rate = learning_rate(step, source.steps, settings)
        loss, norm = _update(trainee, batch, precision, rate, settings, step)
        point = CurvePoint(step=step + 1, loss=loss, learning_rate=rate, gradient_norm=norm, tokens=tokens)
        curve.append(point)
        if step + 1 == source.steps or saver.is_due():
            saver.save(trainee.weights, trainee.optimizer, precision, curve)
        watchers.tell(point, source.steps)


def _update(
    trainee: _Trainee, batch: Batch, precision: Dtype, rate: float, settings: TrainSettings, step: int
) -> tuple[float, float]:
    """One step of the optimizer: the loss before it, and the norm of its gradient before clipping."""
    if settings.dropout:
        torch.manual_seed(hash((settings.seed, step)))
    loss = trainee.loss(batch, precision)
    loss.backward()
    grads = [weight.grad for weight in trainee.weights.values() if weight.grad is not None]
    norm = torch.nn.utils.get_total_norm(grads)
    numbers = (float(loss.detach()), float(norm))
    for what, number in zip(("loss", "gradient norm"), numbers, strict=True):
        if not math.isfinite(number):
            raise TrainingError(
                f"the {what} of step {step + 1} is {number} on {batch.name}; "
                "lower the learning rate or look at these rows (weights are those before the step)"
            )
    if settings.gradient_clip:
        torch.nn.utils.clip_grads_with_norm_(list(trainee.weights.values()), settings.gradient_clip, norm)
    for group in trainee.optimizer.param_groups:
        group["lr"] = rate
    trainee.optimizer.step()
    trainee.optimizer.zero_grad()
    return numbers
