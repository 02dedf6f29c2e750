"""How far a run is, read from its folder: who started it and whether it is alive do not matter."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.experiments.controls import all_arms, controls_of
from shoal.experiments.environment import available_cores
from shoal.experiments.records import arm_place
from shoal.experiments.store import LOCK
from shoal.experiments.tuning import trial_jobs

if TYPE_CHECKING:
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.run_folder import Run

_PREPARATION = ("certificate.json", "narrowness.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """The units of work of a run."""

    done: int
    total: int
    seconds_left: float | None
    """Estimated from the units that are done; None before the first of them."""


def run_progress(run: Run, *, workers: int | None = None) -> RunProgress:
    """Count the finished units of a run, and estimate how long the others take.

    Args:
        run: the run folder, finished or not.
        workers: processes that work side by side; None for one per core.

    Raises:
        StoreError: the file of timings is damaged.
    """
    places = _places(run.experiment)
    seconds = {str(row["place"]): float(row["wall_seconds"]) for row in run.timings}
    left = [kind for place, kind in places.items() if not _is_done(run.folder / place)]
    known: dict[str, list[float]] = {}
    for place, kind in places.items():
        if place in seconds:
            known.setdefault(kind, []).append(seconds[place])
    every = [value for values in known.values() for value in values]
    if not every:
        return RunProgress(done=len(places) - len(left), total=len(places), seconds_left=0.0 if not left else None)
    # A kind of unit of which none is done yet is taken to cost as much as the dearest that is.
    needed = sum(sum(known[kind]) / len(known[kind]) if kind in known else max(every) for kind in left)
    side_by_side = max(1, workers if workers is not None else available_cores())
    return RunProgress(done=len(places) - len(left), total=len(places), seconds_left=needed / side_by_side)


def is_locked(folder: str | os.PathLike[str]) -> bool:
    """Whether a process works in a run folder. Nothing is written, and nobody is kept waiting.

    Args:
        folder: of a run of any kind.
    """
    return is_file_locked(Path(folder) / LOCK)


def is_file_locked(path: str | os.PathLike[str]) -> bool:
    """Whether a process holds the lock of a file.

    Args:
        path: of the file; one that is not there is not locked.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # A shared lock: two who look at the same moment do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _places(experiment: Experiment) -> dict[str, str]:
    """The place of each unit of work, with its kind."""
    places = dict.fromkeys(_PREPARATION, "preparation")
    # The precision has no part in a trial's place, so that any serves.
    places |= {job.place: "trial" for job in trial_jobs(experiment, "float32")}
    places |= {arm_place(arm, seed): "arm" for arm in all_arms(experiment) for seed in experiment.seeds}
    return places | {control.place: "arm" for control in controls_of(experiment) if control.trains}


def _is_done(path: Path) -> bool:
    return path.is_file() if path.suffix == ".json" else (path / "done.json").is_file()
