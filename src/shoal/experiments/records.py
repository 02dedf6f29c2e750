"""What the jobs of a run write, as typed records; the format of these files is known here alone.

In JSON a number that is not finite is null.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.experiments.storage import as_record, read_json, read_json_rows, read_record

if TYPE_CHECKING:
    import os

    from shoal.evaluation import ItemScore
    from shoal.tasks import Example
    from shoal.training import CurvePoint

Stage = Literal["before", "after"]
"""Before or after training."""

STAGES: tuple[Stage, ...] = ("before", "after")
SPLITS = ("seen", "held_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecord:
    """An item: an example, its split, and how the model did on it (the fields of `shoal.evaluation.ItemScore`)."""

    split: str
    """``seen`` or ``held_out``; in a trial of a learning rate ``validation``."""

    prompt: str
    completion: str
    ends: bool
    tags: Mapping[str, Any]
    index: int
    exact_match: bool
    string_match: bool | None
    first_divergence: int | None
    divergence: Literal["ended-early", "went-on", "other"] | None
    margin: float | None
    token_margins: tuple[float | None, ...]
    tokens: int
    token_accuracy: float | None
    log_likelihood: float | None
    bits_per_byte: float | None
    greedy_text: str | None
    greedy_ends: bool | None
    status: str
    tokens_text: tuple[str, ...]
    """Each token of the target as text."""

    @classmethod
    def of_score(cls, split: str, example: Example, score: ItemScore, tokens_text: Sequence[str]) -> ItemRecord:
        """The record of a scored example.

        Args:
            split: of the example.
            example: what the model was given.
            score: how it did.
            tokens_text: each token of the target as text.
        """
        scored = {name: getattr(score, name) for name in _SCORE_FIELDS}
        return cls(
            split=split,
            prompt=example.prompt,
            completion=example.completion,
            ends=example.ends,
            tags=dict(example.tags),
            tokens_text=tuple(tokens_text),
            **scored,
        )


# From the dataclass itself, so that a new field of a score needs no second list that could be forgotten.
_SCORE_FIELDS = tuple(
    field.name
    for field in dataclasses.fields(ItemRecord)
    if field.name not in ("split", "prompt", "completion", "ends", "tags", "tokens_text")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRecord:
    """``done.json`` of one arm and seed: what was trained, and how."""

    arm: str
    spec: str
    """The model spec that it started from."""

    seed: int
    origin: str
    """Where its weights came from."""

    parameters: int
    learning_rate: float
    precision: str
    steps: int
    final_loss: float | None
    digest_before: str
    """SHA-256 of the weights before training, those of a given model as it was given."""

    digest_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """``done.json`` of one trial of a learning rate."""

    arm: str
    learning_rate: float
    run_seed: int
    """The seed of the run that the trial chooses for."""

    seed: int
    """Of the trial itself: of its part of the examples, its order and its weights."""

    measure: str
    """What trials are judged by."""

    score: float | None
    """None where the training diverged, or the measure applies to no validation example."""

    validation_examples: int
    diverged: str | None = None
    """Why the training ended, where its loss was not a number."""

    steps: int | None = None
    final_loss: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what a trial does not have is left out."""
        optional = ("diverged", "steps", "final_loss")
        return {key: value for key, value in asdict(self).items() if value is not None or key not in optional}


ArmItems = Mapping[int, Mapping[tuple[str, str], Sequence[ItemRecord]]]
"""The items of an arm: from seed to (stage, split) to items, in the task's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRecords:
    """What one arm wrote for one seed; what is not there yet is empty or None."""

    arm: str
    seed: int
    curve: tuple[CurvePoint, ...]
    before: tuple[ItemRecord, ...]
    after: tuple[ItemRecord, ...]
    done: ArmRecord | None

    def by_split(self) -> dict[tuple[str, str], list[ItemRecord]]:
        """The items by stage and split."""
        return group_items(self.before, self.after)


def arm_place(arm: str, seed: int) -> str:
    """The folder of one arm and seed in the run folder.

    Args:
        arm: its name.
        seed: of its training.
    """
    return f"arms/{arm}/seed-{seed}"


def read_items(path: str | os.PathLike[str], *, required: bool = False) -> tuple[ItemRecord, ...]:
    """The items of a JSONL file.

    Args:
        path: the file.
        required: whether it must be there; a file that is absent has no items otherwise.

    Raises:
        StoreError: it is damaged, or absent though it must be there.
    """
    path = Path(path)
    return tuple(as_record(path, ItemRecord, row) for row in read_json_rows(path, required=required))


def read_seed(path: Path, arm: str, seed: int) -> SeedRecords:
    """The records of one seed's folder.

    Args:
        path: the folder.
        arm: whose it is.
        seed: and for which seed.

    Raises:
        StoreError: a file is damaged.
    """
    from shoal.training import CurvePoint

    curve = path / "curve.jsonl"
    return SeedRecords(
        arm=arm,
        seed=seed,
        curve=tuple(as_record(curve, CurvePoint, row) for row in read_json_rows(curve)),
        before=read_items(path / "before.jsonl"),
        after=read_items(path / "after.jsonl"),
        done=read_record(path / "done.json", ArmRecord),
    )


def read_trial(path: Path) -> TrialRecord:
    """The record of a finished trial.

    Raises:
        StoreError: it is absent or damaged.
    """
    return as_record(path, TrialRecord, read_json(path))


def group_items(before: Sequence[ItemRecord], after: Sequence[ItemRecord]) -> dict[tuple[str, str], list[ItemRecord]]:
    """The items of one arm and seed by stage and split.

    Args:
        before: the items before training.
        after: those after training.
    """
    stages = {"before": before, "after": after}
    return {
        (stage, split): [item for item in stages[stage] if item.split == split] for stage in STAGES for split in SPLITS
    }
