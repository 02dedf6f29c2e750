"""What may be chosen of a training, with the ranges of its numbers, and what comes back from it."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.errors import UsageError
from shoal.training.optimizers import check_optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

Schedule = Literal["cosine", "linear", "constant", "wsd"]
Precision = Literal["float32", "bfloat16", "auto"]

RANGES: Mapping[str, Mapping[str, float]] = {
    "learning_rate": {"ge": 0, "lt": math.inf},
    "epochs": {"gt": 0, "lt": math.inf},
    "batch_tokens": {"ge": 1},
    "micro_tokens": {"ge": 0},
    "matrix_learning_rate": {"ge": 0, "lt": math.inf},
    "beta2": {"ge": 0, "lt": 1},
    "weight_decay": {"ge": 0, "lt": math.inf},
    "dropout": {"ge": 0, "lt": 1},
    "warmup": {"ge": 0, "le": 1},
    "decay": {"ge": 0, "le": 1},
    "gradient_clip": {"ge": 0, "lt": math.inf},
    "checkpoint_seconds": {"ge": 0, "lt": math.inf},
}
"""The bounds of each number, by the comparisons that must hold. Tables of files take theirs from here."""

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
    """Decoupled for AdamW; on matrices only, not on gains or biases."""

    dropout: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly from 0."""

    decay: float = 0.2
    """Share of the steps, the last ones, in which ``wsd`` (warmup, stable, decay) falls linearly to 0."""

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
                expected = " and ".join(f"{_SIGNS[sign]} {bound:g}" for sign, bound in bounds.items())
                raise UsageError(f"{name} = {value} is out of range; expected {expected}")
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
    """Mean cross-entropy per predicted token of the step's batch, in nats."""
    learning_rate: float
    gradient_norm: float
    tokens: int
    """Predicted tokens so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training did; the model that was given has been changed in place."""

    curve: tuple[CurvePoint, ...]
    precision: str
    """The dtype that was used, in full: ``float32`` or ``bfloat16``."""
    steps: int
    seconds: float
    """Wall-clock seconds in this process, a resumed part not counted."""
    resumed_from: int
    """The step from which it was resumed; 0 for a fresh start."""
