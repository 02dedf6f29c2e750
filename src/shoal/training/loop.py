"""The training loop; fine-tuning and pretraining differ only in the source of the batches.

One step: a batch, the gradient of its loss, the gradient's norm, the optimizer. Weights and optimizer state are a
function of the initial weights, the settings and the data alone, so that a training that was killed and resumed ends
bit for bit where the uninterrupted one does (same machine and number of threads).
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
from shoal.training.adapters import add_adapters, frozen_by
from shoal.training.batches import Batch, joined_batch, micro_batches
from shoal.training.checkpointing import Checkpointer, fingerprint, read_checkpoint
from shoal.training.companions import Companions, RateControl, check_monitoring
from shoal.training.distributed import ProcessGroup, current_process_group
from shoal.training.document_losses import document_losses
from shoal.training.llama import LlamaGradient
from shoal.training.preparation import choose_precision, dropout_set_to, prepare_weights
from shoal.training.settings import CurvePoint, GradientName, TrainResult, count_trained

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from transformers import PreTrainedModel

    from shoal.progress import Progress
    from shoal.training.batches import BatchSource
    from shoal.training.distillation import Teacher
    from shoal.training.flat_parameters import FlatParameters
    from shoal.training.gradients import Dtype, Gradient
    from shoal.training.held_out import HeldOutPoint
    from shoal.training.monitoring import Monitoring
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters
    from shoal.training.watch import RateDecision, Watch

# A process without documents still takes part in fsdp's collective operations; its loss is divided by this number, so
# that it adds nothing to the gradient.
_NO_WEIGHT = 2**100

# Strides of the seeds of a step's random numbers: primes, so that no step of one rank has the seed of another's.
_SEED_STRIDE, _RANK_STRIDE = 1_000_003, 7_368_787


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """Called after each training step; rank 0 alone calls them."""

    before_checkpoint: Callable[[CurvePoint, bool], None] | None = None
    """Called with the point of a step, and with whether the training ends there, before the checkpoint of the step is
    written, so that what it records of the step is on disk when a resumed training starts behind it; a step that was
    killed in between is done again. It must not change the model, which has the averaged weights meanwhile, where there
    is an average."""

    on_step: Callable[[CurvePoint], None] | None = None
    on_evaluation: Callable[[HeldOutPoint], None] | None = None
    """Called with each evaluation of held-out documents, before what is called for its step."""

    watch: Watch | None = None
    """Observes each step, before what is called for it; its state is part of the checkpoint."""

    on_decision: Callable[[RateDecision], None] | None = None
    """Called with what the schedule ``changes`` does, before what is called for its step."""

    progress: Progress | None = None
    """Called with ("training", steps done, steps in all); where a step may take several batches, those count."""

    def after_step(self, point: CurvePoint, done: int, steps: int) -> None:
        """Report a finished step.

        Args:
            point: of the step.
            done: batches that were trained on.
            steps: batches of the whole training.
        """
        if self.on_step is not None:
            self.on_step(point)
        if self.progress is not None:
            self.progress("training", done, steps)


def run_training(
    model: PreTrainedModel,
    source: BatchSource,
    settings: TrainSettings,
    *,
    folder: str | PathLike[str] | None = None,
    callbacks: Callbacks | None = None,
    monitoring: Monitoring | None = None,
    teacher: Teacher | None = None,
) -> TrainResult:
    """Train a model in place on all batches of a source.

    Args:
        model: any causal LM of transformers in float32, on the device on which it is trained.
        source: gives each batch by its number; `PackedExamples`, `TokenWindows`, `DocumentSource` or one of your own.
        settings: of the optimizer, the schedule and the precision; their epochs and tokens per step are the source's
            concern.
        folder: where the checkpoint lies; a training that was killed is resumed from it. None writes none.
        callbacks: called after each step.
        monitoring: held-out documents that are evaluated on the way; needed by early stopping and ``keep_best``.
        teacher: whose distributions the model learns instead of, or besides, the texts (`shoal.training.distillation`).

    Raises:
        ModelError: the weights are not float32, or the model cannot be trained here.
        TrainingError: a loss or gradient is not a number; every weight is frozen.
        UsageError: dropout is above 0 for an architecture that has none, or settings that need held-out documents
            have none.
        StoreError: a checkpoint cannot be written, or is of another training.
        CorruptModelError: a checkpoint is damaged.
    """
    check_monitoring(settings, given=monitoring is not None)
    folder = None if folder is None else Path(folder)
    start, group = time.monotonic(), current_process_group()
    expected = fingerprint(model, source, settings, group) if folder is not None or group.world_size > 1 else {}
    if teacher is not None and expected:
        expected["teacher"] = teacher.fingerprint()
    for what, value in expected.items():
        group.assert_equal_across_ranks(what, value)
    found = group.broadcast_from_rank0(partial(read_checkpoint, folder, expected)) if folder is not None else None
    curve = list(found.curve) if found is not None else []
    resumed_from = len(curve)
    with ExitStack() as stack:
        # First onto the stack and so last off it: the mode is restored after everything that changes it.
        stack.callback(model.train, model.training)
        # After the fingerprint, which is of the model as it was given.
        if settings.lora_rank:
            add_adapters(model, settings)
        if settings.freeze:
            stack.enter_context(frozen_by(model, settings.freeze))
        stack.enter_context(dropout_set_to(model, settings.dropout))
        model.eval()
        parameters = count_trained(model)
        weights, gradient, optimizer = prepare_weights(model, settings, group, stack, teacher)
        gradient_name: GradientName = "written out" if isinstance(gradient, LlamaGradient) else "autograd"
        companions = Companions(model, weights, settings, source.steps, monitoring, group)
        heard = callbacks if callbacks is not None and group.is_rank0 else Callbacks()
        control = RateControl(settings, source.steps, heard.watch, companions.average)
        # After the gradient was chosen, which probes the model in evaluation mode.
        weights.module.train()
        # The steps seed the generator of the process, which is given back as it was.
        stack.enter_context(torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []))
        if found is not None:
            weights.load_vector(found.weights)
            optimizer.load(found.optimizer)
            companions.load(found.extra)
            control.load(found.extra, len(found.curve))
        precision = (
            # A resumed training does not measure again which is faster, since another answer would give other weights.
            found.precision
            if found is not None
            else choose_precision(gradient, source, settings, group, model.device.type)
        )
        checkpointer = None
        if folder is not None:
            checkpointer = Checkpointer(folder, expected, settings.checkpoint_seconds, group)
        stepper = _Stepper(gradient, weights, optimizer, precision, settings, group, model.device.type)
        _run_steps(stepper, source, curve, checkpointer, heard, companions, control)
        held_out = companions.finish(is_whole=control.used >= source.steps)
    return TrainResult(
        curve=tuple(curve),
        precision=precision,
        steps=len(curve),
        seconds=time.monotonic() - start,
        resumed_from=resumed_from,
        held_out=held_out,
        decisions=control.decisions,
        parameters=parameters,
        gradient=gradient_name,
    )


@dataclass(frozen=True, slots=True)
class _Stepper:
    """Updates the weights."""

    gradient: Gradient
    weights: FlatParameters | ShardedParameters
    optimizer: Optimizers
    precision: Dtype
    settings: TrainSettings
    group: ProcessGroup
    device: str
    """The kind of device on which the model is."""

    def step(
        self,
        batch: Batch,
        step: int,
        share: float,
        *,
        observe: Callable[[float, float], None],
        may_skip: bool = False,
    ) -> tuple[float, float]:
        """One update: the loss before it, and the norm of its gradient before clipping.

        Both are observed before the update is made. With ``may_skip`` the weights stay as they are where one of them is
        not finite.
        """
        # Not for dropout alone: some gradients are random where no loss is, such as those of PhiMoE's experts.
        # Torch's own function asks every kind of device for its generators, which takes a tenth of a small step.
        set_seed = torch.default_generator.manual_seed if self.device == "cpu" else torch.manual_seed
        set_seed(self.settings.seed * _SEED_STRIDE + step + self.group.rank * _RANK_STRIDE)
        self.weights.zero_gradients()
        # In float64, so that adding up the processes rounds no further.
        loss = float(self.group.all_reduce_sum(torch.tensor(self._gradient(batch), dtype=torch.float64)))
        self.weights.all_reduce_gradients()
        norm = self.weights.gradient_norm()
        numbers = (loss, norm)
        observe(*numbers)
        for what, number in zip(("loss", "gradient norm"), numbers, strict=True):
            if not math.isfinite(number):
                if may_skip:
                    return numbers
                raise TrainingError(
                    f"the {what} of step {step + 1} is {number} on {batch.name}; "
                    "lower the learning rate or look at these rows (the weights are those before the step)"
                )
        if 0 < self.settings.gradient_clip < norm:
            # 1e-6 as in torch.nn.utils.clip_grad_norm_, so that losses can be compared with its.
            self.weights.scale_gradients(self.settings.gradient_clip / (norm + 1e-6))
        self.optimizer.step(share)
        return numbers

    def document_losses(self, batch: Batch) -> list[float]:
        """The loss of each document of a step, by the weights as they are."""
        return document_losses(self.weights.module, batch, self.precision, self._micro_tokens)

    @property
    def _micro_tokens(self) -> int:
        if not self.settings.micro_tokens and self.settings.changes_acts_on == "batch":
            # A step of several batches takes no more memory than one of them.
            return self.settings.batch_tokens
        return self.settings.micro_tokens

    def _gradient(self, batch: Batch) -> float:
        """The loss of this process's part of a step; its gradient is added to that of the weights."""
        loss = 0.0
        for whole in micro_batches(batch, self._micro_tokens):
            part = self.group.shard(whole)
            if part.documents:
                loss += float(self.gradient(part, self.precision, batch.targets))
            elif self.group.mode == "fsdp":
                self.gradient(Batch(whole.documents[-1:], whole.name), self.precision, _NO_WEIGHT)
        return loss


def _run_steps(
    stepper: _Stepper,
    source: BatchSource,
    curve: list[CurvePoint],
    checkpointer: Checkpointer | None,
    callbacks: Callbacks,
    companions: Companions,
    control: RateControl,
) -> None:
    """All steps that are left; each point is appended to the curve once its update is made."""

    def evaluate(step: int) -> None:
        # By the batches: where a step takes several of them, its number does not tell which is the last.
        evaluation = companions.after_step(step, control.used, is_last=control.used >= source.steps)
        if evaluation is not None and callbacks.on_evaluation is not None:
            callbacks.on_evaluation(evaluation)

    def save() -> None:
        if checkpointer is not None:
            checkpointer.save(
                stepper.weights, stepper.optimizer, stepper.precision, curve, companions.state() | control.state()
            )

    # A checkpoint before the first step, so that a folder that cannot be written is found before an hour of work.
    if not curve:
        evaluate(0)
        save()
    while control.used < source.steps and not companions.stopped:
        step = len(curve)
        batch = joined_batch([source.batch(control.used + place) for place in range(control.batches)])
        tokens = batch.targets + (curve[-1].tokens if curve else 0)
        share = control.share(step)
        # The forward of sharded weights needs all processes, and one of them observes.
        scored = None if stepper.group.mode == "fsdp" else partial(stepper.document_losses, batch)
        observe = partial(control.observe, step + 1, batch=batch, document_losses=scored)
        loss, norm = stepper.step(batch, step, share, observe=observe, may_skip=control.may_skip)
        rate = share * stepper.settings.learning_rate
        point = CurvePoint(step=step + 1, loss=loss, learning_rate=rate, gradient_norm=norm, tokens=tokens)
        # Before the callbacks and the checkpoint, whose curve is this list.
        curve.append(point)
        for decision in control.after_step(point.step, loss, norm, stepper.weights, stepper.optimizer):
            if callbacks.on_decision is not None:
                callbacks.on_decision(decision)
        evaluate(point.step)
        is_last = control.used >= source.steps or companions.stopped
        if callbacks.before_checkpoint is not None:
            with companions.in_model():
                callbacks.before_checkpoint(point, is_last)
        if checkpointer is not None and (is_last or checkpointer.is_due()):
            save()
        callbacks.after_step(point, control.used, source.steps)
