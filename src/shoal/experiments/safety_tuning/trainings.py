"""One training of an experiment on safety tuning: what it is, where it lies, and its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.storage import read_json_rows, read_object, read_record
from shoal.safety.tuning import HeldOutLoss, MeasuredAnswer

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan

RECORD, ANSWERS, LOSSES, BENCHMARKS = "done.json", "answers.jsonl", "losses.jsonl", "benchmarks.json"
ADAPTERS = "adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyTraining:
    """A model that is to be tuned and measured."""

    safety_examples: int | None
    """How many are mixed in; None for the model as it is, which is measured alone."""

    seed: int = 0

    @property
    def place(self) -> str:
        """Its folder in the folder of the experiment."""
        if self.safety_examples is None:
            return "trainings/untuned"
        return f"trainings/{self.safety_examples}-seed-{self.seed}"

    @property
    def title(self) -> str:
        """What messages call it."""
        if self.safety_examples is None:
            return "the model before tuning"
        return f"the training with {self.safety_examples:,} safety examples, seed {self.seed}"

    @property
    def draw_seed(self) -> int:
        """Of everything that it draws: its own, so that no two trainings share a draw and each is a unit of tests."""
        return 1_000_003 * self.seed + (self.safety_examples or 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyTrainingRecord:
    """The outcome of a training; the same whichever worker did it."""

    safety_examples: int | None
    seed: int
    instructions: int
    """Instruction examples that it learned from."""

    tokens: int
    """Of its rows, prompts included."""

    steps: int
    loss: float | None
    """Of its last step, in nats per token; None without a training."""

    trained_parameters: int
    digest: str
    """Of the weights that were measured."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTraining:
    """A training with everything that was measured of its model."""

    record: SafetyTrainingRecord
    answers: tuple[MeasuredAnswer, ...]
    losses: tuple[HeldOutLoss, ...]
    benchmarks: Mapping[str, Mapping[str, float]]


def planned_safety_trainings(plan: SafetyTuningPlan) -> list[SafetyTraining]:
    """The untuned model and all trainings, seed after seed: whenever it is stopped, some seeds are complete.

    Args:
        plan: of the experiment.
    """
    tuned = [
        SafetyTraining(safety_examples=number, seed=seed)
        for seed in range(plan.seeds)
        for number in plan.safety_examples
    ]
    return [SafetyTraining(safety_examples=None), *tuned]


def read_safety_record(folder: Path, training: SafetyTraining) -> SafetyTrainingRecord | None:
    """The record of a training; None where it has none yet.

    Args:
        folder: of the experiment.
        training: which one.

    Raises:
        StoreError: it is damaged.
    """
    return read_record(folder / training.place / RECORD, SafetyTrainingRecord)


def read_measured(folder: str | os.PathLike[str], training: SafetyTraining) -> MeasuredTraining | None:
    """A training with its measurements; None where it is not done.

    Args:
        folder: of the experiment.
        training: which one.

    Raises:
        StoreError: a file of it is absent or damaged.
    """
    folder = Path(folder)
    record = read_safety_record(folder, training)
    if record is None:
        return None
    place = folder / training.place
    return MeasuredTraining(
        record=record,
        answers=tuple(MeasuredAnswer.from_dict(row) for row in read_json_rows(place / ANSWERS, required=True)),
        losses=tuple(HeldOutLoss(**row) for row in read_json_rows(place / LOSSES, required=True)),
        benchmarks=read_object(place / BENCHMARKS) or {},
    )
