"""The jobs of a crossed experiment: a training of one cell with one seed, and what is looked at before."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.crossed.data import cell_examples, training_seed
from shoal.experiments.crossed.loading import crossed_from
from shoal.experiments.environment import set_threads
from shoal.experiments.explaining import explained_items, write_answers
from shoal.experiments.job_training import arm_record, finish_job, score_items, settings_of, train_in, write_items
from shoal.experiments.jobs import Job, WorkerContext, job_kind, run_job
from shoal.experiments.storage import write_json, write_jsonl
from shoal.experiments.tasks import at_equal_steps, shuffle_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.crossed.plan import Cell, CrossedExperiment
    from shoal.experiments.worker_main import Answering
    from shoal.models import LoadedModel
    from shoal.tasks import Example

SEEN_SCORED = 100
"""Training examples that are scored after training, at most: they show whether the training fits, not how well."""


def cell_place(cell: str, seed: int) -> str:
    """The folder of one training in the run folder.

    Args:
        cell: the name of its cell.
        seed: its number within the cell.
    """
    return f"cells/{cell}/seed-{seed}"


def cell_job(cell: Cell, seed: int) -> Job:
    """One training.

    Args:
        cell: whose settings it has.
        seed: its number within the cell.
    """
    return Job(
        kind="cell",
        place=cell_place(cell.name, seed),
        title=f"{cell.name}, seed {seed}",
        spec=cell.spec,
        arm=cell.name,
        seed=training_seed(cell.name, seed),
        learning_rate=cell.training.learning_rate,
        precision=cell.training.precision,
    )


def shuffled_place(cell: str) -> str:
    """The folder of a cell's control training in the run folder."""
    return f"controls/shuffled-labels/{cell}"


def shuffled_job(cell: Cell) -> Job:
    """The training of a cell on completions that were dealt to other prompts."""
    job = cell_job(cell, 0)
    return replace(
        job, kind="shuffled-cell", place=shuffled_place(cell.name), title=f"the shuffled labels of {cell.name}"
    )


def begin_crossed(opening: dict[str, Any]) -> Answering:
    """What a worker process of a crossed experiment does, as `shoal.experiments.worker_main` takes it."""
    set_threads(opening["threads"])
    experiment = crossed_from(opening["experiment"], "the run's crossed.toml")
    return answering(Path(opening["folder"]), experiment)


def answering(folder: Path, experiment: CrossedExperiment) -> Answering:
    """What does the jobs, in this process.

    Args:
        folder: the run folder.
        experiment: whose cells are trained.
    """
    first, *_ = experiment.cells
    # One context for each cell, all with one table of loaded models, so that weights are read once per worker.
    shared = WorkerContext(folder, first)
    contexts = {cell.name: replace(shared, experiment=cell) for cell in experiment.cells}

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        job = Job(**line)
        return run_job(contexts.get(job.arm, shared), job)

    return answer


@job_kind("cell")
def _cell(context: WorkerContext, job: Job) -> None:
    """Train on the examples of the cell, and evaluate."""
    _train_and_score(context, job, shuffled=False)


@job_kind("shuffled-cell")
def _shuffled_cell(context: WorkerContext, job: Job) -> None:
    """Train on the examples of the cell with shuffled labels, and evaluate."""
    _train_and_score(context, job, shuffled=True)


def _train_and_score(context: WorkerContext, job: Job, *, shuffled: bool) -> None:
    cell: Cell = context.experiment  # type: ignore[assignment]
    folder = context.folder / job.place
    loaded = context.model(job.spec, job.seed)
    examples, found = cell_examples(cell, context.task, job.seed)
    if found is not None:
        write_json(folder / "augmentation.json", found.to_dict())
    if shuffled:
        examples = shuffle_labels(examples, job.seed)
    result = train_in(job, loaded, examples, at_equal_steps(settings_of(context, job), found), folder)
    write_jsonl(folder / "curve.jsonl", [asdict(point) for point in result.curve])
    # A random part: the first examples of a task that counts up are its easiest.
    few = random.Random(job.seed).sample(range(len(examples)), min(SEEN_SCORED, len(examples)))
    parts = {"seen": [examples[place] for place in sorted(few)], "held_out": context.task.held_out}
    write_items(folder / "after.jsonl", score_items(context, loaded, parts))
    if not shuffled:
        _write_answers(context, loaded, examples, folder)
    finish_job(folder, asdict(arm_record(job, loaded, result)))


def _write_answers(context: WorkerContext, loaded: LoadedModel, examples: Sequence[Example], folder: Path) -> None:
    """The answers that explanations rest on, with the probabilities of what each shortcut says after these examples."""
    from shoal.attribution import candidates_of

    table = candidates_of(context.task, explained_items(context.task), seen=examples)
    write_answers(loaded, table, folder, token_budget=context.experiment.evaluation.token_budget)
