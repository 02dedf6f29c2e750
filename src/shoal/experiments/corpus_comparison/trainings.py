"""One training of a comparison of corpora: what it is, where it lies, and its record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan, TokenDesign

RECORD = "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTraining:
    """A model that is to be trained on one corpus."""

    size: int
    """Parameters, as the plan has them."""

    design: TokenDesign
    corpus: str
    seed: int

    @property
    def place(self) -> str:
        """Its folder in the folder of the comparison."""
        return f"trainings/{self.size}-{self.design}-{self.corpus}-seed-{self.seed}"

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"the training on {self.corpus} ({self.design}) with {self.size:,} parameters, seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTrainingRecord:
    """The outcome of a training; the same whichever worker did it."""

    size: int
    design: TokenDesign
    corpus: str
    seed: int
    parameters: int
    """As the model has them."""

    unique: int
    """Tokens of the corpus that it could read."""

    tokens: int
    """That it was trained on."""

    steps: int
    loss: float
    """Mean over the last tenth of the steps, in nats per token of training text."""

    bits_per_byte: Mapping[str, float]
    """By held-out text."""

    @property
    def compute(self) -> float:
        """Floating-point operations: 6 for each parameter and token (Kaplan et al. 2020, section 2.1)."""
        return 6.0 * self.parameters * self.tokens

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def planned_trainings(plan: CorpusComparisonPlan) -> list[ComparedTraining]:
    """All trainings of a comparison, seed after seed: whenever it is stopped, some seeds are complete.

    Args:
        plan: what is compared.
    """
    return [
        ComparedTraining(size=size, design=design, corpus=corpus, seed=seed)
        for seed in range(plan.seeds)
        for size in plan.sizes
        for design in plan.designs
        for corpus in plan.compared
    ]


def read_compared(folder: Path, training: ComparedTraining) -> ComparedTrainingRecord | None:
    """The record of a training; None where it has none yet.

    Args:
        folder: of the comparison.
        training: which one.

    Raises:
        StoreError: it is damaged.
    """
    from shoal.experiments.storage import read_record

    return read_record(folder / training.place / RECORD, ComparedTrainingRecord)


def complete_seeds(
    records: Mapping[ComparedTraining, ComparedTrainingRecord],
    plan: CorpusComparisonPlan,
    size: int,
    design: TokenDesign,
) -> Sequence[int]:
    """The seeds of which all corpora have their model of a size.

    Args:
        records: by training.
        plan: what is compared.
        size: of the models.
        design: of the trainings.
    """
    return [
        seed
        for seed in range(plan.seeds)
        if all(
            ComparedTraining(size=size, design=design, corpus=corpus, seed=seed) in records for corpus in plan.compared
        )
    ]
