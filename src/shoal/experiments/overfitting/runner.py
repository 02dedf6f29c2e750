"""A comparison from its plan to its result; killed at any moment, the same call resumes it and loses no training."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from shoal.errors import TrainingError
from shoal.experiments.overfitting.ensembles import ensemble_folder
from shoal.experiments.overfitting.gathering import gather_overfit
from shoal.experiments.overfitting.planning import Planning
from shoal.experiments.overfitting.recipe import BASELINE
from shoal.experiments.overfitting.trainings import training_place
from shoal.experiments.overfitting.units import begin_trainings, failed_record
from shoal.experiments.recorded_work import do_recorded_run
from shoal.experiments.storage import write_json, write_jsonl
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.experiments.overfitting.recipe import OverfitPlan
    from shoal.experiments.overfitting.result import OverfitResult
    from shoal.experiments.overfitting.trainings import PlannedTraining, TrainingRecord
    from shoal.experiments.store import RunStore
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress

ENSEMBLES = "ensembles"
"""The folder of the ensembles of a comparison, each of which is a model spec."""


def run_overfit(
    plan: OverfitPlan,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    on_training: Callable[[TrainingRecord], None] | None = None,
) -> OverfitResult:
    """Run a comparison, or what is left of it.

    The folder gets ``overfit.toml``, a folder per training under ``trainings`` (its model, the log-probability of each
    scored token, its record), a model spec per ensemble and seed under ``ensembles``, ``rows.jsonl``,
    ``timings.jsonl`` and ``result.json``.

    Args:
        plan: as `load_overfit` gives it.
        folder: of the comparison; made where it does not exist.
        workers: trainings side by side; None for one per core, or for one where there is a GPU; 0 does all in this
            process.
        progress: called with (what, done, total).
        on_training: called with the record of each training as it ends.

    Raises:
        StoreError: the folder holds another comparison, is full, or cannot be written.
        UsageError: a number of workers below 0.
        TrainingError: a training of the baseline failed, which all rows are compared with.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    report = progress or no_progress

    def gather(home: Path, plan: OverfitPlan) -> OverfitResult:
        result = gather_overfit(home, plan)
        write_jsonl(home / "rows.jsonl", (row.to_dict() for row in result.rows))
        _write_ensembles(plan, home)
        return result

    return do_recorded_run(
        plan,
        folder,
        begin=begin_trainings,
        work=lambda store, engine: _Running(plan, store, report, on_training).run(engine),
        gather=gather,
        workers=workers,
        threads=plan.overfit.threads,
        device=plan.recipe.device,
        progress=report,
        # A comparison outlives one training that runs out of memory; its row says so.
        on_death="retry",
    )


class _Running:
    """Waves of trainings: what is ready is done, and then what its results have made ready."""

    def __init__(
        self,
        plan: OverfitPlan,
        store: RunStore,
        progress: Progress,
        on_training: Callable[[TrainingRecord], None] | None,
    ) -> None:
        self.store, self.progress, self.on_training = store, progress, on_training
        self.planning = Planning(plan, store.folder)
        # What is chosen on the way may be a value that other rows have too: a total that is not known better.
        self.total = len(Planning(plan, store.folder, assume_first=True).trainings())
        self.baseline = {self.planning.single(BASELINE, seed).key for seed in self.planning.seeds}

    def run(self, engine: Engine[PlannedTraining]) -> None:
        """Do all that is not done."""
        while waiting := [one for one in self.planning.trainings() if self.planning.record(one) is None]:
            ready = [one for one in waiting if self._is_ready(one)]
            self._count()
            for outcome in engine.run(ready):
                if outcome.answer is None:
                    # A process that died has left no record; without one the training would be waited for without end.
                    self._write(failed_record(outcome.item, outcome.death))
                else:
                    self.store.add_timing(outcome.answer)
                self._take(outcome.item)
        self._count()

    def _is_ready(self, training: PlannedTraining) -> bool:
        """Whether all that it needs is done; one that needs what failed has failed too."""
        needed = [self.planning.record_of(key) for key in training.needs]
        failed = next((record for record in needed if record is not None and record.state == "failed"), None)
        if failed is not None:
            self._write(failed_record(training, f"a training that it needs failed: {failed.reason}"))
        return failed is None and all(record is not None for record in needed)

    def _take(self, training: PlannedTraining) -> None:
        record = self.planning.record(training)
        if record is not None and record.state == "failed" and training.key in self.baseline:
            raise TrainingError(f"{training.title} failed, and all rows are compared with it: {record.reason}")
        if record is not None and self.on_training is not None:
            self.on_training(record)
        self._count()

    def _write(self, record: TrainingRecord) -> None:
        write_json(self.store.folder / training_place(record.key) / "done.json", record.to_dict())

    def _count(self) -> None:
        known = self.planning.trainings()
        done = sum(self.planning.record(one) is not None for one in known)
        self.progress("trainings", done, max(self.total, len(known)))


def _write_ensembles(plan: OverfitPlan, folder: Path) -> None:
    """A model spec for each ensemble and seed whose members are done."""
    from shoal.models import EnsembleMember, write_ensemble

    planning = Planning(plan, folder)
    for row in plan.overfit.ensembles:
        for seed in planning.seeds:
            members = planning.of_row(row, seed)
            if members is None or not planning.is_done(members.trainings):
                continue
            home = folder / ENSEMBLES / ensemble_folder(row) / f"seed-{seed}"
            written = []
            for training, weight in zip(members.trainings, planning.weights(members), strict=True):
                record = planning.record(training)
                assert record is not None  # all of them are done
                model = folder / training_place(training.key) / "model"
                # By a relative path, so that the folder of the comparison can be moved.
                written.append(EnsembleMember(spec=os.path.relpath(model, home), digest=record.digest, weight=weight))
            write_ensemble(home, written)
