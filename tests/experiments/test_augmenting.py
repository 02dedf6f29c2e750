"""Augmentation in experiment files: what is checked before a run, and what a training then sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from crossed_records import crossed, crossed_table

from shoal.errors import ExperimentFileError, UsageError
from shoal.experiments import experiment_from, run_experiment
from shoal.experiments.crossed.cell_tasks import cell_tasks, check_data
from shoal.experiments.crossed.data import cell_examples
from shoal.experiments.tables import as_table
from shoal.experiments.tasks import at_equal_steps, augmentation_of, check_augmentation, make_experiment_task
from shoal.tasks import rule_answer
from shoal.training import TrainSettings


def table(**training: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "hypothesis": "One is better.",
        "treatment": "a",
        "baseline": "b",
        "seeds": 1,
        "device": "cpu",
        "task": {"name": "counting", "options": {"largest": 10}},
        "split": {"name": "last-digit"},
        "arms": {"a": "bundled:searches", "b": "random:bundled:searches"},
        "training": {"epochs": 1.0, "precision": "float32", **training},
        "measure": {"primary": "exact_match", "smallest_effect": 0.1},
        "controls": {"shuffled_weights": False},
    }


def test_an_experiment_without_augmentation_is_written_as_before() -> None:
    assert "augment" not in json.dumps(as_table(experiment_from(table(), "test")))


def test_examples_are_checked_and_steps_stay_equal() -> None:
    experiment = experiment_from(table(augment=["spelling-noise", "counterfactuals"], augment_copies=2), "test")
    task = make_experiment_task(experiment)
    found = augmentation_of(experiment, task, task.seen, 0)
    assert found is not None
    assert len(found.examples) > 3 * len(task.seen)
    assert all(rule_answer(task.rule, one.prompt) == one.completion for one in found.added)
    settings = TrainSettings(learning_rate=1e-3, epochs=8.0)
    assert at_equal_steps(settings, found).epochs * len(found.examples) == pytest.approx(8 * len(task.seen))
    assert at_equal_steps(settings, None) == settings


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"augment": ["speling-noise"]}, "training.augment: unknown augmentation 'speling-noise'; did you mean"),
        ({"augment": [{"name": "synonyms", "rate": 7}]}, "training.augment: the rate of synonyms is 7"),
        ({"augment": [{"name": "back-translation", "url": "u", "model": "m", "record": "r"}]}, "asks an endpoint"),
        ({"augment_copies": 0}, "training.augment_copies = 0"),
    ],
)
def test_a_bad_augmentation_is_named_when_the_file_is_read(training: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentFileError, match=message):
        experiment_from(table(**training), "test")


def test_an_augmentation_that_adds_nothing_is_refused_before_the_run(tmp_path: Path) -> None:
    experiment = experiment_from(table(augment=["reordering"]), "test")
    with pytest.raises(UsageError, match=r"training.augment adds no example to the task 'counting' \(reordering: 28"):
        run_experiment(experiment, tmp_path / "run")


def test_rows_without_a_rule_need_a_word_for_unchecked_examples(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps({"prompt": f"The big number {n}:", "completion": f" {n}"}) + "\n" for n in range(9))
    )
    changes = {"task": {"name": "mine", "rows": str(rows)}, "split": {"name": "random"}}
    experiment = experiment_from(table(augment=["synonyms"]) | changes, "test")
    task = make_experiment_task(experiment)
    with pytest.raises(UsageError, match="these rows have no rule"):
        check_augmentation(experiment, task, task.seen)
    check_augmentation(
        experiment_from(table(augment=["synonyms"], augment_unchecked=True) | changes, "t"), task, task.seen
    )


def test_augmentation_is_a_factor_of_a_crossed_experiment() -> None:
    experiment = crossed(
        factors={"augment": {"none": [], "typos": ["spelling-noise"], "more": ["spelling-noise", "counterfactuals"]}},
        hypotheses=[
            {**crossed_table()["hypotheses"][0], "factor": "augment", "treatment": "typos", "baseline": "none"}
        ],
        data={"examples": 12, "label_noise": 0.25},
    )
    tasks = cell_tasks(experiment)
    check_data(experiment, tasks)
    none, typos, more = (cell_examples(cell, tasks[cell.name], 3) for cell in experiment.cells)
    assert none[1] is None
    assert {one.prompt for one in none[0]} <= {one.prompt for one in tasks["augment=none"].seen}
    assert [len(examples) for examples, _ in (none, typos, more)] == [12, 24, 36]
    rule = tasks["augment=none"].rule
    assert sum(rule_answer(rule, one.prompt) != one.completion for one in typos[0]) == 6


def test_two_levels_whose_augmentation_gives_equal_examples_are_refused() -> None:
    equal = {"one": ["counterfactuals"], "two": [{"name": "counterfactuals", "kind": "both"}]}
    twice = crossed(
        factors={"augment": equal},
        hypotheses=[{**crossed_table()["hypotheses"][0], "factor": "augment", "treatment": "one", "baseline": "two"}],
    )
    with pytest.raises(UsageError, match="give equal trainings"):
        check_data(twice, cell_tasks(twice))
