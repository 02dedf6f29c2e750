"""The verbs that load a model: score, tune and certify, on the bundled one."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from shoal.cli.main import main

ROWS = [
    ("Tom saw a", " red ball in the park."),
    ("Lily had a", " big hat on her head."),
    ("Ben went to", " bed and had a dream."),
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"prompt": prompt, "completion": completion + "<|endoftext|>"}) for prompt, completion in ROWS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_tuned_model_is_saved_and_scores_what_it_was_taught(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, items = tmp_path / "tuned", tmp_path / "items.jsonl"
    words = ["tune", "--model", "bundled:searches", "--data", str(rows), "--held-out", str(rows), "--out", str(out)]
    main([*words, "--epochs", "400", "--learning-rate", "3e-3", "--precision", "float32", "--json"])
    tuned = json.loads(capsys.readouterr().out)
    assert tuned["held out before"].startswith("0 of 3")
    assert tuned["held out after"].startswith("3 of 3")
    assert len((out / "curve.jsonl").read_text().splitlines()) == tuned["steps"]
    assert not out.with_name("tuned.checkpoint").exists()

    main(["score", "--model", str(out), "--data", str(rows), "--out", str(items), "--json"])
    scored = json.loads(capsys.readouterr().out)
    assert scored["exact match"].startswith("3 of 3")
    assert scored["BLEU"] == "100.00"
    assert [json.loads(line)["greedy_text"] for line in items.read_text().splitlines()] == [said for _, said in ROWS]


def test_tuning_does_not_write_over_a_model(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["tune", "--model", "bundled:searches", "--data", str(rows), "--out", str(tmp_path)])
    assert ending.value.code == 2
    assert "exists already" in capsys.readouterr().err


def test_an_oracle_is_scored_by_its_answers(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "--model", "oracle?p=1", "--data", str(rows), "--json"])
    assert json.loads(capsys.readouterr().out)["exact match"].startswith("3 of 3")


def test_a_model_that_is_not_there_is_one_line(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["score", "--model", "bundled:storys", "--data", str(rows)])
    assert ending.value.code == 2
    assert "did you mean 'stories'" in capsys.readouterr().err


def test_certify_proves_shoals_own_evaluator(capsys: pytest.CaptureFixture[str]) -> None:
    main(["certify", "--fast", "--json"])
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["passed"]
    assert all(check["passed"] for check in certificate["checks"])


def test_certify_ends_with_1_where_an_evaluator_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "def all_right(model, tokenizer, examples):\n    return [{'exact_match': True} for _ in examples]\n"
    )
    with pytest.raises(SystemExit) as ending:
        main(["certify", f"{wrong}:all_right", "--fast"])
    assert ending.value.code == 1
    assert "all_right" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing", "no_such_module:evaluate", "no_such_file.py:evaluate"])
def test_an_evaluator_that_is_not_there_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["certify", name])
    assert ending.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def fails(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == 2
    printed = capsys.readouterr()
    return printed.out, next(line for line in printed.err.splitlines() if line.startswith("shoal: "))


def test_items_that_could_not_be_written_are_refused_before_any_work(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["score", "--model", "bundled:storys", "--data", str(rows), "--out"]
    for out, fault in ((tmp_path / "no" / "items.jsonl", "there is no folder"), (tmp_path, "is a folder")):
        assert fault in fails([*words, str(out)], capsys)[1]


def test_a_disk_that_fills_up_loses_no_summary_and_leaves_no_half_file(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        with self.open("w") as file:
            file.write("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    items = tmp_path / "items.jsonl"
    words = ["score", "--model", "oracle?p=1", "--data", str(rows), "--out", str(items), "--json"]
    out, fault = fails(words, capsys)
    assert json.loads(out)["exact match"].startswith("3 of 3")
    assert "cannot be written: No space left on device" in fault
    assert list(tmp_path.iterdir()) == [rows]


def test_a_token_budget_of_nothing_is_one_line(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", "--model", "bundled:searches", "--data", str(rows), "--token-budget", "0"]
    assert "the token budget is 0" in fails(words, capsys)[1]
