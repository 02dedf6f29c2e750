"""What explains the answers of the trained models of a run: asked by the workers, explained when the run is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.records import EXPLANATIONS, arm_place, read_answers
from shoal.experiments.storage import write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.attribution import Explanation
    from shoal.experiments.experiment import Experiment
    from shoal.models import LoadedModel
    from shoal.tasks import Example, Task

MOST_ITEMS = 200
"""Held-out items that a model is asked for its explanation; each costs a score of every candidate."""

ANSWERS = "answers.jsonl"


def explained_items(task: Task) -> tuple[Example, ...]:
    """The held-out items that explanations rest on: all, or an even sample of many."""
    held_out = task.held_out
    if len(held_out) <= MOST_ITEMS:
        return held_out
    return tuple(held_out[place * len(held_out) // MOST_ITEMS] for place in range(MOST_ITEMS))


def write_answers(loaded: LoadedModel, task: Task, folder: Path, *, token_budget: int) -> None:
    """Ask a trained model the held-out items, and write what it says with the probabilities of all candidates.

    Args:
        loaded: the model.
        task: its task.
        folder: of the arm and seed.
        token_budget: tokens of a batch, padding included.
    """
    from shoal.attribution import ask_model, candidates_of

    table = candidates_of(task, explained_items(task))
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
