"""A run folder, opened: its files as typed records, each read when it is first looked at.

`open_run` opens a folder, finished or not, and changes nothing in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, StoreError
from shoal.experiments.environment import FILE as ENVIRONMENT, Environment
from shoal.experiments.explaining import read_explanations
from shoal.experiments.loading import experiment_from, parse_toml
from shoal.experiments.records import SeedRecords, arm_place, group_items, read_items, read_seed
from shoal.experiments.storage import not_a_record, read_json_rows, read_object, read_record
from shoal.experiments.tasks import examples_digest, make_experiment_task
from shoal.experiments.verdict import Verdict

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from shoal.attribution import Explanation
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.records import ArmItems
    from shoal.tasks import Task


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
        return read_record(self.folder / ENVIRONMENT, Environment)

    @cached_property
    def certificate(self) -> dict[str, Any] | None:
        """`shoal.evaluation.Certificate` as plain values, without times."""
        return read_object(self.folder / "certificate.json")

    @cached_property
    def narrowness(self) -> dict[str, Any] | None:
        """`shoal.tasks.NarrownessReport` as plain values."""
        return read_object(self.folder / "narrowness.json")

    @cached_property
    def choices(self) -> dict[str, Any] | None:
        """What was chosen by measuring: ``precision``, ``threads`` and ``learning_rates``.

        The rates stand by arm: the one that each seed chose, with all trials.
        """
        return read_object(self.folder / "choices.json")

    @cached_property
    def verdict(self) -> Verdict | None:
        """The verdict of a run that has come to its end."""
        record = read_object(self.folder / "verdict.json")
        if record is None:
            return None
        try:
            return Verdict.from_dict(record)
        except (KeyError, TypeError) as error:
            raise not_a_record(self.folder / "verdict.json", "a verdict", error) from error

    @cached_property
    def explanations(self) -> dict[str, dict[int, Explanation]]:
        """What explains the answers of each training, from arm to seed; empty where the run has not been judged."""
        return read_explanations(self.folder)

    @cached_property
    def timings(self) -> tuple[dict[str, Any], ...]:
        """What each job took: ``place``, ``wall_seconds``, ``cpu_seconds`` and ``peak_megabytes``."""
        return tuple(read_json_rows(self.folder / "timings.jsonl"))

    @cached_property
    def inside(self) -> tuple[dict[str, Any], ...]:
        """What is inside each trained arm, in the order of the experiment's arms, others after them."""
        found = [record for path in sorted(self.folder.glob("inside/*.json")) if (record := read_object(path))]
        place = {arm: number for number, arm in enumerate(self.experiment.arms)}
        return tuple(sorted(found, key=lambda record: place.get(record["arm"], len(place))))

    def views(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The name of each arm that was looked into, with its `shoal.insight.Inspection` as plain values."""
        for path in sorted(self.folder.glob("inside/views/*.json")):
            record = read_object(path)
            if record is not None:
                yield path.stem, record

    @cached_property
    def seeds(self) -> tuple[SeedRecords, ...]:
        """Every arm and seed that has written anything, by arm and seed."""
        # By the number and not the name, in which seed-10 stands before seed-2.
        folders = [(path.parent.name, _seed_number(path), path) for path in self.folder.glob("arms/*/seed-*")]
        return tuple(read_seed(path, arm, seed) for arm, seed, path in sorted(folders))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that have written anything, in the order of the experiment file, others after them."""
        written = list(dict.fromkeys(seed.arm for seed in self.seeds))
        names = list(self.experiment.arms)
        return tuple(sorted(written, key=lambda arm: names.index(arm) if arm in names else len(names)))

    def events(self) -> list[dict[str, Any]]:
        """What the watch saw of all trainings: rows of ``events.jsonl`` with ``training``, by their steps.

        Raises:
            StoreError: a file of events is damaged.
        """
        rows = [
            row | {"training": f"{arm}, seed {seed.seed}"}
            for arm in self.arms
            for seed in self.seeds_of(arm)
            for row in read_json_rows(self.folder / arm_place(arm, seed.seed) / "events.jsonl")
        ]
        return sorted(rows, key=itemgetter("step"))

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
    if (folder / "crossed.toml").is_file():
        raise StoreError(
            f"{folder} is a crossed experiment; expected a run of two arms; `shoal report {folder}` writes its page"
        )
    if not plan.is_file():
        raise StoreError(f"{folder} is not a run: it has no experiment.toml; give the folder that `shoal run` printed")
    try:
        # The text too: a report shows the file as it was written, and TOML that is written again would lose its order.
        text = plan.read_bytes()
        experiment = experiment_from(parse_toml(str(plan), text), str(plan))
    except (OSError, ExperimentFileError) as error:
        raise StoreError(f"{plan} is damaged: {error}; run the experiment again into a new folder") from error
    return Run(folder, experiment, text.decode("utf-8"))


def task_of_run(run: Run) -> Task:
    """The examples and the split of a run, for work on it that comes later.

    Args:
        run: the run folder.

    Raises:
        StoreError: the task has other examples than the run was begun with.
        ShoalError: it cannot be made.
    """
    task = make_experiment_task(run.experiment)
    if (run.choices or {}).get("examples", examples := examples_digest(task)) != examples:
        raise StoreError(
            f"{run.folder} is of other examples of the task {task.name!r} than there are now; put back the rows that "
            "it was run on"
        )
    return task


def _seed_number(path: Path) -> int:
    digits = path.name.removeprefix("seed-")
    if not digits.isdecimal():
        raise StoreError(f"{path} is not named after a seed, as seed-0 is; move it out of the run folder")
    return int(digits)
