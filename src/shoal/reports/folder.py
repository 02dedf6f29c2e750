"""A run folder as plain values; what is not there yet is None or empty."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, StoreError
from shoal.experiments import experiment_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shoal.experiments import Experiment
    from shoal.insight import Inspection

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRecords:
    """What one arm wrote for one seed."""

    arm: str
    seed: int
    curve: tuple[Record, ...]
    before: tuple[Record, ...]
    after: tuple[Record, ...]
    done: Record | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecords:
    """All of a run folder that a report shows."""

    folder: Path
    experiment_text: str
    experiment: Experiment
    environment: Record | None
    certificate: Record | None
    narrowness: Record | None
    choices: Record | None
    verdict: Record | None
    timings: tuple[Record, ...]
    seeds: tuple[SeedRecords, ...]
    inside: tuple[Record, ...]
    """What is inside each arm, where that was looked at."""

    @property
    def name(self) -> str:
        """What the run is called: the name of its folder."""
        return self.folder.resolve().name

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that have written anything, in the order of the experiment file, others after them."""
        written = list(dict.fromkeys(seed.arm for seed in self.seeds))
        names = list(self.experiment.arms)
        return tuple(sorted(written, key=lambda arm: names.index(arm) if arm in names else len(names)))

    def of_arm(self, arm: str) -> tuple[SeedRecords, ...]:
        """The seeds of an arm, in order."""
        return tuple(sorted((seed for seed in self.seeds if seed.arm == arm), key=lambda seed: seed.seed))


def read_run(folder: Path) -> RunRecords:
    """Read a run folder, finished or not.

    Raises:
        StoreError: it is not the folder of a run, or one of its files is damaged.
    """
    plan = folder / "experiment.toml"
    if not plan.is_file():
        raise StoreError(f"{folder} is not a run: it has no experiment.toml; give the folder that `shoal run` printed")
    text = _read(plan)
    try:
        experiment = experiment_from(tomllib.loads(text), str(plan))
    except (tomllib.TOMLDecodeError, ExperimentFileError) as error:
        raise StoreError(f"{plan} is damaged: {error}; run the experiment again into a new folder") from error
    return RunRecords(
        folder=folder,
        experiment_text=text,
        experiment=experiment,
        environment=_json(folder / "environment.json"),
        certificate=_json(folder / "certificate.json"),
        narrowness=_json(folder / "narrowness.json"),
        choices=_json(folder / "choices.json"),
        verdict=_json(folder / "verdict.json"),
        timings=_lines(folder / "timings.jsonl"),
        seeds=tuple(_seed(path) for path in sorted(folder.glob("arms/*/seed-*"), key=_place)),
        inside=_inside(folder, list(experiment.arms)),
    )


def _inside(folder: Path, arms: list[str]) -> tuple[Record, ...]:
    """The records of ``inside/``, in the order of the experiment's arms, others after them."""
    found = [record for path in sorted(folder.glob("inside/*.json")) if (record := _json(path)) is not None]
    place = {arm: number for number, arm in enumerate(arms)}
    return tuple(sorted(found, key=lambda record: place.get(record["arm"], len(arms))))


def inspections(folder: Path) -> Iterator[tuple[str, Inspection]]:
    """The name of each arm that was looked into, with what was seen."""
    for path in sorted(folder.glob("inside/views/*.json")):
        from shoal.insight import Inspection  # imports torch, which a report without such views does not need

        record = _json(path)
        if record is not None:
            yield path.stem, Inspection.from_dict(record)


def _place(path: Path) -> tuple[str, int]:
    """Where a seed's folder stands among the others."""
    return path.parent.name, _number(path)


def _number(path: Path) -> int:
    """The seed of a folder's name."""
    digits = path.name.removeprefix("seed-")
    if not digits.isdecimal():
        raise StoreError(f"{path} is not named after a seed, as seed-0 is; move it out of the run folder")
    return int(digits)


def _seed(path: Path) -> SeedRecords:
    """The records of one seed's folder."""
    return SeedRecords(
        arm=path.parent.name,
        seed=_number(path),
        curve=_lines(path / "curve.jsonl"),
        before=_lines(path / "before.jsonl"),
        after=_lines(path / "after.jsonl"),
        done=_json(path / "done.json"),
    )


def _read(path: Path) -> str:
    """A file's text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read ({error}); restore it or run the experiment again") from error


def _json(path: Path) -> Record | None:
    """An object from a JSON file; None where there is no such file."""
    if not path.exists():
        return None
    try:
        value = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise StoreError(
            f"{path} is damaged ({error}); delete it and run the experiment again to fill it in"
        ) from error
    if not isinstance(value, dict):
        raise StoreError(f"{path} should hold a JSON object and holds a {type(value).__name__}")
    return value


def _lines(path: Path) -> tuple[Record, ...]:
    """The rows of a JSONL file; a last line that is still being written is left out."""
    if not path.exists():
        return ()
    lines = _read(path).split("\n")
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise StoreError(f"{path}, line {number}, is damaged ({error}); delete the file and run again") from error
    return tuple(rows)
