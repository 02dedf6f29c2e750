"""A run folder of any kind, resumed by what it keeps itself: the command that began it need not be known."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from shoal.progress import Progress

    Resume = Callable[[Path, int | None, Progress], Any]


def resume_run(folder: str | os.PathLike[str], *, workers: int | None = None, progress: Progress | None = None) -> None:
    """Do what is left of a run, to the same records as without the interruption.

    Its settings are those of the file in the folder, in which every path is absolute. A sweep on a Ray cluster is
    resumed on this machine, to the same bits. A pretraining of several processes is resumed where they were started.

    Args:
        folder: of an experiment, a crossed experiment, a comparison of corpora or of methods against overfitting,
            safety tuning, a sweep, or a pretraining.
        workers: trainings side by side; None for one per core. A pretraining has one process.
        progress: called with (what, done, total).

    Raises:
        StoreError: the folder is none of them, its file is damaged, or another process works in it.
        ShoalError: whatever the run itself raises.
    """
    folder = Path(folder)
    for plan, resume in RESUMED.items():
        if (folder / plan).is_file():
            resume(folder, workers, progress or no_progress)
            return
    raise StoreError(f"{folder} is no run that can be resumed: it has none of {', '.join(RESUMED)}")


def _experiment(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.loading import load_experiment
    from shoal.experiments.runner import run_experiment

    plan = load_experiment(folder / "experiment.toml")
    run_experiment(plan, folder, workers="auto" if workers is None else workers, progress=progress)


def _crossed(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.crossed import PLAN, load_crossed, run_crossed

    plan = load_crossed(folder / PLAN)
    run_crossed(plan, folder, workers="auto" if workers is None else workers, progress=progress)


def _planned(room: str, plan: str, run: str) -> Resume:
    """What resumes a run whose plan reads itself from the folder; the room is imported when it is called."""

    def resume(folder: Path, workers: int | None, progress: Progress) -> None:
        door = import_module(f"shoal.experiments.{room}")
        getattr(door, run)(getattr(door, plan).read(folder), folder, workers=workers, progress=progress)

    return resume


def _pretraining(folder: Path, _workers: int | None, progress: Progress) -> None:
    from shoal.experiments.pretraining import load_recipe, pretrain_run
    from shoal.experiments.pretraining.run import PLAN_FILE

    pretrain_run(load_recipe(folder / PLAN_FILE), folder, progress=progress)


RESUMED: dict[str, Resume] = {
    "experiment.toml": _experiment,
    "crossed.toml": _crossed,
    "comparison.toml": _planned("corpus_comparison", "CorpusComparisonPlan", "compare_corpora"),
    "overfit.toml": _planned("overfitting", "OverfitPlan", "run_overfit"),
    "safety_tuning.toml": _planned("safety_tuning", "SafetyTuningPlan", "tune_safety"),
    "sweep.toml": _planned("sweeps", "SweepPlan", "run_sweep"),
    "recipe.toml": _pretraining,
}
"""What resumes a run, by the file that its folder has."""
