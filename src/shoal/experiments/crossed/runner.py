"""A crossed experiment from its file to its verdicts; killed at any moment, the same call resumes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import StoreError, UsageError
from shoal.experiments.crossed.cell_tasks import (
    cell_tasks,
    check_data,
    examples_digests,
    narrowness_place,
    one_per_task,
)
from shoal.experiments.crossed.design import DesignReport, describe_design
from shoal.experiments.crossed.explaining import explain_crossed
from shoal.experiments.crossed.judging import judge_crossed, pooled_spread
from shoal.experiments.crossed.mixed import import_statsmodels
from shoal.experiments.crossed.plan import PLAN
from shoal.experiments.crossed.records import RESULT, open_crossed
from shoal.experiments.crossed.units import answering, cell_job, shuffled_job
from shoal.experiments.environment import keep_environment
from shoal.experiments.explaining import explanations_table
from shoal.experiments.jobs import Job
from shoal.experiments.recorded_work import do_unrecorded
from shoal.experiments.runner import check_specs, divide_cores
from shoal.experiments.store import RunStore
from shoal.experiments.tables import as_table
from shoal.experiments.workers import InProcess, WorkerPool
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.experiments.crossed.plan import CrossedExperiment
    from shoal.experiments.crossed.result import CrossedResult
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress

DESIGN = "design.json"


def plan_crossed(experiment: CrossedExperiment) -> DesignReport:
    """Check everything that can be checked before anything is trained, and describe the design.

    Args:
        experiment: as `load_crossed` gives it.

    Raises:
        UsageError: a task, split or model cannot be used, a hypothesis names an effect that the design cannot tell from
            another one, two levels train on the same, or a control cannot fail.
        StoreError: the pilot is no folder of a crossed experiment.
        MissingExtraError: the mixed model needs a package that is not installed.
    """
    report = describe_design(experiment, assumed_sd=_pilot_sd(experiment))
    check_specs({f"cell {cell.name}": cell.spec for cell in experiment.cells})
    if experiment.measure.mixed_model:
        import_statsmodels()
    check_data(experiment, cell_tasks(experiment))
    return report


def run_crossed(
    experiment: CrossedExperiment,
    folder: str | os.PathLike[str],
    *,
    workers: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
) -> CrossedResult:
    """Run a crossed experiment, or what is left of it, and give its verdicts.

    In this order: the design is checked and written down; the evaluator proves itself on dummies; the narrowness of
    each task is reported; each cell is trained and evaluated once for each seed, and its controls are run; what
    explains the answers of each model is found; the hypotheses are judged.

    Args:
        experiment: as `load_crossed` gives it.
        folder: the run folder; made where it does not exist.
        workers: processes that work side by side; ``auto`` is one per core, or one where there is a GPU; 0 does all in
            this process.
        progress: called with (what, done, total).

    Raises:
        CertificationError: the evaluator failed its certificate; nothing was trained.
        StoreError: the folder holds another experiment or cannot be written.
        UsageError: as in `plan_crossed`.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    report = plan_crossed(experiment)
    store = RunStore(Path(folder), experiment, plan=PLAN)
    try:
        keep_environment(store)
        store.write(DESIGN, report.to_dict())
        _CrossedRunner(store, experiment, progress or no_progress, workers).do_all()
        explained = explain_crossed(store.folder, experiment, progress=progress or no_progress)
        result = replace(
            judge_crossed(open_crossed(folder)),
            explanations=explanations_table(explained, experiment.measure.confidence),
        )
        store.write(RESULT, result.to_dict())
    finally:
        store.close()
    return result


class _CrossedRunner:
    """The steps of a run, each of which leaves out what is there already."""

    def __init__(
        self, store: RunStore, experiment: CrossedExperiment, progress: Progress, workers: int | Literal["auto"]
    ) -> None:
        self.store, self.experiment, self.progress = store, experiment, progress
        count, threads = divide_cores(workers, experiment.device)
        digests = examples_digests(experiment)
        choices: dict[str, Any] = store.read("choices.json") or {"threads": threads, "examples": digests}
        # Rows of a file may change between two calls though the experiment's own file stays the same.
        if choices["examples"] != digests:
            raise StoreError(f"{store.folder} holds a run on other examples; give another folder with --out")
        store.write("choices.json", choices)
        self.pool = self._engine(workers, count, choices["threads"])

    def _engine(self, workers: int | Literal["auto"], count: int, threads: int) -> Engine[Job]:
        folder, experiment = self.store.folder, self.experiment
        if workers == 0:
            return InProcess(lambda: answering(folder, experiment), threads=threads)
        return WorkerPool(
            "shoal.experiments.crossed.units:begin_crossed",
            {"folder": str(folder.resolve()), "experiment": as_table(experiment), "threads": threads},
            count=count,
            threads=threads,
            locks=(self.store.lock,),
        )

    def do_all(self) -> None:
        experiment = self.experiment
        # One of each task: its narrowness does not hang on what else a cell varies.
        first = one_per_task(experiment.cells)
        prepare = [
            Job(kind="certificate", place="certificate.json", title="the certificate"),
            *(
                Job(
                    kind="narrowness",
                    place=narrowness_place(cell),
                    title=f"the narrowness report of {cell.name}",
                    spec=cell.spec,
                    arm=cell.name,
                )
                for cell in first
            ),
        ]
        # Seeds outside, so that a run that is stopped early has whole replicates of the design.
        trainings = [cell_job(cell, seed) for seed in range(experiment.seeds) for cell in experiment.cells]
        if experiment.controls.shuffled_labels:
            trainings += [shuffled_job(cell) for cell in first]
        try:
            self._do("certify and prepare", prepare, lambda job: self.store.path(job.place).is_file())
            self._do("train and evaluate", trainings, lambda job: self.store.is_done(job.place))
        finally:
            self.pool.close()

    def _do(self, what: str, jobs: Sequence[Job], is_done: Callable[[Job], bool]) -> None:
        do_unrecorded(what, jobs, engine=self.pool, store=self.store, is_recorded=is_done, progress=self.progress)


def _pilot_sd(experiment: CrossedExperiment) -> float | None:
    """The spread between trainings in the pilot; None where the file names none."""
    if experiment.design.pilot is None:
        return None
    pilot = open_crossed(experiment.design.pilot)
    spread = pooled_spread(pilot, experiment.measure.primary)
    if spread is None:
        raise UsageError(
            f"the pilot {experiment.design.pilot} has no cell with two finished trainings, so that it shows no spread; "
            "run it to its end, or give design.assumed_sd"
        )
    return spread
