"""Evaluations in shards by the command line: plan, shards, merge, results."""

from __future__ import annotations

import json

import pytest

from shoal.cli.main import main


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    rows = [{"question": f"{first} + 1 =", "choices": ["1", "2", "3"], "answer": first % 3} for first in range(40)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "sums.yaml").write_text(
        f"""task: sums
dataset_path: json
dataset_kwargs:
  data_files: {folder / "sums.jsonl"}
test_split: train
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - metric: acc
"""
    )
    return folder


def test_shards_merge_to_the_records_and_results_of_a_whole_run(tasks, tmp_path, capsys):
    task = ["--tasks", "sums", "--task-folder", str(tasks)]
    model = ["--model", "bundled:searches"]
    main(["eval", *model, *task, "--token-budget", "24", "--out", str(tmp_path / "whole"), "--json"])
    whole = json.loads(capsys.readouterr().out)
    plan, out, merged = str(tmp_path / "plan"), str(tmp_path / "out"), str(tmp_path / "merged.jsonl")
    main(["eval", *model, *task, "--token-budget", "24", "--write-plan", plan])
    assert "40 items in" in capsys.readouterr().out
    main(["eval", "--plan", plan, "--shard", "1/2", "--out", out])
    assert "shard 1/2: " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["merge", plan, out, "--out", merged])
    error = capsys.readouterr().err
    assert "of 40 items are lost" in error
    assert f"shoal eval --plan {plan} --shard 2/2" in error
    main(["eval", "--plan", plan, "--shard", "2/2", "--out", out, "--json"])
    capsys.readouterr()
    main(["merge", plan, out, "--out", merged, "--json"])
    assert json.loads(capsys.readouterr().out)["items"] == 40
    assert (tmp_path / "merged.jsonl").read_bytes() == (tmp_path / "whole" / "records.jsonl").read_bytes()
    main(["eval", "--plan", plan, "--records", merged, "--json"])
    assert json.loads(capsys.readouterr().out)["tasks"] == whole["tasks"]


def test_rows_are_planned_by_score_and_run_by_eval(tmp_path, capsys):
    rows = [{"prompt": f"{number}:", "completion": f" {number}"} for number in range(9)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan, data = str(tmp_path / "plan"), str(tmp_path / "rows.jsonl")
    main(["score", "--model", "bundled:searches", "--data", data, "--write-plan", plan, "--json"])
    assert json.loads(capsys.readouterr().out)["items"] == 9
    main(["eval", "--plan", plan, "--shards", "2", "--workers", "0", "--out", str(tmp_path / "out"), "--json"])
    capsys.readouterr()
    main(["merge", plan, str(tmp_path / "out"), "--out", str(tmp_path / "merged")])
    assert capsys.readouterr().out.startswith("9 items of ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["eval", "--shard", "1/2"], "give it with --plan"),
        (["eval", "--plan", "PLAN", "--tasks", "sums"], "leave out --model, --tasks"),
        (["eval", "--plan", "nowhere", "--shard", "1/2"], "cannot be read"),
        (["eval", "--plan", "nowhere", "--dtype", "float64"], "leave out --dtype"),
        (["merge", "nowhere", ".", "--out", "merged"], "cannot be read"),
        (
            ["score", "--model", "bundled:searches", "--data", "r.jsonl", "--write-plan", "p", "--part", "seen"],
            "plans all rows",
        ),
    ],
)
def test_what_contradicts_itself_is_one_line(words, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
