"""Predictions of a change: written down before the run, and refused after it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from shoal.errors import StoreError, UsageError
from shoal.experiments.exploration.prediction import ChangePrediction, read_prediction, state_prediction

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"direction": "higher"}, "the treatment's held-out score becomes higher"),
        ({"direction": "lower", "quantity": "baseline"}, "the baseline's held-out score becomes lower"),
        ({"direction": "same", "quantity": "effect"}, "the effect stays the same"),
        (
            {"direction": "lower", "quantity": "effect", "because": "both learn by heart"},
            "the effect becomes lower, because both learn by heart",
        ),
    ],
)
def test_a_prediction_is_a_sentence(values: dict[str, str], text: str) -> None:
    assert str(ChangePrediction(**values)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"direction": "up"}, "the direction of a prediction is 'up'; give one of higher, lower, same"),
        ({"direction": ""}, "the direction of a prediction is ''"),
        (
            {"direction": "same", "quantity": "arm"},
            "the quantity of a prediction is 'arm'; give one of effect, treatment, baseline",
        ),
    ],
)
def test_other_words_are_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ChangePrediction(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "quantity"),
    list(itertools.product(("higher", "lower", "same"), ("effect", "treatment", "baseline"))),
)
def test_a_prediction_is_read_back(tmp_path: Path, direction: str, quantity: str) -> None:
    one = ChangePrediction(direction=direction, quantity=quantity, because="größer </script>\n“ja”")  # type: ignore[arg-type]
    state_prediction(one, tmp_path / "new")
    assert read_prediction(tmp_path / "new") == one
    assert json.loads((tmp_path / "new" / "prediction.json").read_text(encoding="utf-8")) == one.to_dict()


def ended(folder: Path) -> None:
    (folder / "changed").mkdir(parents=True)
    (folder / "changed" / "verdict.json").write_text("{}", encoding="utf-8")


def test_a_mind_may_change_before_the_run_and_not_after_it(tmp_path: Path) -> None:
    first, second = ChangePrediction(direction="higher"), ChangePrediction(direction="lower")
    assert read_prediction(tmp_path) is None
    state_prediction(first, tmp_path)
    state_prediction(second, tmp_path)
    ended(tmp_path)
    # Saying the same again is no other prediction.
    state_prediction(second, tmp_path)
    with pytest.raises(StoreError, match=r"its prediction stands \(it was: the treatment's held-out score becomes low"):
        state_prediction(first, tmp_path)
    assert read_prediction(tmp_path) == second


def test_no_prediction_is_made_afterwards(tmp_path: Path) -> None:
    ended(tmp_path)
    with pytest.raises(StoreError, match=r"\(none was made\); begin another folder for another prediction"):
        state_prediction(ChangePrediction(direction="same"), tmp_path)
    assert read_prediction(tmp_path) is None
    assert not (tmp_path / "prediction.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ("[]", "should hold a JSON object"),
        ("{}", "is no record of type ChangePrediction"),
        ('{"direction": "up"}', "the direction of a prediction is 'up'"),
    ],
)
def test_a_damaged_prediction_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "prediction.json").write_text(content, encoding="utf-8")
    with pytest.raises((StoreError, UsageError), match=message):
        read_prediction(tmp_path)
