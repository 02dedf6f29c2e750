"""What explains the trained models of a run: their answers, and what is inside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.experiments.records import arm_place
from shoal.experiments.storage import (
    not_a_record,
    read_json_rows,
    read_object,
    write_json,
    write_jsonl,
    write_text,
)
from shoal.statistics import even_sample
from shoal.textfiles import finite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from shoal.attribution import CandidateTable, Explanation, ItemAnswer
    from shoal.experiments.experiment import Experiment
    from shoal.insight import Inspection
    from shoal.models import LoadedModel
    from shoal.tasks import Example, Task


MAX_ITEMS = 200
"""Held-out items that an explanation rests on; each costs a score of every candidate."""

ANSWERS = "answers.jsonl"
"""The file of a training that holds its answers."""

EXPLANATIONS = "explanations.json"
"""The file of a run that holds what explains each training."""


def explained_items(task: Task) -> tuple[Example, ...]:
    """The held-out items that explanations rest on: all, or an even sample of many."""
    return tuple(even_sample(task.held_out, MAX_ITEMS))


def write_answers(loaded: LoadedModel, table: CandidateTable, folder: Path, *, token_budget: int) -> None:
    """Write the answers of a trained model to held-out items, with the probabilities of all candidates.

    Args:
        loaded: the model.
        table: the held-out items with their candidates.
        folder: of the arm and seed.
        token_budget: tokens of a batch, padding included.
    """
    from shoal.attribution import ask_model

    answers = ask_model(loaded.model, loaded.tokenizer, table, token_budget=token_budget)
    write_jsonl(folder / ANSWERS, [answer.to_dict() for answer in answers])


def read_answers(folder: Path) -> tuple[ItemAnswer, ...]:
    """The answers of a training, as `write_answers` wrote them; empty where there are none.

    Args:
        folder: of the arm and seed.

    Raises:
        StoreError: the file is damaged.
    """
    from shoal.attribution import ItemAnswer

    path = folder / ANSWERS
    try:
        return tuple(ItemAnswer.from_dict(row) for row in read_json_rows(path))
    except (AttributeError, KeyError, TypeError) as error:
        raise not_a_record(path, "of answers", error) from error


def answers_of_trainings(
    folder: Path, arms: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[str, int, tuple[ItemAnswer, ...]]]:
    """Arm, seed and answers of every training of a run that has answered; one of an earlier version of shoal has not.

    Args:
        folder: of the run.
        arms: their names.
        seeds: of each arm.

    Raises:
        StoreError: the answers of a training are damaged.
    """
    for arm in arms:
        for seed in seeds:
            if answers := read_answers(folder / arm_place(arm, seed)):
                yield arm, seed, answers


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
    for arm, seed, answers in answers_of_trainings(folder, arms, experiment.seeds):
        found.setdefault(arm, {})[seed] = explain_answers(
            table, answers, task.seen, task=task.name, confidence=experiment.measure.confidence
        )
    write_explanations(folder, found)
    return found


def write_explanations(folder: Path, found: Mapping[str, Mapping[int, Explanation]]) -> None:
    """Write ``explanations.json`` of a run.

    Args:
        folder: of the run.
        found: from arm or cell to seed to what explains that training.
    """
    plain = {name: {str(seed): one.to_dict() for seed, one in seeds.items()} for name, seeds in found.items()}
    write_json(folder / EXPLANATIONS, plain)


def explanations_table(found: Mapping[str, Mapping[int, Explanation]], confidence: float) -> dict[str, Any]:
    """What explains each arm or cell over its seeds, as plain values of `TrainingsExplanation`.

    Args:
        found: from arm or cell to seed to what explains that training.
        confidence: of the intervals over seeds.
    """
    from shoal.attribution import explain_trainings

    return {name: explain_trainings(seeds, confidence=confidence).to_dict() for name, seeds in found.items()}


def read_explanations(folder: Path) -> dict[str, dict[int, Explanation]]:
    """The explanations of a run, from arm to seed; empty where the run has not been judged.

    Args:
        folder: of the run.

    Raises:
        StoreError: the file is damaged.
    """
    from shoal.attribution import Explanation

    path = folder / EXPLANATIONS
    record = read_object(path) or {}
    try:
        return {
            arm: {int(seed): Explanation.from_dict(one) for seed, one in seeds.items()} for arm, seeds in record.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise not_a_record(path, "of explanations", error) from error


FOLDER = "inside"

VIEWS = "views"
"""In it the whole inspection of each arm, from which its page is drawn."""

_PARTS = 6


def look_inside(loaded: LoadedModel, arm: str, example: Example, run: Path) -> None:
    """Write ``inside/ARM.json``, and ``inside/views/ARM.json`` for its page.

    The model reads the prompt with the right completion. Where that fails, the JSON has the reason; the run continues.

    Args:
        loaded: the trained model.
        arm: its name.
        example: what it reads.
        run: the run folder.
    """
    from shoal.insight import inspect_text

    text = example.prompt + example.completion
    record: dict[str, Any] = {"arm": arm, "text": text}
    loaded.model.eval()
    try:
        found = inspect_text(loaded.model, loaded.tokenizer, text, name=arm)
    # A model without an attention or a head that can be read is still a result; its page shows why it has no views.
    except ShoalError as fault:
        write_json(run / FOLDER / f"{arm}.json", record | {"why_not": str(fault)})
        return
    views = json.dumps(finite(found.to_dict()), ensure_ascii=False, allow_nan=False)
    write_text(run / FOLDER / VIEWS / f"{arm}.json", views)
    write_json(run / FOLDER / f"{arm}.json", record | _figures(found))


def _figures(found: Inspection) -> dict[str, Any]:
    """The few numbers that stand in the report."""
    known = [bits for bits in found.surprisal if bits is not None]
    shared = found.attribution
    parts = {} if shared is None else dict(sorted(shared.parts.items(), key=lambda each: -abs(each[1]))[:_PARTS])
    return {
        "why_not": None,
        "tokens": len(found.tokens),
        "bits_per_token": sum(known) / len(known) if known else None,
        "heads": 0 if found.roles is None else len(found.roles.heads),
        "roles": [
            {"block": head.block, "head": head.head, "roles": list(head.roles)}
            for head in (() if found.roles is None else found.roles.typed)
        ],
        "layers": [
            {"layer": each.layer, "token": found.names[each.top_ids[-1][0]], "p": each.top_p[-1][0]}
            for each in found.lens
        ],
        "target": None if shared is None else found.names[shared.target],
        "foil": None if shared is None or shared.foil is None else found.names[shared.foil],
        "difference": None if shared is None else shared.total,
        "parts": parts,
        "missing": found.missing,
    }
