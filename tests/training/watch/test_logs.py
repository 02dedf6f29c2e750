"""The events of a training that is over are found in its log, whoever wrote it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shoal import watch_log
from shoal.errors import DataError
from shoal.training.watch import find_training_logs


def losses() -> list[float]:
    values = 1 + 3 * (np.arange(400) + 20.0) ** -0.3 + 0.03 * np.random.default_rng(0).normal(size=400)
    values[300] += 4
    return values.tolist()


def test_logs_of_shoal_of_transformers_and_csv_files_give_the_same_events(tmp_path) -> None:
    rows = [{"step": step, "loss": loss} for step, loss in enumerate(losses(), start=1)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    # As transformers ends it: with evaluations, and with the mean loss of the whole training.
    others = [{"step": 400, "eval_loss": 1.0}, {"step": 400, "train_loss": 9.0, "train_runtime": 60.0}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [*rows, *others]}))
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
        ("", "is empty"),
        ("not json\n", "cannot be read"),
        ("[1]\n", "cannot be read"),
        ('{"loss": "low"}\n', "row 1: loss must be a number, not 'low'"),
        ('{"loss": [1]}\n', "row 1: loss must be a number"),
        ('{"step": 1, "loss": 1.0}\n{"loss": 1.0}\n', "row 2: step must be a whole number of 0 or more, not None"),
        ('{"step": 1.5, "loss": 1.0}\n', "row 1: step must be a whole number of 0 or more, not 1.5"),
        ('{"step": -1, "loss": 1.0}\n', "row 1: step must be a whole number of 0 or more, not -1"),
        (
            '{"step": 1, "loss": ""}\n{"step": 2, "loss": ""}\n',
            "no row has a value of loss; give the log of a training",
        ),
        ("[" * 100_000, "cannot be read as a log of a training: maximum recursion depth"),
        ('{"step": 2, "loss": 1.0}\n{"step": 1, "loss": 1.0}\n', "row 2: step 1 comes after step 2"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_line(tmp_path, text: str, reason: str) -> None:
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(DataError, match=reason) as refused:
        watch_log(tmp_path / "log.jsonl")
    assert "\n" not in str(refused.value)


def test_an_event_has_the_time_of_its_step(tmp_path) -> None:
    rows = [f"{step},{loss!r},{1_700_000_000 + 2 * step}" for step, loss in enumerate(losses())]
    (tmp_path / "log.tsv").write_text("\n".join(["_step,train/loss,_timestamp", *rows]).replace(",", "\t"))
    found = watch_log(tmp_path / "log.tsv", name="mine")
    assert found.seconds_of(found[0]) == 600
    assert str(found).splitlines()[0] == "mine: 400 steps (0 to 399), 1 event"
    assert str(found).endswith("sd [after 10 min]")
    assert found.to_frame()[["step", "kind", "seconds"]].to_numpy().tolist() == [[300, "spike", 600.0]]


def test_rows_without_steps_are_counted_and_a_spreadsheet_is_read(tmp_path) -> None:
    (tmp_path / "log.csv").write_text("\ufeffloss,grad_norm\n2.0,1.0\n,\nnan,1.0\n", encoding="utf-8")
    found = watch_log(tmp_path / "log.csv")
    assert not found.has_steps
    assert found.steps == (0, 2)
    assert [str(event) for event in found] == ["step 2: divergence of loss: nan"]


def test_the_logs_of_a_folder_are_found_and_the_last_checkpoint_of_a_trainer_stands_for_all(tmp_path) -> None:
    for place in ("run/arms/a/seed-0/curve.jsonl", "run/arms/b/seed-0/curve.jsonl", "run/.hidden/curve.jsonl",
                  "trainer/checkpoint-100/trainer_state.json", "trainer/checkpoint-20/trainer_state.json"):  # fmt: skip
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    assert list(find_training_logs(tmp_path / "run")) == [
        f"{tmp_path}/run/arms/{arm}/seed-0/curve.jsonl" for arm in "ab"
    ]
    assert [path.parent.name for path in find_training_logs(tmp_path / "trainer").values()] == ["checkpoint-100"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no log of a training"):
        find_training_logs(tmp_path / "none")
    with pytest.raises(DataError, match="no file or folder"):
        find_training_logs(tmp_path / "nowhere")


def test_a_json_file_that_holds_no_list_of_objects_is_refused(tmp_path) -> None:
    for text in ('{"loss": [1.0]}', "3", '["loss"]'):
        (tmp_path / "log.json").write_text(text)
        with pytest.raises(DataError, match="cannot be read as a log of a training: expected"):
            watch_log(tmp_path / "log.json")


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        watch_log(tmp_path / "none.jsonl")


def test_a_last_row_that_was_cut_off_is_no_divergence(tmp_path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,loss\n" + "".join(f"{step},{2 - step / 1000:.4f}\n" for step in range(100)) + "100")
    found = watch_log(log)
    assert (found.events, found.steps[-1]) == ((), 99)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-01 10:00:00", "2026-01-01T10:01:30"),
        ("100", "190.0"),
        ("2026-01-01T10:00:00Z", "2026-01-01T11:01:30+01:00"),
    ],
)
def test_times_are_seconds_or_dates(tmp_path, times) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,loss,timestamp\n" + "".join(f"{step},2.0,{time}\n" for step, time in enumerate(times)))
    assert watch_log(log).seconds == (0.0, 90.0)
    log.write_text("step,loss,timestamp\n0,2.0,yesterday\n")
    with pytest.raises(DataError, match="timestamp must be seconds or a date of ISO 8601, not 'yesterday'"):
        watch_log(log)
