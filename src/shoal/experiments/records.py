"""What a run folder holds, as typed records; the format of its files is known here alone.

`open_run` reads a folder, finished or not, and changes nothing in it. In JSON a number that is not finite is null.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from shoal.errors import ExperimentFileError, StoreError
from shoal.experiments.environment import FILE as ENVIRONMENT, Environment
from shoal.experiments.loading import experiment_from, parse_toml
from shoal.experiments.storage import read_json, read_json_rows
from shoal.experiments.verdict import Verdict

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from shoal.attribution import Explanation, ItemAnswer
    from shoal.evaluation import ItemScore
    from shoal.experiments.experiment import Experiment
    from shoal.tasks import Example
    from shoal.training import CurvePoint

Stage = Literal["before", "after"]
"""Before or after training."""

STAGES: tuple[Stage, ...] = ("before", "after")
SPLITS = ("seen", "held_out")

T = TypeVar("T")


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


EXPLANATIONS = "explanations.json"
"""The file of a run that holds what explains each training."""

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


@dataclass(frozen=True)
class Run:
    """A run folder, read only: each file is read when it is first looked at; what is not there yet is None or empty.

    Each attribute raises `StoreError` where its file is damaged.
    """

    folder: Path
    experiment: Experiment
    experiment_text: str
    """``experiment.toml`` as it stands."""

    @property
    def name(self) -> str:
        """What the run is called: the name of its folder."""
        return self.folder.resolve().name

    @cached_property
    def environment(self) -> Environment | None:
        """What the run was begun on."""
        return _read(self.folder / ENVIRONMENT, Environment)

    @cached_property
    def certificate(self) -> dict[str, Any] | None:
        """`shoal.evaluation.Certificate` as plain values, without times."""
        return _read_object(self.folder / "certificate.json")

    @cached_property
    def narrowness(self) -> dict[str, Any] | None:
        """`shoal.tasks.NarrownessReport` as plain values."""
        return _read_object(self.folder / "narrowness.json")

    @cached_property
    def choices(self) -> dict[str, Any] | None:
        """What was chosen by measuring: ``precision``, ``threads`` and ``learning_rates``.

        The rates stand by arm: the one that each seed chose, with all trials.
        """
        return _read_object(self.folder / "choices.json")

    @cached_property
    def verdict(self) -> Verdict | None:
        """The verdict of a run that has come to its end."""
        record = _read_object(self.folder / "verdict.json")
        if record is None:
            return None
        try:
            return Verdict.from_dict(record)
        except (KeyError, TypeError) as error:
            raise _not_a_record(self.folder / "verdict.json", "a verdict", error) from error

    @cached_property
    def explanations(self) -> dict[str, dict[int, Explanation]]:
        """What explains the answers of each training, from arm to seed; empty where the run has not been judged."""
        from shoal.attribution import Explanation

        path = self.folder / EXPLANATIONS
        record = _read_object(path) or {}
        try:
            return {
                arm: {int(seed): Explanation.from_dict(one) for seed, one in seeds.items()}
                for arm, seeds in record.items()
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _not_a_record(path, "of explanations", error) from error

    @cached_property
    def timings(self) -> tuple[dict[str, Any], ...]:
        """What each job took: ``place``, ``wall_seconds``, ``cpu_seconds`` and ``peak_megabytes``."""
        return tuple(read_json_rows(self.folder / "timings.jsonl"))

    @cached_property
    def inside(self) -> tuple[dict[str, Any], ...]:
        """What is inside each trained arm, in the order of the experiment's arms, others after them."""
        found = [record for path in sorted(self.folder.glob("inside/*.json")) if (record := _read_object(path))]
        place = {arm: number for number, arm in enumerate(self.experiment.arms)}
        return tuple(sorted(found, key=lambda record: place.get(record["arm"], len(place))))

    def views(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The name of each arm that was looked into, with its `shoal.insight.Inspection` as plain values."""
        for path in sorted(self.folder.glob("inside/views/*.json")):
            record = _read_object(path)
            if record is not None:
                yield path.stem, record

    @cached_property
    def seeds(self) -> tuple[SeedRecords, ...]:
        """Every arm and seed that has written anything, by arm and seed."""
        folders = [(path.parent.name, _seed_number(path), path) for path in self.folder.glob("arms/*/seed-*")]
        return tuple(read_seed(path, arm, seed) for arm, seed, path in sorted(folders))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that have written anything, in the order of the experiment file, others after them."""
        written = list(dict.fromkeys(seed.arm for seed in self.seeds))
        names = list(self.experiment.arms)
        return tuple(sorted(written, key=lambda arm: names.index(arm) if arm in names else len(names)))

    def seeds_of(self, arm: str) -> tuple[SeedRecords, ...]:
        """The seeds of an arm, in order."""
        return tuple(seed for seed in self.seeds if seed.arm == arm)

    def items_of(self, arm: str) -> ArmItems:
        """The items of an arm that has come to its end, by seed in the order of the experiment file.

        Raises:
            StoreError: a file is absent or damaged.
        """
        return {
            seed: group_items(
                read_items(self.folder / arm_place(arm, seed) / "before.jsonl", required=True),
                read_items(self.folder / arm_place(arm, seed) / "after.jsonl", required=True),
            )
            for seed in self.experiment.seeds
        }


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Open a run folder for reading, finished or not.

    Args:
        folder: as `run_experiment` writes it.

    Raises:
        StoreError: it is not the folder of a run, or its experiment file is damaged.
    """
    folder = Path(folder)
    plan = folder / "experiment.toml"
    if not plan.is_file():
        raise StoreError(f"{folder} is not a run: it has no experiment.toml; give the folder that `shoal run` printed")
    try:
        text = plan.read_bytes()
        experiment = experiment_from(parse_toml(str(plan), text), str(plan))
    except (OSError, ExperimentFileError) as error:
        raise StoreError(f"{plan} is damaged: {error}; run the experiment again into a new folder") from error
    return Run(folder, experiment, text.decode("utf-8"))


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
    return tuple(_record(path, ItemRecord, row) for row in read_json_rows(path, required=required))


def read_answers(path: Path) -> tuple[ItemAnswer, ...]:
    """The answers of a training, as its worker wrote them; empty where the file is absent.

    Raises:
        StoreError: the file is damaged.
    """
    from shoal.attribution import ItemAnswer

    try:
        return tuple(ItemAnswer.from_dict(row) for row in read_json_rows(path))
    except (AttributeError, KeyError, TypeError) as error:
        raise _not_a_record(path, "of answers", error) from error


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
        curve=tuple(_record(curve, CurvePoint, row) for row in read_json_rows(curve)),
        before=read_items(path / "before.jsonl"),
        after=read_items(path / "after.jsonl"),
        done=_read(path / "done.json", ArmRecord),
    )


def read_trial(path: Path) -> TrialRecord:
    """The record of a finished trial.

    Raises:
        StoreError: it is absent or damaged.
    """
    return _record(path, TrialRecord, read_json(path))


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


def _seed_number(path: Path) -> int:
    digits = path.name.removeprefix("seed-")
    if not digits.isdecimal():
        raise StoreError(f"{path} is not named after a seed, as seed-0 is; move it out of the run folder")
    return int(digits)


def _read(path: Path, kind: type[T]) -> T | None:
    record = _read_object(path)
    return None if record is None else _record(path, kind, record)


def _read_object(path: Path) -> dict[str, Any] | None:
    """An object from a JSON file; None where there is no such file."""
    if not path.exists():
        return None
    value = read_json(path)
    if not isinstance(value, dict):
        raise StoreError(f"{path} should hold a JSON object and holds a {type(value).__name__}")
    return value


def _record(path: Path, kind: type[T], row: Any) -> T:
    """A dataclass from a row. A key that it does not know was written by a later version, and is left out."""
    assert dataclasses.is_dataclass(kind)
    try:
        values = {field.name: _frozen(row[field.name]) for field in dataclasses.fields(kind) if field.name in row}
        return kind(**values)
    except TypeError as error:
        raise _not_a_record(path, f"of type {kind.__name__}", error) from error


def _frozen(value: Any) -> Any:
    """A list becomes a tuple, as the records have it."""
    return tuple(value) if isinstance(value, list) else value


def _not_a_record(path: Path, what: str, error: Exception) -> StoreError:
    return StoreError(f"{path} is no record {what} ({error}); delete it and give the same command again")
