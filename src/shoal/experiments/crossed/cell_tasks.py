"""The tasks of a crossed experiment's cells, and what is checked of their data before anything is trained."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.experiments.crossed.data import cell_examples, training_seed
from shoal.experiments.tasks import check_augmentation, check_shuffled_labels, examples_digest, make_experiment_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.crossed.plan import Cell, CrossedExperiment
    from shoal.tasks import Task


def task_key(cell: Cell) -> str:
    """What tells the task of one cell from that of another: its settings and its split."""
    return json.dumps([cell.task.model_dump(mode="json"), cell.split.model_dump(mode="json")], sort_keys=True)


def cell_tasks(experiment: CrossedExperiment) -> dict[str, Task]:
    """The task of each cell by the cell's name; cells with equal settings share one.

    Raises:
        UsageError: a task or its split cannot be used.
    """
    made: dict[str, Task] = {}
    found = {}
    for cell in experiment.cells:
        key = task_key(cell)
        if key not in made:
            made[key] = make_experiment_task(cell)
        found[cell.name] = made[key]
    return found


def examples_digests(experiment: CrossedExperiment) -> str:
    """SHA-256 of the examples of all cells' tasks; a run is resumed only with the examples that it began with."""
    tasks = cell_tasks(experiment)
    state = hashlib.sha256()
    for name in sorted(tasks):
        state.update(f"{name} {examples_digest(tasks[name])}\n".encode())
    return state.hexdigest()


def narrowness_place(cell: Cell) -> str:
    """The file of the narrowness report in the run folder, of a task whose first cell this is."""
    return f"narrowness/{cell.name}.json"


def one_per_task(cells: Sequence[Cell]) -> list[Cell]:
    """The first cell of each task, in order.

    Args:
        cells: of one experiment.
    """
    return list({task_key(cell): cell for cell in reversed(cells)}.values())[::-1]


def check_data(experiment: CrossedExperiment, tasks: Mapping[str, Task]) -> None:
    """See that every cell can be trained, that levels differ in what they train on, and that controls can fail.

    Args:
        experiment: has the cells.
        tasks: of each cell, by its name.

    Raises:
        DataError: a task cannot be used: its rule contradicts the examples, for instance.
        UsageError: a cell asks for more examples than there are, two levels of a factor give equal trainings, or
            shuffled labels leave nearly all labels as they are.
    """
    from shoal.tasks import check_task

    # Cells share tasks; each is checked once.
    for task in {id(task): task for task in tasks.values()}.values():
        check_task(task).raise_for_problems()
    trained = {}
    for cell in experiment.cells:
        try:
            check_augmentation(cell, tasks[cell.name], tasks[cell.name].seen)
            trained[cell.name], _ = cell_examples(cell, tasks[cell.name], training_seed(cell.name, 0))
        except UsageError as error:
            raise UsageError(f"cell {cell.name}: {error}") from error
    for factor in experiment.factors:
        _check_levels_differ(experiment, factor, tasks)
    if experiment.controls.shuffled_labels:
        for cell in one_per_task(experiment.cells):
            check_shuffled_labels(trained[cell.name], f"cell {cell.name}")


def _check_levels_differ(experiment: CrossedExperiment, factor: str, tasks: Mapping[str, Task]) -> None:
    """Refuse two levels that give equal trainings wherever they meet: their effect is 0 before anything is trained."""
    met: dict[tuple[str, str], bool] = {}
    by_rest: dict[tuple[str, ...], list[Cell]] = {}
    for cell in experiment.cells:
        rest = tuple(level for name, level in cell.levels.items() if name != factor)
        by_rest.setdefault(rest, []).append(cell)
    for cells in by_rest.values():
        prints = {cell.levels[factor]: _fingerprint(cell, tasks[cell.name]) for cell in cells}
        levels = list(prints)
        for place, one in enumerate(levels):
            for other in levels[:place]:
                met[other, one] = met.get((other, one), True) and prints[one] == prints[other]
    for (one, other), equal in met.items():
        if equal:
            raise UsageError(
                f"the levels {one} and {other} of {factor!r} give equal trainings, so that they cannot differ; "
                "change one of them"
            )


def _fingerprint(cell: Cell, task: Task) -> str:
    """What a training of a cell hangs on, its seed aside."""
    settings = cell.model_dump(mode="json", exclude={"name", "levels", "data", "model", "fresh_weights"})
    # What augmentation adds is among the examples.
    settings["training"] = {key: value for key, value in settings["training"].items() if "augment" not in key}
    # With one seed for all cells: the seeds of cells differ, and with them the draws of equal settings.
    examples = [(example.prompt, example.completion, example.ends) for example in cell_examples(cell, task, 0)[0]]
    return json.dumps([settings, cell.spec, examples], sort_keys=True)
