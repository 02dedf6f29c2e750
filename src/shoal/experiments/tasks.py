"""The task that an experiment names."""

from __future__ import annotations

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
    from shoal.tasks import make_task

    split = {"name": experiment.split.name, **experiment.split.parameters}
    task = make_task(experiment.task.name, **experiment.task.options, split=split)
    if len(task.seen) < 2 or not task.held_out:
        raise UsageError(
            f"the split {task.split.name} of the task {task.name!r} leaves {len(task.seen)} seen and "
            f"{len(task.held_out)} held-out examples; at least 2 and 1 are needed"
        )
    return task
