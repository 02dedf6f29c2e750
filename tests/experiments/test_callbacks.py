"""The evaluation callback without a training: what it records of steps, and what a resumed training drops."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shoal.experiments.pretraining import HeldOutScore, PretrainCallbacks, callbacks as room, recipe_from
from shoal.experiments.pretraining.callbacks import CHECKPOINT, EvalCallback, checkpoint_steps, score_steps
from shoal.experiments.pretraining.records import Records
from shoal.training import CurvePoint

RECIPE = recipe_from(
    {
        "name": "small",
        "corpus": [{"name": "a", "grammar": 10}],
        "evaluation": {"every": 2},
        "checkpoints": {"every": 4},
    },
    "test",
)


class Constant:
    """A held-out set that every model scores alike."""

    def score(self, model: Any) -> HeldOutScore:
        return HeldOutScore(bits_per_byte=2.0, low=1.5, high=2.5, documents=3, size=100)


def point(step: int) -> CurvePoint:
    return CurvePoint(step=step, loss=1 / step, learning_rate=0.1, gradient_norm=1.0, tokens=10 * step)


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checkpoints that were saved; samples are what the seed says."""
    names: list[str] = []
    monkeypatch.setattr(room, "sample_texts", lambda *_, seed: {"Once": f"seed {seed}"})
    monkeypatch.setattr(room, "save_snapshot", lambda _model, _tokenizer, folder: names.append(folder.name))
    return names


def run_steps(folder: Path, steps: range, *, last: int = 8, **callbacks: Any) -> EvalCallback:
    """One call of a training that does these steps of eight, or ends before where its batches grow."""
    model: Any = SimpleNamespace()
    with Records(folder) as records:
        callback = EvalCallback(
            recipe=RECIPE,
            model=model,
            tokenizer=model,
            steps=8,
            folder=folder,
            held_out={"a": Constant()},  # type: ignore[dict-item]
            records=records,
            callbacks=PretrainCallbacks(**callbacks),
        )
        callback.before_training()
        for step in steps:
            callback.after_step(point(step), step == last)
    return callback


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def test_steps_are_recorded_evaluated_and_saved_where_they_are_due(tmp_path: Path, saved: list[str]) -> None:
    called: list[Any] = []
    run_steps(
        tmp_path,
        range(1, 9),
        on_step=lambda one: called.append(("step", one.step)),
        on_evaluation=lambda one: called.append(("evaluation", one.step)),
    )
    assert [row["step"] for row in rows(tmp_path, "metrics")] == list(range(1, 9))
    assert [row["step"] for row in rows(tmp_path, "scores")] == [0, 2, 4, 6, 8]
    assert rows(tmp_path, "samples")[1] == {"step": 2, "prompt": "Once", "text": "seed 2"}
    assert saved == ["step-0", "step-1", "step-2", "step-4", "step-8"]
    assert called[:4] == [("evaluation", 0), ("step", 1), ("step", 2), ("evaluation", 2)]
    assert called[-2:] == [("step", 8), ("evaluation", 8)]


def test_a_resumed_training_drops_what_was_recorded_of_steps_that_it_repeats(tmp_path: Path, saved: list[str]) -> None:
    run_steps(tmp_path, range(1, 6))
    (tmp_path / CHECKPOINT).mkdir()
    (tmp_path / CHECKPOINT / "checkpoint.safetensors").touch()
    before = rows(tmp_path, "metrics")[2]
    resumed = run_steps(tmp_path, range(4, 9))
    for name, steps in (("metrics", list(range(1, 9))), ("scores", [0, 2, 4, 6, 8]), ("samples", [0, 2, 4, 6, 8])):
        assert [row["step"] for row in rows(tmp_path, name)] == steps
        with sqlite3.connect(tmp_path / "records.sqlite") as base:
            assert [step for (step,) in base.execute(f"SELECT step FROM {name} ORDER BY step")] == steps
    assert resumed.last is not None
    assert resumed.last.step == 8
    # The seconds of the part before are counted in, those of the steps that are repeated are not.
    seconds = [row["seconds"] for row in rows(tmp_path, "metrics")]
    assert rows(tmp_path, "metrics")[2] == before
    assert seconds == sorted(seconds)


def test_a_training_that_ends_before_its_steps_are_done_evaluates_and_saves_what_it_has(
    tmp_path: Path, saved: list[str]
) -> None:
    ended = run_steps(tmp_path, range(1, 6), last=5)
    assert ended.last is not None
    assert ended.last.step == 5
    assert [row["step"] for row in rows(tmp_path, "scores")] == [0, 2, 4, 5]
    assert saved == ["step-0", "step-1", "step-2", "step-4", "step-5"]


def test_a_part_that_evaluates_nothing_has_no_last_evaluation(tmp_path: Path, saved: list[str]) -> None:
    (tmp_path / CHECKPOINT).mkdir()
    (tmp_path / CHECKPOINT / "checkpoint.safetensors").touch()
    assert run_steps(tmp_path, range(1, 2)).last is None
    assert saved == ["step-1"]


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 100])
def test_the_model_before_the_first_and_after_the_last_step_is_always_there(steps: int) -> None:
    for every in (1, 3, 1000):
        assert {0, steps} <= checkpoint_steps(steps, every)
        assert {0, steps} <= score_steps(steps, every)
        assert max(checkpoint_steps(steps, every) | score_steps(steps, every)) == steps
    assert {0, steps} <= score_steps(steps, None)
    assert checkpoint_steps(steps, None) == frozenset()
