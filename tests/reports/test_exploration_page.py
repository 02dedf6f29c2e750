"""The page of an exploration: each step with what is to do, and the outcome with its numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from page_reader import HOSTILE, PageReader, read_page
from run_folder import write_run
from shoal.errors import UsageError
from shoal.experiments import open_run
from shoal.experiments.exploration import ChangePrediction, Exploration, PredictionOutcome
from shoal.experiments.exploration.outcome import decide_prediction
from shoal.reports import verdict_page, write_exploration_page


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("exploration") / "base", seeds=4, largest=8)
    return open_run(folder).verdict


def outcome(**changes):
    given = {
        "prediction": ChangePrediction(direction="higher", because="more data"),
        "decision": "held",
        "changed": ("task.options.largest",),
        "measure": "exact match",
        "smallest": 0.1,
        "base": 0.25,
        "now": 0.75,
        "estimate": 0.5,
        "low": 0.25,
        "high": 0.75,
        "confidence": 0.95,
        "differences": (0.4, 0.5, 0.6),
    }
    return PredictionOutcome(**{**given, **changes})


def page(tmp_path, **changes):
    given = {"folder": tmp_path, "base": None, "changed": None, "prediction": None, "outcome": None}
    path = write_exploration_page(Exploration(**{**given, **changes}))
    assert path == tmp_path / "explore.html"
    return read_page(path.read_text(encoding="utf-8"))


def test_an_exploration_begins_with_what_is_to_do(tmp_path):
    found = page(tmp_path)
    assert found.part(".result").startswith("Run the counting experiment, change one thing")
    assert len(found.all("section")) == 6
    assert "Nothing to see yet." in found.text
    assert "To do." in found.text
    rows = found.rows("change_one(base, KEY, VALUE)")
    assert rows
    assert all(key and question for key, _, question in rows)


def test_each_step_that_is_done_stands_with_its_result(tmp_path, verdict):
    found = page(tmp_path, base=verdict)
    assert found.part(".result") == "The experiment has its verdict. Now change one thing, and predict what happens."
    assert found.part("b").startswith(verdict.verdict.capitalize())
    assert verdict.sentence in found.text
    made = ChangePrediction(direction="lower", quantity="effect")
    found = page(tmp_path, base=verdict, prediction=made)
    assert found.part(".result") == "The prediction is made. Now run the changed experiment."
    assert "The effect becomes lower." in found.text


def test_the_outcome_stands_with_every_number(tmp_path, verdict):
    found = page(tmp_path, base=verdict, changed=verdict, prediction=outcome().prediction, outcome=outcome())
    assert found.part(".result") == (
        "The prediction held: the treatment's held-out score becomes higher, because more data."
    )
    assert found.rows("Exact match") == [
        ["Changed", "task.options.largest"],
        ["Before", "0.250"],
        ["After", "0.750"],
        ["Difference", "+0.500"],
        ["95% interval over 3 seeds", "+0.250 to +0.750"],
        ["Smallest effect that matters", "0.1"],
    ]
    assert len(found.all("svg")) == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"decision": "failed"}, "The prediction failed: "),
        ({"decision": "undecided", "low": float("-inf"), "high": float("inf")}, "The runs do not decide it: "),
    ],
)
def test_every_decision_has_its_words(tmp_path, changes, text):
    found = page(tmp_path, outcome=outcome(**changes))
    assert found.part(".result").startswith(text)


def test_reasons_are_text(tmp_path):
    made = ChangePrediction(direction="same", because=HOSTILE)
    found = page(tmp_path, prediction=made, outcome=outcome(prediction=made, changed=(HOSTILE,), measure=HOSTILE))
    assert " ".join(HOSTILE.split()) in found.part(".result")


@pytest.mark.parametrize(
    ("direction", "estimate", "low", "high", "decision"),
    [
        ("higher", 0.2, 0.05, 0.3, "held"),
        ("higher", 0.08, 0.05, 0.09, "failed"),
        ("higher", 0.08, 0.05, 0.3, "undecided"),
        ("higher", 0.2, -0.1, 0.3, "undecided"),
        ("higher", -0.2, -0.3, -0.1, "failed"),
        ("lower", -0.2, -0.3, -0.05, "held"),
        ("lower", -0.2, -0.3, 0.1, "undecided"),
        ("lower", 0.2, 0.1, 0.3, "failed"),
        ("same", 0.0, -0.05, 0.05, "held"),
        ("same", 0.0, -0.05, 0.2, "undecided"),
        ("same", 0.3, 0.2, 0.4, "failed"),
        ("same", -0.3, -0.4, -0.2, "failed"),
    ],
)
def test_a_prediction_is_decided_by_the_interval_and_the_smallest_effect(direction, estimate, low, high, decision):
    assert decide_prediction(direction, estimate, low, high, 0.1) == decision


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"direction": "up"}, "the direction of a prediction is 'up'; give one of higher, lower, same"),
        (
            {"direction": "same", "quantity": "all"},
            "the quantity of a prediction is 'all'; give one of effect, treatment, baseline",
        ),
    ],
)
def test_a_prediction_of_other_words_is_refused(changes, message):
    with pytest.raises(UsageError) as fault:
        ChangePrediction(**changes)
    assert str(fault.value) == message


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"direction": "same"}, "the treatment's held-out score stays the same"),
        ({"direction": "lower", "quantity": "baseline"}, "the baseline's held-out score becomes lower"),
        ({"direction": "higher", "quantity": "effect", "because": "é"}, "the effect becomes higher, because é"),
    ],
)
def test_a_prediction_is_a_sentence(changes, text):
    assert str(ChangePrediction(**changes)) == text


def test_an_outcome_is_printed_and_json():
    found = outcome(changed=("a", "b"), low=float("-inf"))
    assert "difference +0.500 (positive is better), 95% interval [-inf, +0.750] over 3 seeds" in str(found)
    assert "2 things were changed (a, b), so that the difference has many causes." in str(found)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["low"] is None
    assert found.to_frame()["difference"].tolist() == [0.4, 0.5, 0.6]


def test_an_exploration_prints_what_is_done_and_what_comes_next(verdict):
    given = {"folder": Path("here"), "base": verdict, "changed": None, "prediction": None, "outcome": None}
    lines = str(Exploration(**given)).splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["done", "to do", "to do"]
    assert lines[-1].startswith("next: python here")
    assert json.loads(json.dumps(Exploration(**given).to_dict()))["prediction"] is None
    assert str(Exploration(**{**given, "outcome": outcome()})).startswith("The prediction held: ")


def test_a_verdict_alone_is_a_page(verdict):
    found = PageReader(verdict_page(verdict)).check()
    assert found.part("h1") == verdict.hypothesis
    assert verdict.sentence in found.part(".result")
    record = verdict.to_dict()
    assert f"{record['effect']['estimate']:.3f}" in found.text
    for control in record["controls"]:
        assert control["name"].casefold() in found.text.casefold()
        assert control["says"] in found.text
