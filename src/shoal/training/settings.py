"""What may be chosen of a training, and what comes back from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["adamw", "muon", "adam", "sgd"]
Schedule = Literal["cosine", "linear", "constant", "wsd"]
Precision = Literal["float32", "bfloat16", "auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train. Everything that changes the weights stands here, so that equal settings give equal weights."""

    learning_rate: float = 1e-3
    """The peak of the schedule."""

    epochs: float = 10.0
    """Passes over the examples; a part of a pass is allowed."""

    batch_tokens: int = 2048
    """Tokens a step, padding not counted; whole examples are packed into it."""

    micro_tokens: int = 0
    """Tokens whose gradient is taken at once; the gradients of a step add up. 0 takes the whole step at once."""

    optimizer: Optimizer = "adamw"
    """``muon`` moves the matrices of the blocks, and leaves embeddings, head and vectors to AdamW."""

    matrix_learning_rate: float | None = None
    """The peak for Muon's matrices, in AdamW's measure (its updates have AdamW's size); None for ``learning_rate``."""

    beta2: float = 0.999
    """How slowly Adam and AdamW (with Muon, for what it leaves) forget the squared gradient; the other beta is 0.9."""

    weight_decay: float = 0.0
    """Decoupled for AdamW; on matrices only, not on gains or biases."""

    dropout: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly from 0."""

    decay: float = 0.2
    """Share of the steps, the last ones, in which ``wsd`` falls linearly to 0; before them it stays at the peak."""

    gradient_clip: float = 1.0
    """Largest norm of the whole gradient; 0 for none."""

    precision: Precision = "auto"
    """``auto`` takes the faster one by measuring: the products alone on a CPU, then a step in each where they gain."""

    seed: int = 0
    """Order of the examples and dropout."""

    checkpoint_seconds: float = 60.0
    """Time between two checkpoints where a folder is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One step of training."""

    step: int
    loss: float
    """Mean cross-entropy a completion token of the step's batch, in nats."""
    learning_rate: float
    gradient_norm: float
    tokens: int
    """Completion tokens trained on so far."""


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
    """The step that it went on from; 0 for a fresh start."""
