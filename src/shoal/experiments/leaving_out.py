"""Leave-out on a finished run: an arm is trained again without groups of its training examples."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import StoreError, UnknownNameError
from shoal.experiments.job_training import settings_of, train_in
from shoal.experiments.jobs import Job, WorkerContext
from shoal.experiments.run_folder import open_run, task_of_run
from shoal.experiments.tasks import at_equal_steps, augmentation_of
from shoal.experiments.tuning import spec_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.attribution import LeaveOutResult
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.tasks import Example


def leave_out_of_run(
    folder: str | os.PathLike[str], by: str, *, arm: str | None = None, progress: Progress | None = None
) -> LeaveOutResult:
    """Train an arm of a run again without each group of its seen examples, as the run trained it.

    Spec, seeds, settings, learning rates and precision are those of the run. What is done is kept in the folder
    ``leave-out`` of the run, so that a call that was killed is resumed.

    Args:
        folder: of a run that has chosen its learning rates.
        by: what makes the groups: ``tag:NAME``, ``shortcut:NAME`` or ``length``.
        arm: which arm; the treatment by default.
        progress: called with ("trainings", done, total).

    Raises:
        StoreError: the folder is no run, the run has not come so far, or its rows were edited since.
        UnknownNameError: no arm has that name.
        UsageError: there are no such groups.
    """
    from shoal.attribution import find_groups, leave_out

    run = open_run(folder)
    experiment, choices = run.experiment, run.choices or {}
    if not {"learning_rates", "precision"} <= choices.keys():
        raise StoreError(f"{folder} has not chosen its learning rates yet; let shoal run finish it first")
    chosen = arm or experiment.treatment
    if chosen not in experiment.arms:
        raise UnknownNameError("arm", chosen, tuple(experiment.arms))
    context, task = WorkerContext(run.folder, experiment), task_of_run(run)
    rates = choices["learning_rates"][chosen]["chosen"]
    place = Path(run.folder) / "leave-out" / chosen / by.replace(":", "-")

    def train(examples: Sequence[Example], seed: int) -> LoadedModel:
        job = Job(
            kind="arm",
            place=str(place),
            title=f"{chosen} without a group, seed {seed}",
            spec=spec_of(experiment, chosen),
            arm=chosen,
            seed=seed,
            learning_rate=rates[str(seed)],
            precision=choices["precision"],
        )
        # A checkpoint of the training before would be of other examples.
        shutil.rmtree(place / "training", ignore_errors=True)
        loaded = context.model(job.spec, seed)
        kept = {(example.prompt, example.completion) for example in examples}
        removed = [example for example in task.seen if (example.prompt, example.completion) not in kept]
        # Made of what is left, and equal to nothing that is left out: augmentation would bring it back.
        found = augmentation_of(experiment, task, examples, seed, validation=removed)
        settings = at_equal_steps(settings_of(context, job), found)
        train_in(job, loaded, found.examples if found else examples, settings, place / "training")
        shutil.rmtree(place / "training", ignore_errors=True)
        return loaded

    return leave_out(
        task,
        find_groups(task, by),
        train,
        seeds=experiment.seeds,
        confidence=experiment.measure.confidence,
        folder=place,
        # Trainings of an earlier version were without augmentation, and are not mixed with these.
        recipe=f"arm {chosen} of {run.name}, groups by {by}" + (", augmented" if experiment.training.augment else ""),
        progress=progress,
    )
