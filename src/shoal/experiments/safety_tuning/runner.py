"""An experiment on safety tuning from its plan to its result; killed at any moment, the same call resumes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.recorded_work import do_recorded_run, do_trainings
from shoal.experiments.safety_tuning.gathering import gather_safety_tuning
from shoal.experiments.safety_tuning.trainings import planned_safety_trainings, read_safety_record
from shoal.experiments.safety_tuning.units import begin_safety_trainings, prepare_safety_data, read_plan_benchmarks
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
    from shoal.experiments.safety_tuning.result import SafetyTuning
    from shoal.experiments.safety_tuning.trainings import SafetyTrainingRecord
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
    report = progress or no_progress

    def check(_: Path) -> None:
        from shoal.models import load_tokenizer

        prepare_safety_data(plan, load_tokenizer(plan.model))
        # The first model is measured on them only after all of its answers.
        read_plan_benchmarks(plan)

    return do_recorded_run(
        plan,
        folder,
        begin=begin_safety_trainings,
        work=lambda store, engine: do_trainings(
            planned_safety_trainings(plan), engine, store, read_safety_record, report, on_training
        ),
        gather=gather_safety_tuning,
        check=check,
        workers=workers,
        threads=plan.threads,
        device=plan.device,
        progress=report,
    )
