"""A shortcut that nobody named, searched in the answers of a run's trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import StoreError
from shoal.experiments.explaining import answers_of_trainings, explained_items
from shoal.experiments.run_folder import open_run, task_of_run

if TYPE_CHECKING:
    import os

    from shoal.attribution.programs import SearchResult
    from shoal.progress import Progress


def search_run(
    folder: str | os.PathLike[str], *, progress: Progress | None = None
) -> dict[str, dict[int, SearchResult]]:
    """Search the answers of every training of a finished run for a shortcut that nobody named.

    Args:
        folder: of the run.
        progress: called with (what, done, total).

    Returns:
        From arm to seed to what was found.

    Raises:
        StoreError: the folder is no run, its rows were edited since or its answers are damaged, or no model of it has
            been asked.
    """
    from shoal.attribution import candidates_of
    from shoal.attribution.programs import build_library, search_programs

    run = open_run(folder)
    task = task_of_run(run)
    table = candidates_of(task, explained_items(task))
    trainings = list(answers_of_trainings(run.folder, run.arms, run.experiment.seeds))
    if not trainings:
        raise StoreError(f"no trained model of {folder} has answered yet; let shoal run finish it first")
    # The programs and what they answer are the same for all trainings.
    library = build_library(task.seen, task.rule, table.prompts, table.expected, progress=progress)
    results: dict[str, dict[int, SearchResult]] = {}
    for arm, seed, answers in trainings:
        results.setdefault(arm, {})[seed] = search_programs(task, answers, table=table, library=library)
    return results
