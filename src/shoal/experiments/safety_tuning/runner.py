"""An experiment on safety tuning from its plan to its result; killed at any moment, the same call resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ShoalError
from shoal.experiments.environment import keep_environment
from shoal.experiments.recorded_work import do_trainings
from shoal.experiments.safety_tuning.gathering import TUNING_PLAN, gather_safety_tuning
from shoal.experiments.safety_tuning.trainings import (
    SafetyTraining,
    planned_safety_trainings,
    read_safety_record,
)
from shoal.experiments.safety_tuning.units import SafetyTrainer, prepare_safety_data
from shoal.experiments.storage import write_json
from shoal.experiments.store import RunStore
from shoal.experiments.workers import check_workers, local_engine
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
    from shoal.experiments.safety_tuning.result import SafetyTuning
    from shoal.experiments.safety_tuning.trainings import SafetyTrainingRecord
    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress


def tune_safety(
    plan: SafetyTuningPlan,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    on_training: Callable[[SafetyTrainingRecord], None] | None = None,
) -> SafetyTuning:
    """Tune a model with each number of safety examples and measure it, or do what is left of it.

    The folder gets ``safety_tuning.toml``, a folder per training under ``trainings`` (answers with their scores,
    held-out losses, benchmark items, adapters, its record), ``timings.jsonl`` and ``result.json``.

    Args:
        plan: as `load_safety_tuning` gives it.
        folder: of the experiment; made where it does not exist.
        workers: trainings side by side; None for one per core, or for one where there is a GPU; 0 does all in this
            process.
        progress: called with (what, done, total).
        on_training: called with the record of each training as it ends.

    Raises:
        UsageError: the model has no chat template, or a number of workers below 0.
        DataError: a file cannot be used, or a model gives empty answers alone.
        StoreError: the folder holds another experiment, is full, or cannot be written.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    check_workers(workers)
    report = progress or no_progress
    store = RunStore(Path(folder), plan, plan=TUNING_PLAN)
    try:
        keep_environment(store)
        try:
            _check(plan)
        except ShoalError:
            # What the file says wrong is corrected there: the folder may then be used again.
            store.forget()
            raise
        engine = _engine(plan, store, workers, progress)
        try:
            do_trainings(
                planned_safety_trainings(plan),
                engine=engine,
                store=store,
                read=read_safety_record,
                progress=report,
                on_training=on_training,
            )
        finally:
            engine.close()
        result = gather_safety_tuning(store.folder, plan)
        write_json(store.path("result.json"), result.to_dict())
    finally:
        store.close()
    return result


def _check(plan: SafetyTuningPlan) -> None:
    """Meet the faults of the data and the model's tokenizer before anything is trained."""
    from shoal.models import load_tokenizer

    prepare_safety_data(plan, load_tokenizer(plan.model))


def _engine(
    plan: SafetyTuningPlan, store: RunStore, workers: int | None, progress: Progress | None
) -> Engine[SafetyTraining]:
    def begin() -> Answering:
        trainer = SafetyTrainer(store.folder, plan, progress or no_progress)
        return lambda line: trainer.do(SafetyTraining(**line))

    return local_engine(
        "shoal.experiments.safety_tuning.units:begin_safety_trainings",
        {"folder": str(store.folder.resolve()), "plan": plan.model_dump_json()},
        begin,
        workers=workers,
        threads=plan.threads,
        device=plan.device,
        locks=(store.lock,),
        on_death="raise",
    )
