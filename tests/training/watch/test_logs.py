"""The events of a training that is over are found in its log, whoever wrote it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shoal import watch_log
from shoal.errors import DataError


def losses() -> list[float]:
    values = 1 + 3 * (np.arange(400) + 20.0) ** -0.3 + 0.03 * np.random.default_rng(0).normal(size=400)
    values[300] += 4
    return values.tolist()


def test_logs_of_shoal_of_transformers_and_csv_files_give_the_same_events(tmp_path) -> None:
    rows = [{"step": step, "loss": loss} for step, loss in enumerate(losses(), start=1)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [*rows, {"step": 400, "eval_loss": 1.0}]}))
    (tmp_path / "log.csv").write_text("step,loss\n" + "".join(f"{row['step']},{row['loss']!r}\n" for row in rows))
    found = [watch_log(tmp_path / name) for name in ("metrics.jsonl", "trainer_state.json", "log.csv")]
    assert [(event.kind, event.step) for event in found[0]] == [("spike", 301)]
    assert found[0] == found[1] == found[2]


def test_a_null_loss_is_one_that_was_not_finite(tmp_path) -> None:
    (tmp_path / "curve.jsonl").write_text('{"loss": 2.0}\n{"loss": null}\n')
    (event,) = watch_log(tmp_path / "curve.jsonl")
    assert (event.kind, event.step) == ("divergence", 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"accuracy": 0.5}\n', "no loss"),
        ("", "no loss"),
        ("not json\n", "cannot be read"),
        ("[1]\n", "cannot be read"),
        ('{"loss": "low"}\n', "cannot be read"),
        ('{"step": 2, "loss": 1.0}\n{"step": 1, "loss": 1.0}\n', "step 1 comes after step 2"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_line(tmp_path, text: str, reason: str) -> None:
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(DataError, match=reason) as refused:
        watch_log(tmp_path / "log.jsonl")
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        watch_log(tmp_path / "none.jsonl")
