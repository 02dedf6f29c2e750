"""Which training examples of a run teach what: its arm is trained again without groups of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.experiments.jobs import Job, WorkerContext, settings_of, train_in
from shoal.experiments.tasks import make_experiment_task
from shoal.experiments.tuning import spec_of
from shoal.experiments.worker_main import set_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.attribution import LeaveOutResult, Retrain
    from shoal.experiments.records import Run
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.tasks import Example

_FOLDER = "leave_out"


def leave_out_of_run(run: Run, by: str, *, arm: str | None = None, progress: Progress | None = None) -> LeaveOutResult:
    """Train an arm of a run again without each group of its seen examples, with the settings and seeds of the run.

    The learning rate of each seed stays the one that was chosen with all examples, and the number of passes over the
    examples that are left, too. What is finished lies in the run's folder ``leave_out``, so that a call is resumed.

    Args:
        run: whose learning rates are chosen.
        by: the groups, as `shoal.attribution.find_groups` takes them: ``tag:NAME``, ``shortcut:NAME`` or ``length``.
        arm: of the run; the treatment by default.
        progress: called with ("trainings", done, total).

    Raises:
        UnknownNameError: the run has no such arm.
        UsageError: the run has chosen no learning rates yet, or the groups cannot be used.
        StoreError: what lies in the folder is of other examples, or damaged.
    """
    from shoal.attribution import find_groups, leave_out

    experiment = run.experiment
    arm = arm or experiment.treatment
    if arm not in experiment.arms:
        raise UnknownNameError("arm", arm, experiment.arms)
    task = make_experiment_task(experiment)
    # By digest, since a tag may have any name.
    place = hashlib.sha256(f"{arm}\0{by}".encode()).hexdigest()[:12]
    return leave_out(
        task,
        find_groups(task, by),
        retrain_arm(run, arm),
        seeds=experiment.seeds,
        confidence=experiment.measure.confidence,
        folder=run.folder / _FOLDER / place,
        recipe=json.dumps([arm, run.experiment_text, run.choices], sort_keys=True),
        progress=progress,
    )


def retrain_arm(run: Run, arm: str) -> Retrain:
    """What trains an arm of a run on other examples, as the run itself trained it.

    Args:
        run: whose learning rates are chosen.
        arm: of the run.

    Raises:
        UsageError: the run has chosen no learning rates yet.
    """
    choices = run.choices or {}
    if "learning_rates" not in choices:
        raise UsageError(f"{run.folder} has not chosen its learning rates yet; give shoal run once more, to its end")
    context = WorkerContext(run.folder, run.experiment)

    def train(examples: Sequence[Example], seed: int) -> LoadedModel:
        set_threads(choices["threads"])
        texts = json.dumps([arm, seed, [(example.prompt, example.completion) for example in examples]])
        # A folder for each training: a checkpoint of other examples is refused.
        place = f"{_FOLDER}/{hashlib.sha256(texts.encode()).hexdigest()[:16]}"
        job = Job(
            kind="arm",
            place=place,
            title=f"{arm} without a group, seed {seed}",
            spec=spec_of(run.experiment, arm),
            arm=arm,
            seed=seed,
            learning_rate=choices["learning_rates"][arm]["chosen"][str(seed)],
            precision=choices["precision"],
        )
        loaded = context.model(job.spec, seed)
        train_in(job, loaded, examples, settings_of(context, job), run.folder / place)
        shutil.rmtree(run.folder / place, ignore_errors=True)
        loaded.model.eval()
        return loaded

    return train
