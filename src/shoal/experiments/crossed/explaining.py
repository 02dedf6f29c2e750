"""What explains the answers of a crossed experiment: the workers write the answers, the judging explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.crossed.cell_tasks import cell_tasks
from shoal.experiments.crossed.data import cell_examples, training_seed
from shoal.experiments.crossed.units import cell_place
from shoal.experiments.explaining import explained_items, read_answers, write_explanations
from shoal.progress import no_progress

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.attribution import Explanation
    from shoal.experiments.crossed.plan import CrossedExperiment
    from shoal.progress import Progress


def explain_crossed(
    folder: Path, experiment: CrossedExperiment, *, progress: Progress = no_progress
) -> dict[str, dict[int, Explanation]]:
    """Explain every training of a crossed experiment from its answers, and write ``explanations.json``.

    Shortcuts that copy a training example look at the examples of that training, which cells and seeds vary.

    Args:
        folder: of the run.
        experiment: whose trainings are explained.
        progress: called with (what, done, total).

    Returns:
        From cell to seed to what explains it; without trainings whose answers an earlier version did not write.

    Raises:
        StoreError: the answers of a training are damaged.
    """
    from shoal.attribution import candidates_of, explain_answers

    tasks = cell_tasks(experiment)
    found: dict[str, dict[int, Explanation]] = {}
    total = experiment.trainings
    for done, (cell, seed) in enumerate((cell, seed) for cell in experiment.cells for seed in range(experiment.seeds)):
        progress("explain", done, total)
        answers = read_answers(folder / cell_place(cell.name, seed))
        if not answers:
            continue
        task = tasks[cell.name]
        examples, _ = cell_examples(cell, task, training_seed(cell.name, seed))
        table = candidates_of(task, explained_items(task), seen=examples)
        found.setdefault(cell.name, {})[seed] = explain_answers(
            table, answers, examples, task=task.name, confidence=experiment.measure.confidence
        )
    progress("explain", total, total)
    write_explanations(folder, found)
    return found
