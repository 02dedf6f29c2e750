"""What a training makes ready before its first step: weights, gradient, optimizer, precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import ModelError, UsageError
from shoal.models import factor_model
from shoal.training.batches import first_documents
from shoal.training.flat_parameters import FlatParameters
from shoal.training.gradients import PaddedGradient
from shoal.training.llama import LlamaGradient, is_plain_llama
from shoal.training.optimizers import make_optimizer
from shoal.training.precision import Dtype, faster_precision

if TYPE_CHECKING:
    from contextlib import ExitStack

    from transformers import PreTrainedModel

    from shoal.models import LMHead
    from shoal.training.batches import BatchSource
    from shoal.training.distillation import Teacher
    from shoal.training.distributed import ProcessGroup
    from shoal.training.gradients import Gradient
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters

# Tokens of the step in which the precisions are compared: enough that the products outweigh the calls.
_TRIED_TOKENS = 256


def prepare_weights(
    model: PreTrainedModel,
    settings: TrainSettings,
    group: ProcessGroup,
    stack: ExitStack,
    teacher: Teacher | None,
) -> tuple[FlatParameters | ShardedParameters, Gradient, Optimizers]:
    """The weights in the form in which they are trained, the gradient, and what updates them.

    Args:
        model: in evaluation mode.
        settings: of the training.
        group: its processes.
        stack: on which the weights leave their form in the end.
        teacher: whose distributions are learned; None for the texts alone.

    Raises:
        ModelError: the weights are not float32, or the model cannot be trained here.
        TrainingError: every weight is frozen.
        UsageError: a teacher with sharded weights or with label smoothing.
    """
    if group.mode == "fsdp":
        if teacher is not None:
            raise UsageError("a teacher needs the whole student in each process; start without fsdp")
        from shoal.training.sharded import ShardedGradient, ShardedParameters, make_sharded_optimizer

        sharded = stack.enter_context(ShardedParameters(model, group))
        gradient = ShardedGradient(sharded, label_smoothing=settings.label_smoothing)
        return sharded, gradient, make_sharded_optimizer(sharded, settings)
    flat = stack.enter_context(FlatParameters(model, group))
    if teacher is not None:
        from shoal.training.distillation import DistilledGradient

        if settings.label_smoothing:
            raise UsageError("a teacher's targets are soft already; leave label_smoothing out")
        chosen: Gradient = DistilledGradient(model, _trained_head(model), teacher)
        return flat, chosen, make_optimizer(flat, settings)
    chosen = choose_gradient(model, flat, dropout=settings.dropout > 0, label_smoothing=settings.label_smoothing)
    return flat, chosen, make_optimizer(flat, settings)


def choose_gradient(
    model: PreTrainedModel, weights: FlatParameters, *, dropout: bool, label_smoothing: float = 0.0
) -> Gradient:
    """The fastest way that is exact for the model.

    Args:
        model: in evaluation mode.
        weights: its trained weights.
        dropout: whether dropout is on, which the written-out gradient does not have.
        label_smoothing: share of each target that is spread evenly over the vocabulary.

    Raises:
        ModelError: the model has no plain output layer, or padding changes its numbers.
    """
    if is_plain_llama(model) and not dropout:
        return LlamaGradient(model, weights, label_smoothing=label_smoothing)
    return PaddedGradient(model, _trained_head(model), label_smoothing=label_smoothing)


def _trained_head(model: PreTrainedModel) -> LMHead:
    """The head of a model that `PaddedGradient` can train."""
    factored = factor_model(model)
    if factored.head is None or factored.padding != "right":
        raise ModelError(
            f"{type(model).__name__} cannot be trained here: "
            "its output layer is not a plain one, or padding changes its numbers"
        )
    return factored.head


def choose_precision(
    gradient: Gradient, source: BatchSource, settings: TrainSettings, group: ProcessGroup, device: str
) -> Dtype:
    """The dtype of the settings, or the faster one by measuring.

    Args:
        gradient: of the model.
        source: whose first documents are tried.
        settings: of the training.
        group: its processes; one of them measures for all.
        device: the kind of device on which the model is.
    """
    if settings.precision != "auto":
        return settings.precision
    if group.mode == "fsdp":
        # A step of sharded weights needs all processes, and the trial below runs in one.
        return "float32" if group.device == "cpu" else "bfloat16"
    part = first_documents(source.batch(0), _TRIED_TOKENS)
    # In one process, since timings differ between processes and the dtype must not.
    chosen: Dtype = group.broadcast_from_rank0(
        lambda: faster_precision(
            lambda precision: float(gradient(part, precision, part.targets)),
            device=device,
        )
    )
    return chosen
