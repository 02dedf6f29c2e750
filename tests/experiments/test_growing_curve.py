"""The curve of a training under way, and what a resumed training does with it."""

from __future__ import annotations

import json
from pathlib import Path

from shoal.experiments.storage import GrowingCurve, read_json_rows
from shoal.training import CurvePoint


def point(step: int, loss: float = 1.0) -> CurvePoint:
    return CurvePoint(step=step, loss=loss, learning_rate=0.1, gradient_norm=1.0, tokens=step)


def test_a_line_is_there_as_soon_as_its_step_is_done(tmp_path: Path) -> None:
    path = tmp_path / "arm" / "curve.jsonl"
    with GrowingCurve(path) as growing:
        assert not path.exists()
        growing.add(point(1))
        growing.add(point(2, float("nan")))
        assert [row["loss"] for row in read_json_rows(path)] == [1.0, None]


def test_a_resumed_training_drops_the_steps_that_it_repeats_and_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    with GrowingCurve(path) as growing:
        for step in range(1, 6):
            growing.add(point(step))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"step": 6, "lo')
    with GrowingCurve(path) as growing:
        growing.add(point(4, 0.5))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["step"], row["loss"]) for row in rows] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 0.5)]
