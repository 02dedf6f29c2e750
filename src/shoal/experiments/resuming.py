"""A run folder of any kind, resumed by what it keeps itself: the command that began it need not be known."""

from __future__ import annotations

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


def _corpora(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.corpus_comparison import COMPARISON_PLAN, CorpusComparisonPlan, compare_corpora
    from shoal.experiments.tables import read_plan

    plan = read_plan(
        folder, COMPARISON_PLAN, CorpusComparisonPlan, holds="comparison of corpora", written_by="shoal curate compare"
    )
    compare_corpora(plan, folder, workers=workers, progress=progress)


def _overfitting(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.overfitting import OVERFIT_PLAN, OverfitPlan, run_overfit
    from shoal.experiments.tables import read_plan

    plan = read_plan(folder, OVERFIT_PLAN, OverfitPlan, holds="comparison", written_by="shoal overfit")
    run_overfit(plan, folder, workers=workers, progress=progress)


def _safety_tuning(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.safety_tuning import TUNING_PLAN, SafetyTuningPlan, tune_safety
    from shoal.experiments.tables import read_plan

    plan = read_plan(
        folder, TUNING_PLAN, SafetyTuningPlan, holds="experiment on safety tuning", written_by="shoal safety tune"
    )
    tune_safety(plan, folder, workers=workers, progress=progress)


def _sweep(folder: Path, workers: int | None, progress: Progress) -> None:
    from shoal.experiments.sweeps import PLAN, SweepPlan, run_sweep
    from shoal.experiments.tables import read_plan

    plan = read_plan(folder, PLAN, SweepPlan, holds="sweep", written_by="shoal sweep")
    run_sweep(plan, folder, workers=workers, progress=progress)


def _pretraining(folder: Path, _workers: int | None, progress: Progress) -> None:
    from shoal.experiments.pretraining import load_recipe, pretrain_run
    from shoal.experiments.pretraining.run import PLAN_FILE

    pretrain_run(load_recipe(folder / PLAN_FILE), folder, progress=progress)


RESUMED: dict[str, Resume] = {
    "experiment.toml": _experiment,
    "crossed.toml": _crossed,
    "comparison.toml": _corpora,
    "overfit.toml": _overfitting,
    "safety_tuning.toml": _safety_tuning,
    "sweep.toml": _sweep,
    "recipe.toml": _pretraining,
}
"""What resumes a run, by the file that its folder has."""
