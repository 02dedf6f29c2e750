"""What may be chosen of a training, with the ranges of its numbers, and what comes back from it."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.errors import UsageError
from shoal.training.optimizers import OptimizerKind, WholeMatrixKind, check_optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from shoal.training.held_out import HeldOutCurve
    from shoal.training.watch import RateDecision

Schedule = Literal["cosine", "linear", "constant", "wsd", "changes"]
ChangesActsOn = Literal["rate", "batch"]
GradientName = Literal["written out", "autograd"]
Precision = Literal["float32", "bfloat16", "auto"]

RANGES: Mapping[str, Mapping[str, float]] = {
    "learning_rate": {"ge": 0, "lt": math.inf},
    "epochs": {"gt": 0, "lt": math.inf},
    "batch_tokens": {"ge": 1},
    "micro_tokens": {"ge": 0},
    "matrix_learning_rate": {"ge": 0, "lt": math.inf},
    "beta2": {"ge": 0, "lt": 1},
    "weight_decay": {"ge": 0, "lt": math.inf},
    "l1": {"ge": 0, "lt": math.inf},
    "l2": {"ge": 0, "lt": math.inf},
    "label_smoothing": {"ge": 0, "lt": 1},
    "ema_decay": {"ge": 0, "lt": 1},
    "swa_start": {"ge": 0, "lt": 1},
    "evaluate_every": {"ge": 0},
    "early_stopping_patience": {"ge": 0},
    "early_stopping_alpha": {"gt": 0, "le": 1},
    "lora_rank": {"ge": 0},
    "lora_alpha": {"gt": 0, "lt": math.inf},
    "dropout": {"ge": 0, "lt": 1},
    "warmup": {"ge": 0, "le": 1},
    "decay": {"ge": 0, "le": 1},
    "gradient_clip": {"ge": 0, "lt": math.inf},
    "seed": {"ge": 0, "lt": 2**32},
    "checkpoint_seconds": {"ge": 0, "lt": math.inf},
}
"""The bounds of each number, by the comparisons that must hold. Tables of files take theirs from here."""

OPTIONAL: tuple[str, ...] = (
    "l1",
    "l2",
    "label_smoothing",
    "ema_decay",
    "swa_start",
    "evaluate_every",
    "early_stopping_patience",
    "early_stopping_alpha",
    "keep_best",
    "freeze",
    "lora_rank",
    "lora_alpha",
    "lora_targets",
    "changes_acts_on",
)
"""Settings that are off by default, and that what names a training leaves out where they are off."""

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train. Everything that changes the weights stands here, so that equal settings give equal weights.

    Raises:
        UsageError: a number is out of its range, see `RANGES`.
        UnknownNameError: there is no such optimizer.
    """

    learning_rate: float = 1e-3
    """The peak of the schedule."""

    epochs: float = 10.0
    """Passes over the examples; a part of a pass is allowed."""

    batch_tokens: int = 2048
    """Tokens per step, padding not counted; whole examples are packed into it."""

    micro_tokens: int = 0
    """Tokens per micro-batch (gradient accumulation); 0 takes the whole step at once."""

    optimizer: str = "adamw"
    """``adamw``, ``adam``, ``sgd``, or ``muon``, which updates the matrices of the blocks and leaves the rest to
    AdamW."""

    matrix_learning_rate: float | None = None
    """The peak for Muon's matrices, in AdamW's measure (its updates have AdamW's size); None for ``learning_rate``."""

    beta2: float = 0.999
    """Decay of the mean squared gradient in Adam and AdamW (with Muon, for what it leaves); the other beta is 0.9."""

    weight_decay: float = 0.0
    """On all matrices, embeddings too, not on gains or biases. Decoupled with ``adamw`` and ``muon``: a step multiplies
    the weights by 1 - learning rate x weight_decay. Part of the gradient with ``adam`` and ``sgd``: the gradient of
    weight_decay / 2 x the sum of squares."""

    l1: float = 0.0
    """Adds l1 x the sum of magnitudes of the blocks' matrices to the objective; by proximal steps, so that small
    weights are exactly 0. Not with ``muon``."""

    l2: float = 0.0
    """Adds l2 / 2 x the sum of squares of the blocks' matrices to the objective, by proximal steps too: with ``l1``
    the elastic net. Not with ``muon``."""

    label_smoothing: float = 0.0
    """Share of each target that is spread evenly over the vocabulary."""

    ema_decay: float = 0.0
    """Decay of the exponential average of the weights, which is what is evaluated and returned; 0 for none."""

    swa_start: float | None = None
    """Share of the steps after which the weights are averaged evenly, step by step (SWA); None for no average."""

    evaluate_every: int = 0
    """Steps between two evaluations of held-out documents; 0 for 20 evaluations in all."""

    early_stopping_patience: int = 0
    """Stop where the mean held-out loss of this many evaluations is above that of the best one before them, by a
    paired test over documents; the best weights are returned. 0 never stops."""

    early_stopping_alpha: float = 0.05
    """The chance to stop a training whose held-out loss does not rise; 1 leaves the test out and stops after
    ``early_stopping_patience`` evaluations without a new best one."""

    keep_best: bool = False
    """Return the weights of the lowest held-out loss and not the last; early stopping always does."""

    freeze: tuple[str, ...] = ()
    """Patterns of names of weights that are not trained, as ``model.embed_tokens.*`` or ``*.layers.0.*``."""

    lora_rank: int = 0
    """Rank of LoRA adapters, which are trained in place of the model's own weights; 0 for none. Needs ``peft``."""

    lora_alpha: float | None = None
    """Scale of the adapters: their product counts alpha / rank times; None for twice the rank."""

    lora_targets: tuple[str, ...] = ()
    """Names of the modules that get adapters, as ``q_proj``; none for all linear layers but the head."""

    dropout: float = 0.0
    """Share of the inputs that every dropout of the model drops."""

    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly from 0."""

    decay: float = 0.2
    """Share of the steps, the last ones, in which ``wsd`` (warmup, stable, decay) falls linearly to 0; with ``changes``
    the share of a stage that a decay takes."""

    changes_acts_on: ChangesActsOn = "rate"
    """What the schedule ``changes`` acts on where progress ends: the learning ``rate``, which decays, or the
    ``batch``, which takes twice as many tokens."""

    gradient_clip: float = 1.0
    """Largest norm of the whole gradient; 0 for none."""

    precision: Precision = "auto"
    """``auto`` takes the faster one by measuring: the products alone on a CPU, then a step in each where they gain."""

    seed: int = 0
    """Order of the examples and dropout."""

    checkpoint_seconds: float = 60.0
    """Time between two checkpoints where a folder is given."""

    def __post_init__(self) -> None:
        check_optimizer(self.optimizer)
        for name, bounds in RANGES.items():
            value = getattr(self, name)
            # NaN fails every comparison, so it is refused, too.
            if value is not None and not all(getattr(operator, sign)(value, bound) for sign, bound in bounds.items()):
                expected = " and ".join(f"{_SIGNS[sign]} {bound}" for sign, bound in bounds.items())
                raise UsageError(f"{name} = {value} is out of range; expected {expected}")
        if (self.l1 or self.l2) and issubclass(OptimizerKind.known[self.optimizer], WholeMatrixKind):
            raise UsageError(
                f"l1 = {self.l1:g} and l2 = {self.l2:g} with optimizer = {self.optimizer!r}: its steps have no metric "
                "that a proximal step could be taken in; take adamw, adam or sgd, or weight_decay"
            )
        if self.ema_decay and self.swa_start is not None:
            raise UsageError(
                f"ema_decay = {self.ema_decay:g} and swa_start = {self.swa_start:g} are two averages; give one of them"
            )
        # Rise and fall would overlap.
        if self.schedule == "wsd" and self.warmup + self.decay > 1:
            raise UsageError(
                f"decay = {self.decay} is out of range; with warmup = {self.warmup} expected ≤ {1 - self.warmup:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One step of training."""

    step: int
    loss: float
    """Mean cross-entropy per predicted token of the step's batch, in nats; with label smoothing that of the smoothed
    targets. Penalties of the weights are no part of it."""
    learning_rate: float
    gradient_norm: float
    tokens: int
    """Predicted tokens so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedParameters:
    """How much of a model is trained."""

    trained: int
    total: int

    def __str__(self) -> str:
        return f"{self.trained:,} of {self.total:,} parameters are trained ({self.trained / self.total:.2%})"


def count_trained(model: nn.Module) -> TrainedParameters:
    """Count the parameters whose ``requires_grad`` is on, and all of them."""
    sizes = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return TrainedParameters(
        trained=sum(size for size, is_trained in sizes if is_trained), total=sum(size for size, _ in sizes)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training did; the model that was given has been changed in place."""

    curve: tuple[CurvePoint, ...]
    precision: str
    """The dtype that was used, in full: ``float32`` or ``bfloat16``."""
    steps: int
    """Steps that were made: fewer than planned where the training was stopped early."""
    seconds: float
    """Wall-clock seconds in this process, a resumed part not counted."""
    resumed_from: int
    """The step from which it was resumed; 0 for a fresh start."""
    parameters: TrainedParameters
    """How many of the model's parameters were trained, and how many there are, adapters included."""
    gradient: GradientName
    """What took the gradient: the pass that is written out for a Llama on a CPU, or autograd."""
    decisions: tuple[RateDecision, ...] = ()
    """What the schedule ``changes`` has done, and why; empty for the others."""
    held_out: HeldOutCurve | None = None
    """What held-out documents showed, where there were some; with its best step and from where on it overfits."""
