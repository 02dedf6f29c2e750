"""What the run folder of a crossed experiment holds, as typed records; reading changes nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, StoreError
from shoal.experiments.crossed.loading import crossed_from
from shoal.experiments.crossed.plan import PLAN
from shoal.experiments.crossed.result import CrossedResult
from shoal.experiments.crossed.units import cell_place, shuffled_place
from shoal.experiments.explaining import read_explanations
from shoal.experiments.loading import parse_toml
from shoal.experiments.measures import mean_of
from shoal.experiments.records import read_items, read_seed
from shoal.experiments.storage import read_json, read_json_rows

if TYPE_CHECKING:
    import os

    from shoal.attribution import Explanation
    from shoal.experiments.crossed.plan import CrossedExperiment
    from shoal.experiments.records import ArmRecord, ItemRecord

RESULT = "result.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecords:
    """One finished training."""

    cell: str
    seed: int
    """Its number within the cell."""

    items: tuple[ItemRecord, ...]
    done: ArmRecord

    def value(self, measure: str, split: str = "held_out") -> float | None:
        """A measure of it; None where it applies to no item.

        Args:
            measure: its name.
            split: ``held_out``, or ``seen`` for training examples.
        """
        return mean_of(measure, [item for item in self.items if item.split == split])


@dataclass(frozen=True)
class CrossedRun:
    """The run folder of a crossed experiment, finished or not."""

    folder: Path
    experiment: CrossedExperiment
    experiment_text: str
    """``crossed.toml`` as it stands."""

    @cached_property
    def trainings(self) -> dict[str, tuple[CellRecords, ...]]:
        """The finished trainings of each cell, by their numbers.

        Raises:
            StoreError: a file is damaged.
        """
        return {cell.name: tuple(self._finished(cell.name)) for cell in self.experiment.cells}

    @cached_property
    def result(self) -> CrossedResult | None:
        """The verdicts of a run that has come to its end."""
        file = self.folder / RESULT
        return CrossedResult.from_dict(read_json(file)) if file.is_file() else None

    @cached_property
    def explanations(self) -> dict[str, dict[int, Explanation]]:
        """What explains the answers of each model, from cell to seed; empty before the run has come to its end.

        Raises:
            StoreError: the file is damaged.
        """
        return read_explanations(self.folder)

    @cached_property
    def timings(self) -> tuple[dict[str, Any], ...]:
        """What each job took."""
        return tuple(read_json_rows(self.folder / "timings.jsonl"))

    def shuffled_items(self, cell: str) -> tuple[ItemRecord, ...]:
        """The items of a cell's control training; empty where there was none.

        Args:
            cell: its name.
        """
        return read_items(self.folder / shuffled_place(cell) / "after.jsonl")

    def _finished(self, cell: str) -> list[CellRecords]:
        found = []
        for seed in range(self.experiment.seeds):
            records = read_seed(self.folder / cell_place(cell, seed), cell, seed)
            if records.done is not None:
                found.append(CellRecords(cell=cell, seed=seed, items=records.after, done=records.done))
        return found


def open_crossed(folder: str | os.PathLike[str]) -> CrossedRun:
    """Read the run folder of a crossed experiment.

    Args:
        folder: as `run_crossed` writes it.

    Raises:
        StoreError: it is no such folder, or its plan is damaged.
    """
    folder = Path(folder)
    file = folder / PLAN
    if not file.is_file():
        raise StoreError(f"{folder} holds no crossed experiment; give a folder that shoal run has written")
    text = file.read_bytes()
    try:
        experiment = crossed_from(parse_toml(str(file), text), str(file))
    except ExperimentFileError as error:
        raise StoreError(f"{file} is damaged: {error}; run the experiment again into a new folder") from error
    return CrossedRun(folder, experiment, text.decode("utf-8"))
