"""One training of a comparison: what it is, where it lies, and its record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Draw = Literal["all", "bootstrap", "boosted"]
"""Whether a training reads all documents alike, a bootstrap sample of them, or tokens weighted by their loss so far."""

PARTS = ("training", "validation", "test")
"""Texts that every model is scored on. Weights and choices come from the validation text alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a distilled model learns from."""

    members: tuple[str, ...]
    """Keys of the teacher's trainings."""

    weights: tuple[float, ...]
    temperature: float
    share: float
    sampled: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTraining:
    """One training that is to be done. Two rows that need the same one share it."""

    values: Mapping[str, Any]
    """Changes to the recipe."""

    seed: int
    tokens: int
    draw: Draw = "all"
    earlier: tuple[str, ...] = ()
    """Keys of the members before, in boosting."""

    lesson: Lesson | None = None

    @property
    def key(self) -> str:
        """Its name: equal for equal trainings."""
        known = json.dumps(asdict(self), sort_keys=True)
        # 48 bits: among a thousand trainings two share a key with a probability of 2e-9.
        return f"seed-{self.seed}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"

    @property
    def needs(self) -> tuple[str, ...]:
        """The keys of trainings that must be done before it."""
        return self.earlier + (self.lesson.members if self.lesson is not None else ())

    @property
    def title(self) -> str:
        """What messages call it."""
        changed = ", ".join(f"{key} = {value}" for key, value in self.values.items()) or "the recipe"
        kinds = [f"member {len(self.earlier) + 1} of boosting"] if self.draw == "boosted" else []
        kinds += ["a bootstrap sample"] if self.draw == "bootstrap" else []
        kinds += ["distilled"] if self.lesson is not None else []
        return f"the training with {', '.join([changed, *kinds])}, seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


def training_from(values: Mapping[str, Any]) -> PlannedTraining:
    """A training from what `PlannedTraining.to_dict` gave.

    Args:
        values: plain ones, perhaps from JSON.
    """
    given: dict[str, Any] | None = values["lesson"]
    lesson = None
    if given is not None:
        lesson = Lesson(**given | {"members": tuple(given["members"]), "weights": tuple(given["weights"])})
    return PlannedTraining(**{**values, "earlier": tuple(values["earlier"]), "lesson": lesson})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """The outcome of a training; the same whichever worker did it."""

    key: str
    seed: int
    state: Literal["complete", "failed"]
    reason: str = ""
    """Why it failed, in one line."""

    parameters: int = 0
    tokens: int = 0
    """That were trained on."""

    steps: int = 0
    other_compute: float = 0.0
    """Floating-point operations besides its own steps: what its teacher reads and writes (its training not counted),
    and what boosting scores for the next member."""

    digest: str = ""
    """Of the weights."""

    nats: Mapping[str, float] = field(default_factory=dict)
    """From a part of the text to -Σ log p of its tokens."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    """From a part of the text to its bytes."""

    notes: Mapping[str, float] = field(default_factory=dict)
    """What else is worth knowing, such as the share of the tokens that boosting's weights are worth."""

    @property
    def compute(self) -> float:
        """Floating-point operations: 6 for each parameter and token (Kaplan et al. 2020, section 2.1), and others."""
        return 6.0 * self.parameters * self.tokens + self.other_compute

    def bits(self, part: str) -> float:
        """Bits per byte of a part of the text."""
        import math

        return self.nats[part] / math.log(2) / self.sizes[part]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def training_place(key: str) -> str:
    """The folder of a training in the folder of the comparison.

    Args:
        key: of the training.
    """
    return f"trainings/{key}"
