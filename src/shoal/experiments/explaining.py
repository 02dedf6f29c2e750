"""What explains the answers of the trained models of a run: asked by the workers, explained when the run is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import StoreError
from shoal.experiments.records import EXPLANATIONS, arm_place, open_run, read_answers
from shoal.experiments.storage import write_json, write_jsonl
from shoal.experiments.tasks import make_experiment_task
from shoal.statistics import even_sample

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.attribution import CandidateTable, Explanation
    from shoal.attribution.programs import SearchResult
    from shoal.experiments.experiment import Experiment
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.tasks import Example, Task

MOST_ITEMS = 200
"""Held-out items that a model is asked for its explanation; each costs a score of every candidate."""

ANSWERS = "answers.jsonl"


def explained_items(task: Task) -> tuple[Example, ...]:
    """The held-out items that explanations rest on: all, or an even sample of many."""
    return tuple(even_sample(task.held_out, MOST_ITEMS))


def write_answers(loaded: LoadedModel, table: CandidateTable, folder: Path, *, token_budget: int) -> None:
    """Ask a trained model the held-out items, and write what it says with the probabilities of all candidates.

    Args:
        loaded: the model.
        table: the held-out items with their candidates.
        folder: of the arm and seed.
        token_budget: tokens of a batch, padding included.
    """
    from shoal.attribution import ask_model

    answers = ask_model(loaded.model, loaded.tokenizer, table, token_budget=token_budget)
    write_jsonl(folder / ANSWERS, [answer.to_dict() for answer in answers])


def explain_run(
    folder: Path, experiment: Experiment, task: Task, arms: Sequence[str]
) -> dict[str, dict[int, Explanation]]:
    """Explain every training of a run from its answers, and write ``explanations.json``.

    Args:
        folder: of the run.
        experiment: has the seeds and the confidence.
        task: its task.
        arms: their names.

    Raises:
        StoreError: the answers of a training are damaged.
    """
    from shoal.attribution import candidates_of, explain_answers

    table = candidates_of(task, explained_items(task))
    found: dict[str, dict[int, Explanation]] = {}
    for arm in arms:
        for seed in experiment.seeds:
            answers = read_answers(folder / arm_place(arm, seed) / ANSWERS)
            # A training of an earlier version of shoal was not asked.
            if answers:
                found.setdefault(arm, {})[seed] = explain_answers(
                    table, answers, task.seen, task=task.name, confidence=experiment.measure.confidence
                )
    plain = {arm: {str(seed): one.to_dict() for seed, one in seeds.items()} for arm, seeds in found.items()}
    write_json(folder / EXPLANATIONS, plain)
    return found


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
        StoreError: the folder is no run, its answers are damaged, or no model of it has been asked.
    """
    from shoal.attribution import candidates_of
    from shoal.attribution.programs import build_library, search_programs

    run = open_run(folder)
    task = make_experiment_task(run.experiment)
    items = explained_items(task)
    table = candidates_of(task, items)
    prompts, expected = [item.prompt for item in items], [item.completion for item in items]
    answers = {
        (arm, seed): found
        for arm in run.arms
        for seed in run.experiment.seeds
        if (found := read_answers(run.folder / arm_place(arm, seed) / ANSWERS))
    }
    if not answers:
        raise StoreError(f"no trained model of {folder} has answered yet; let shoal run finish it first")
    # The programs and what they answer are the same for all trainings.
    library = build_library(task.seen, task.rule, prompts, expected, progress=progress)
    results: dict[str, dict[int, SearchResult]] = {}
    for (arm, seed), given in answers.items():
        results.setdefault(arm, {})[seed] = search_programs(task, given, table=table, library=library)
    return results
