"""The verbs that load a model: score, tune and certify, on the bundled one."""

from __future__ import annotations

import errno
import json
import math
import shutil
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
    said = capsys.readouterr()
    tuned = json.loads(said.out)
    assert (tuned["held out before"]["count"], tuned["held out before"]["rows"]) == (0, 3)
    assert (tuned["held out after"]["count"], tuned["held out after"]["share"]) == (3, 1.0)
    assert tuned["loss of the last step, nats per token"] == pytest.approx(
        tuned["loss of the last step, bits per token"] * math.log(2)
    )
    assert len((out / "curve.jsonl").read_text().splitlines()) == tuned["steps"] == tuned["plan"]["steps"]
    assert (tuned["rows trained on, after"]["count"], tuned["plan"]["rows"]) == (3, 3)
    assert f"3 rows of {tuned['plan']['tokens']} tokens" in said.err
    assert "a smaller --batch-tokens makes more steps" in said.err
    assert not out.with_name("tuned.checkpoint").exists()

    main(["score", "--model", str(out), "--data", str(rows), "--out", str(items), "--json"])
    scored = json.loads(capsys.readouterr().out)
    assert scored["exact match"] == {
        "count": 3, "rows": 3, "share": 1.0, "low": pytest.approx(0.438, abs=1e-3), "high": 1.0, "confidence": 0.95,
    }  # fmt: skip
    assert (scored["BLEU"], scored["chrF"]) == (pytest.approx(100.0), pytest.approx(100.0))
    assert scored["perplexity per token"] < 1.1
    assert [json.loads(line)["greedy_text"] for line in items.read_text().splitlines()] == [said for _, said in ROWS]


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """Rows as ``shoal task`` writes them: the first two seen, the third held out."""
    path = tmp_path / "parted.jsonl"
    lines = [
        json.dumps({"prompt": prompt, "completion": completion + "<|endoftext|>", "part": part})
        for (prompt, completion), part in zip(ROWS, ("seen", "seen", "held_out"), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_tuning_trains_on_the_rows_seen_and_scores_those_held_out(
    parted: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen.jsonl"
    seen.write_text("".join(rows.read_text().splitlines(keepends=True)[:2]), encoding="utf-8")
    common = ["--model", "bundled:searches", "--epochs", "3", "--precision", "float32", "--json"]
    main(["tune", *common, "--data", str(parted), "--out", str(tmp_path / "parted")])
    tuned = json.loads(capsys.readouterr().out)
    main(["tune", *common, "--data", str(seen), "--out", str(tmp_path / "alone")])

    assert (tuned["rows trained on"], tuned["rows left out"]) == (2, 1)
    assert tuned["held out after"]["rows"] == 1
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("parted", "alone")]
    assert weights[0] == weights[1]


def test_rows_that_are_all_held_out_are_not_trained_on(
    parted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parted.write_text(parted.read_text().replace('"seen"', '"test"'))
    words = ["tune", "--model", "bundled:searches", "--data", str(parted), "--out", str(tmp_path / "tuned")]
    assert "all 3 rows" in fails(words, capsys)[1]
    assert not (tmp_path / "tuned").exists()


@pytest.mark.parametrize(("part", "count"), [("all", 3), ("seen", 2), ("held_out", 1)])
def test_a_part_is_chosen_for_a_score(part: str, count: int, parted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "--model", "oracle?p=1", "--data", str(parted), "--part", part, "--json"])
    assert json.loads(capsys.readouterr().out)["exact match"]["count"] == count


def test_a_part_of_rows_that_have_none_is_refused(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", "--model", "oracle?p=1", "--data", str(rows), "--part", "held_out"]
    assert "no column 'part'" in fails(words, capsys)[1]


def test_rows_of_a_task_are_scored_without_a_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "counting.jsonl"
    main(["task", "counting", "--option", "largest=6", "--out", str(out)])
    words = ["inspect", "Tom saw", "--model", "bundled:searches", "--data", str(out), "--part", "held_out", "--json"]
    capsys.readouterr()
    main(words)
    assert json.loads(capsys.readouterr().out)["ablation"]["items"] == 2


def test_a_model_with_another_end_token_learns_to_end_and_not_to_say_endoftext(tmp_path: Path) -> None:
    from shoal.cli.rows import read_model_rows
    from shoal.models import load_tokenizer

    out = tmp_path / "counting.jsonl"
    main(["task", "counting", "--option", "largest=6", "--out", str(out)])
    tokenizer = load_tokenizer("bundled:searches")
    tokenizer.eos_token = "</s>"
    assert {row.completion[-1] for row in read_model_rows(out, tokenizer)} == {"1"}
    assert all(row.ends for row in read_model_rows(out, tokenizer))


def test_tuning_does_not_write_over_a_model(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["tune", "--model", "bundled:searches", "--data", str(rows), "--out", str(tmp_path)])
    assert ending.value.code == 2
    assert "exists already" in capsys.readouterr().err


def test_an_oracle_is_scored_by_its_answers(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "--model", "oracle?p=1", "--data", str(rows), "--json"])
    assert json.loads(capsys.readouterr().out)["exact match"]["count"] == 3


def test_a_person_reads_the_same_numbers_in_words(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "--model", "oracle?p=1", "--data", str(rows)])
    said = capsys.readouterr().out
    assert "3 of 3 = 1.000, 95% Wilson interval [0.439, 1.000]" in " ".join(said.split())
    assert "BLEU                  100.0000" in said


def test_what_is_not_defined_is_said_and_is_null_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blank = tmp_path / "blank.jsonl"
    blank.write_text(json.dumps({"prompt": "a", "completion": " "}) + "\n")

    main(["score", "--model", "bundled:searches", "--data", str(blank), "--json"])
    assert json.loads(capsys.readouterr().out)["BLEU"] is None
    main(["score", "--model", "bundled:searches", "--data", str(blank)])
    assert "not defined" in capsys.readouterr().out


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


def test_certify_takes_a_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choose = tmp_path / "choose.py"
    choose.write_text("def first(model, tokenizer, items):\n    return [0] * len(items)\n")
    with pytest.raises(SystemExit, match="1"):
        main(["certify", f"{choose}:first", "--evaluator-kind", "choices", "--fast", "--json"])
    certificate = json.loads(capsys.readouterr().out)
    assert (certificate["kind"], certificate["passed"]) == ("choices", False)
    with pytest.raises(SystemExit, match="2"):
        main(["certify", "--evaluator-kind", "chess"])


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
    assert json.loads(out)["exact match"]["count"] == 3
    assert "cannot be written: No space left on device" in fault
    assert list(tmp_path.iterdir()) == [rows]


def test_a_token_budget_of_nothing_is_one_line(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", "--model", "bundled:searches", "--data", str(rows), "--token-budget", "0"]
    assert "the token budget is 0" in fails(words, capsys)[1]


def test_a_model_whose_generation_settings_contradict_each_other_is_tuned_and_saved(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shoal.models import bundled_folder

    folder = tmp_path / "hot"
    shutil.copytree(bundled_folder("searches"), folder)
    (folder / "generation_config.json").write_text(json.dumps({"temperature": 0.7, "do_sample": False}))

    main(
        ["tune", "--model", str(folder), "--data", str(rows), "--out", str(tmp_path / "out"), "--epochs", "1", "--json"]
    )

    assert json.loads(capsys.readouterr().out)["steps"] >= 1
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text())["temperature"] == 0.7


def test_tuning_with_early_stopping_shows_the_held_out_curve_and_returns_the_best_step(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held_out, out = tmp_path / "held_out.jsonl", tmp_path / "tuned"
    # Other answers to the same prompts: what is learned makes them worse.
    turned = [{"prompt": prompt, "completion": f"{completion[::-1]}<|endoftext|>"} for prompt, completion in ROWS]
    held_out.write_text("".join(json.dumps(row) + "\n" for row in turned), encoding="utf-8")
    words = ["tune", "--model", "bundled:searches", "--data", str(rows), "--held-out", str(held_out)]
    options = ["--early-stopping-patience", "2", "--early-stopping-alpha", "1", "--evaluate-every", "5"]
    rate = ["--epochs", "60", "--batch-tokens", "64", "--learning-rate", "3e-3", "--precision", "float32"]
    options += ["--label-smoothing", ".1"]
    main([*words, *options, *rate, "--out", str(out), "--json"])
    printed = capsys.readouterr()
    tuned = json.loads(printed.out)
    curve = tuned["held-out curve"]
    assert tuned["steps"] < tuned["plan"]["steps"]
    assert curve["stopped_early"]
    assert curve["returned_step"] == curve["best_step"] == tuned["steps"] - 10
    # The held-out documents are fewer than an interval needs.
    assert curve["points"][0]["gap_low"] is curve["points"][0]["gap_high"] is None
    assert f"stopped early after step {tuned['steps']}" in printed.err
    assert "No evidence of overfitting" in (out / "curve.html").read_text(encoding="utf-8")

    with pytest.raises(SystemExit) as stopped:
        main([*words[:5], "--out", str(tmp_path / "none"), "--keep-best"])
    assert stopped.value.code == 2
    assert "keep_best = True needs held-out documents, and none are given" in capsys.readouterr().err


def test_adapters_are_written_as_peft_has_them_or_merged(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("peft")
    words = ["tune", "--model", "bundled:searches", "--data", str(rows), "--epochs", "2", "--precision", "float32"]
    main([*words, "--lora-rank", "2", "--out", str(tmp_path / "adapters")])
    printed = capsys.readouterr()
    assert "parameters are trained" in printed.err
    assert "gradient: autograd" in printed.err
    files = {file.name for file in (tmp_path / "adapters").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "curve.jsonl"} <= files
    assert "model.safetensors" not in files
    main([*words, "--lora-rank", "2", "--merge", "--out", str(tmp_path / "merged")])
    capsys.readouterr()
    main(["score", "--model", str(tmp_path / "merged"), "--data", str(rows), "--json"])
    assert json.loads(capsys.readouterr().out)["exact match"]["rows"] == 3
    with pytest.raises(SystemExit):
        main([*words, "--merge", "--out", str(tmp_path / "none")])
    assert "--merge is for adapters; give --lora-rank" in capsys.readouterr().err
