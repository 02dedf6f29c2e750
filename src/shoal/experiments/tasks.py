"""The task that an experiment names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.experiments.experiment import Experiment
    from shoal.tasks import Task


def make_experiment_task(experiment: Experiment) -> Task:
    """The examples of an experiment with their split.

    Raises:
        UnknownNameError: the task, one of its options or the split has an unknown name.
        UsageError: an option cannot be used, or the split leaves one side empty or nothing to validate on.
    """
    from shoal.tasks import END_TOKEN, make_task, read_rows, task_from_rows

    split = {"name": experiment.split.name, **experiment.split.parameters}
    if experiment.task.rows is None:
        task = make_task(experiment.task.name, **experiment.task.options, split=split)
    else:
        rows = read_rows(Path(experiment.task.rows), end_token=END_TOKEN)
        task = task_from_rows(rows, split=split, name=experiment.task.name)
    if len(task.seen) < 2 or not task.held_out:
        raise UsageError(
            f"the split {task.split.name} of the task {task.name!r} leaves {len(task.seen)} seen and "
            f"{len(task.held_out)} held-out examples; at least 2 and 1 are needed"
        )
    return task


def examples_digest(task: Task) -> str:
    """SHA-256 of all examples and of which are held out; a run goes on only with the examples that it began with."""
    state = hashlib.sha256()
    for example in task.examples:
        row = [example.prompt, example.completion, example.ends, task.split.holds_out(example), dict(example.tags)]
        state.update(json.dumps(row, sort_keys=True).encode())
    return state.hexdigest()
