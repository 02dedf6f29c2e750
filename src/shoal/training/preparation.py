"""What a training makes ready before its first step: dropout, weights, gradient, optimizer, precision."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules.dropout import _DropoutNd

from shoal.errors import ModelError, UsageError
from shoal.models import context_of, factor_model, logits_of_all, same_numbers, spread_ids
from shoal.training.batches import first_documents
from shoal.training.flat_parameters import FlatParameters
from shoal.training.gradients import DTYPES, PaddedGradient
from shoal.training.llama import LlamaGradient, is_plain_llama
from shoal.training.optimizers import make_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedModel

    from shoal.models import LMHead
    from shoal.training.batches import BatchSource
    from shoal.training.distillation import Teacher
    from shoal.training.distributed import ProcessGroup
    from shoal.training.gradients import Dtype, Gradient
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters


# Tokens of the step in which the precisions are compared: enough that the products outweigh the calls.
_TRIED_TOKENS = 256

# A trial must not cost much of a training of seconds; the best of a few times is what a busy machine disturbs least.
_SECONDS = 0.3
_ROUNDS = 4
_SIDE = 768


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


def faster_precision(step: Callable[[Dtype], object], *, device: str = "cpu") -> Dtype:
    """The dtype in which ``step`` takes less time, each tried in turn and the best of its times taken.

    A step in bfloat16 adds conversions to its products, so no step is tried on a CPU whose products gain nothing by it.
    A first step in each is not timed, since it also loads what all steps need. Then they are tried up to four times,
    with no further round once a third of a second has gone by. On a CPU it is the processor's time that counts, since
    the clock's is that of everything else on the machine, too. On a GPU the step must end with a synchronisation, such
    as reading a number off its result.

    Args:
        step: one step in the dtype that it is given.
        device: where it runs, as torch names it.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    if device == "cpu":
        # The product alone first: on a CPU without fast bfloat16 a trial of steps took 1.0 to 1.4 s of each run
        # (docs/benchmarks/training.md).
        products = _best_times(_product, clock)
        if products["bfloat16"] >= products["float32"]:
            return "float32"
    best = _best_times(step, clock)
    return min(best, key=best.__getitem__)


def measure_precision() -> Dtype:
    """The dtype in which a large matrix product takes less time on this processor."""
    return faster_precision(_product)


def _best_times(step: Callable[[Dtype], object], clock: Callable[[], float]) -> dict[Dtype, float]:
    best = dict.fromkeys(DTYPES, float("inf"))
    for kind in DTYPES:
        step(kind)
    begin = time.perf_counter()
    for _ in range(_ROUNDS):
        for kind in DTYPES:
            start = clock()
            step(kind)
            # In turn within a round, so that a machine that slows down is slow for both.
            best[kind] = min(best[kind], clock() - start)
        if time.perf_counter() - begin > _SECONDS:
            break
    return best


def _product(kind: Dtype) -> None:
    """A matrix product that is large enough for any kernel to show its speed, some milliseconds long."""
    factor = torch.ones(_SIDE, _SIDE, dtype=DTYPES[kind])
    torch.mm(factor, factor)


_PASSES = 4
_TOKENS = 64
_PLAIN = 0.5
"""A share that no pass can hide, for the proof that dropout arrives."""

_WORDS = ("drop", "jitter")
_ZERO = ("layerdrop", "layer_drop", "drop_path", "jitter")
"""What skips whole layers or adds noise is no dropout of inputs, and is never used."""


@contextmanager
def dropout_set_to(model: PreTrainedModel, share: float) -> Iterator[None]:
    """Within it every dropout of the model drops ``share`` of its inputs; afterwards they are as before.

    Architectures hold it in many ways: as modules, as numbers that a functional dropout reads from its module, as
    numbers that are read from the configuration in each forward pass, and as the share of layers that are skipped. All
    of them are set by their names, and that they were is proved: without dropout passes in training mode give the same
    numbers again and again, with it they do not.

    Args:
        model: its modules and its configuration are changed for the time.
        share: between 0 and 1; 0 turns all dropout off.

    Raises:
        UsageError: dropout is above 0 for an architecture that has none.
        ModelError: the model draws random numbers in training whatever its dropout is.
    """
    with ExitStack() as stack:
        # First everything off, so that what is still random is known not to be dropout.
        stack.enter_context(_set(list(model.modules()), 0.0))
        if _is_random(model):
            # Only now, since the configuration may be saved with the model while it learns.
            stack.enter_context(_set(_configurations(model), 0.0))
            if _is_random(model):
                raise ModelError(
                    f"{type(model).__name__} ({model.config.model_type}) is random in training with every dropout at "
                    "0, so that its loss cannot be trusted and no training can be done again; train another "
                    "architecture"
                )
        if share:
            stack.enter_context(_dropping(model, share))
        yield


@contextmanager
def _dropping(model: PreTrainedModel, share: float) -> Iterator[None]:
    """The share set wherever it arrives: in the modules, or else in the configurations."""
    for places in (list(model.modules()), _configurations(model)):
        with _set(places, _PLAIN):
            arrives = _is_random(model)
        if arrives:
            with _set(places, share):
                yield
            return
    raise UsageError(f"dropout = {share}, but {type(model).__name__} has no dropout; set it to 0")


@contextmanager
def _set(owners: list[Any], share: float) -> Iterator[None]:
    """Every dropout that these modules or configurations hold, set to a share."""
    before = [(owner, name, value) for owner in owners for name, value in list(_dropouts(owner))]
    for owner, name, _ in before:
        setattr(owner, name, 0.0 if any(word in name for word in _ZERO) else share)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _dropouts(owner: Any) -> Iterator[tuple[str, float]]:
    """Names and values of the dropouts that a module or a configuration holds itself."""
    for name, value in vars(owner).items():
        is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        # The modules of torch hold theirs as ``p``; everywhere else a name of one letter would be a guess.
        named = name == "p" if isinstance(owner, _DropoutNd) else any(word in name.lower() for word in _WORDS)
        if is_share and named:
            yield name, value


def _configurations(model: PreTrainedModel) -> list[Any]:
    """The configurations that modules of the model can read."""
    # By identity: configurations have no hash, and all modules of a model usually share one.
    found = {
        id(config): config for module in model.modules() if (config := getattr(module, "config", None)) is not None
    }
    return list(found.values())


def _is_random(model: PreTrainedModel) -> bool:
    """Whether passes in training mode over the same few tokens differ."""
    # Module by module, since a caller may have put a part of the model into evaluation mode.
    training = [module for module in model.modules() if module.training]
    devices = [model.device] if model.device.type == "cuda" else []
    ids_BL = spread_ids(model, min(_TOKENS, context_of(model) or _TOKENS))[None]
    try:
        model.train()
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            passes = []
            for seed in range(_PASSES):
                torch.manual_seed(seed)
                passes.append(logits_of_all(model, ids_BL))
    finally:
        model.eval()
        for module in training:
            module.training = True
    return not all(same_numbers(again, passes[0]) for again in passes[1:])
