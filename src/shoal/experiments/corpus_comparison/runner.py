"""A comparison from its plan to its result; killed at any moment, the same call resumes it and loses no training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.corpus_comparison.gathering import gather_corpus_comparison
from shoal.experiments.corpus_comparison.trainings import planned_trainings, read_compared
from shoal.experiments.corpus_comparison.units import begin_compared, prepare_shared
from shoal.experiments.recorded_work import do_recorded_run, do_trainings
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan
    from shoal.experiments.corpus_comparison.result import CorpusComparison
    from shoal.experiments.corpus_comparison.trainings import ComparedTrainingRecord
    from shoal.progress import Progress


def compare_corpora(
    plan: CorpusComparisonPlan,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    on_training: Callable[[ComparedTrainingRecord], None] | None = None,
) -> CorpusComparison:
    """Train models on each corpus and compare them on held-out texts, or do what is left of it.

    The folder gets ``comparison.toml``, ``prepared`` (texts, tokenizer, tokens), a folder per training under
    ``trainings`` with its record, ``timings.jsonl`` and ``result.json``.

    Args:
        plan: as `load_corpus_comparison` gives it.
        folder: of the comparison; made where it does not exist.
        workers: trainings side by side; None for one per core, or for one where there is a GPU; 0 does all in this
            process.
        progress: called with (what, done, total).
        on_training: called with the record of each training as it ends.

    Raises:
        DataError: a corpus has too few tokens, or a held-out text is a part of a corpus.
        StoreError: the folder holds another comparison, is full, or cannot be written.
        UsageError: a number of workers below 0.
        TrainingError: a training failed; the others are recorded, and the same call does it again.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    report = progress or no_progress
    return do_recorded_run(
        plan,
        folder,
        begin=begin_compared,
        work=lambda store, engine: do_trainings(
            planned_trainings(plan), engine, store, read_compared, report, on_training
        ),
        gather=gather_corpus_comparison,
        check=lambda home: prepare_shared(home, plan, report),
        workers=workers,
        threads=plan.threads,
        device=plan.device,
        progress=report,
    )
