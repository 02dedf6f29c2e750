"""A sweep from its plan to its result; killed at any moment, the same call resumes it and loses no trial."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, ExperimentFileError, TrainingError, UsageError
from shoal.experiments.environment import keep_environment
from shoal.experiments.inputs import keep_inputs
from shoal.experiments.storage import write_jsonl
from shoal.experiments.store import RunStore
from shoal.experiments.sweeps.data_corruption import corrupt_corpora
from shoal.experiments.sweeps.objective import medians
from shoal.experiments.sweeps.result import IMPORTANCE, gather
from shoal.experiments.sweeps.sampling import choose, importances, rounds, study_of, trial_count
from shoal.experiments.sweeps.space import flat_settings, split_settings
from shoal.experiments.sweeps.trials import Unit, UnitRecord, unit_place
from shoal.experiments.sweeps.units import PREPARED, do_unit, ended_record, read_record, write_record
from shoal.experiments.workers import InProcess, WorkerPool, side_by_side
from shoal.files import atomic_file
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.experiments.sweeps.result import SweepResult
    from shoal.experiments.sweeps.sweep import SweepPlan
    from shoal.experiments.sweeps.trials import Trial
    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress

EngineName = Literal["local", "ray"]
STUDY = "optuna.journal"


def run_sweep(
    plan: SweepPlan,
    folder: str | os.PathLike[str],
    *,
    engine: EngineName = "local",
    workers: int | None = None,
    address: str | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
    on_trial: Callable[[UnitRecord], None] | None = None,
) -> SweepResult:
    """Run a sweep, or what is left of it.

    The folder gets ``sweep.toml``, a folder per training under ``trials``, ``trials.jsonl`` (a row per trial, the same
    bits for any engine and any number of workers), ``timings.jsonl``, ``importance.json`` and ``optuna.journal``.

    Args:
        plan: as `load_sweep` gives it.
        folder: of the sweep; made where it does not exist.
        engine: processes of this machine, or a Ray cluster.
        workers: trainings side by side; None for one per core, or for one where there is a GPU. 0
            does all in this process (``local`` alone).
        address: of a Ray cluster that is there; None starts one on this machine.
        retry_failed: repeat trials that failed before.
        progress: called with (what, done, total).
        on_trial: called with the record of each training as it ends.

    Raises:
        StoreError: the folder holds another sweep, is full, or cannot be written.
        UsageError: a number of workers or an address that cannot be used.
        MissingExtraError: optuna or Ray is not installed.
        TrainingError: every trial failed.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    _check_engine(engine, workers, address)
    store = RunStore(Path(folder), plan, plan=plan.plan_file)
    try:
        keep_environment(store)
        keep_inputs(store, plan)
        if retry_failed:
            _forget_failed(store, plan)
        sweeping = _Sweeping(plan, store, progress or no_progress, on_trial)
        worker = _engine(engine, workers, address, store, plan, progress)
        try:
            result = sweeping.to_result(worker)
        finally:
            worker.close()
        _write_summary(store, result)
    finally:
        store.close()
    if result.trials and result.best is None:
        raise TrainingError(f"all {len(result.trials)} trials failed; the first one: {result.trials[0].reason}")
    return result


class _Sweeping:
    """The rounds of a sweep, each of which leaves out what is there already."""

    def __init__(
        self, plan: SweepPlan, store: RunStore, progress: Progress, on_trial: Callable[[UnitRecord], None] | None
    ) -> None:
        self.plan, self.store, self.progress, self.on_trial = plan, store, progress, on_trial
        self.total = trial_count(plan.sweep) * len(plan.sweep.seeds)
        self.done = 0

    def to_result(self, engine: Engine[Unit]) -> SweepResult:
        """Do what is not done yet, round by round."""
        finished: tuple[Trial, ...] = ()
        for numbers in rounds(self.plan.sweep):
            units = self._units(numbers, finished)
            open_units = [unit for unit in units if read_record(self.store.folder, unit.trial, unit.seed) is None]
            self._count(len(units) - len(open_units))
            self._do(engine, open_units)
            finished = gather(self.store.folder, self.plan).trials
        return gather(self.store.folder, self.plan)

    def _units(self, numbers: Sequence[int], finished: tuple[Trial, ...]) -> list[Unit]:
        """The trainings of a round; a trial that cannot be begun gets its record at once."""
        sweep = self.plan.sweep
        # A resumed sweep may already have later trials, which must not change how these are chosen and judged.
        before = tuple(trial for trial in finished if trial.number < numbers[0])
        wanted = medians(sweep.pruning, before)
        shares = sweep.pruning.at if sweep.pruning else ()
        units = []
        for number, choice in zip(numbers, choose(sweep, numbers, before), strict=True):
            settings = flat_settings(choice)
            recipe, fault = self._recipe(settings)
            for seed in sweep.seeds:
                unit = Unit(
                    trial=number, seed=seed, settings=settings, recipe=recipe | {"seed": seed},
                    shares=shares, medians=wanted,
                )  # fmt: skip
                units.append(unit)
                if fault and read_record(self.store.folder, number, seed) is None:
                    write_record(self.store.folder, ended_record(unit.to_dict(), fault))
        return units

    def _recipe(self, settings: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The recipe of a trial as plain values, or why there is none."""
        changes, corruption = split_settings(settings)
        try:
            recipe = corrupt_corpora(self.plan.recipe.with_values(changes), corruption, self.store.path(PREPARED))
        except (ExperimentFileError, UsageError, DataError) as fault:
            return {}, str(fault)
        return recipe.model_dump(mode="json"), ""

    def _do(self, engine: Engine[Unit], units: list[Unit]) -> None:
        for outcome in engine.run(units):
            unit = outcome.item
            if outcome.answer is None:
                write_record(self.store.folder, ended_record(unit.to_dict(), outcome.death))
            else:
                self.store.add_timing(outcome.answer["timing"])
            record = read_record(self.store.folder, unit.trial, unit.seed)
            if record is not None and self.on_trial is not None:
                self.on_trial(record)
            self._count(1)

    def _count(self, more: int) -> None:
        self.done += more
        self.progress("trainings", self.done, self.total)


def _check_engine(engine: str, workers: int | None, address: str | None) -> None:
    if workers is not None and workers < (1 if engine == "ray" else 0):
        raise UsageError(f"--workers is {workers}; give a number of trainings side by side, 1 or more")
    if address is not None and engine != "ray":
        raise UsageError("--address is that of a Ray cluster; give --engine ray with it")


def _engine(
    engine: str, workers: int | None, address: str | None, store: RunStore, plan: SweepPlan, progress: Progress | None
) -> Engine[Unit]:
    objective, threads = plan.sweep.objective, plan.sweep.threads
    if engine == "ray":
        from shoal.experiments.ray_engine import RayCluster

        return RayCluster(
            "shoal.experiments.sweeps.units:begin_units",
            {"folder": str(store.folder.resolve()), "objective": objective},
            what="a sweep on a Ray cluster",
            count=workers,
            threads=threads,
            gpus=plan.sweep.gpus,
            address=address,
        )
    if workers == 0:

        def begin() -> Answering:
            return lambda unit: do_unit(store.folder, unit, objective, progress)

        # As in a worker: sums in another number of threads are rounded otherwise.
        return InProcess(begin, threads=threads)
    count = side_by_side(workers, threads=threads, device=plan.recipe.device)
    return WorkerPool(
        "shoal.experiments.sweeps.units:begin_units",
        {"folder": str(store.folder.resolve()), "objective": objective},
        count=count,
        threads=threads,
        locks=(store.lock,),
        # A sweep outlives one trial that runs out of memory; it is recorded as failed.
        on_death="retry",
    )


def _forget_failed(store: RunStore, plan: SweepPlan) -> None:
    for trial in gather(store.folder, plan).failed:
        for unit in trial.units:
            if unit.state == "failed":
                shutil.rmtree(store.unit(unit_place(unit.trial, unit.seed)))


def _write_summary(store: RunStore, result: SweepResult) -> None:
    """What others read: a row per trial, the importances, and optuna's own file for its dashboard."""
    write_jsonl(store.path("trials.jsonl"), (trial.to_dict() for trial in result.trials))
    sweep = result.plan.sweep
    # A grid over one key needs no optuna, which is an optional package.
    if len(sweep.keys) > 1 or sweep.sampler != "grid":
        store.write(IMPORTANCE, importances(sweep, result.trials))
        _write_study(store, result)


def _write_study(store: RunStore, result: SweepResult) -> None:
    from shoal.experiments.sweeps.sampling import import_optuna

    journal = import_optuna().storages.journal
    with atomic_file(store.path(STUDY)) as partial:
        storage = import_optuna().storages.JournalStorage(journal.JournalFileBackend(str(partial)))
        study_of(result.plan.sweep, result.trials, storage)
