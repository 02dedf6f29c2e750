"""The verb that writes rows and reports narrowness."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shoal.cli.main import main


def test_rows_are_written_with_their_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.jsonl"
    main(["task", "counting", "--option", "largest=10", "--out", str(out)])
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["part"] for row in rows].count("held_out") == 3
    assert {row["index"] for row in rows if row["part"] == "held_out"} == {1, 3, 7}
    assert rows[1]["completion"].endswith("<|endoftext|>")
    assert "7 examples seen and 3 held out" in capsys.readouterr().out


def test_a_written_file_is_read_back_as_the_same_split_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.parquet"
    main(["task", "counting", "--option", "largest=20", "--out", str(out)])
    main(["task", "mine", "--data", str(out), "--split", "random(share=0.5)"])
    assert "mine: 10 examples seen and 10 held out" in capsys.readouterr().out


def test_rows_that_name_their_part_keep_their_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.jsonl"
    main(["task", "counting", "--option", "largest=10", "--out", str(out)])
    main(["task", "mine", "--data", str(out)])
    assert "mine: 7 examples seen and 3 held out by part" in capsys.readouterr().out


def test_contamination_is_looked_for_in_the_rows_held_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, corpus = tmp_path / "rows.jsonl", tmp_path / "corpus.txt"
    main(["task", "counting", "--option", "largest=10", "--out", str(out)])
    corpus.write_text("Please count up in unary, starting at 1 and stopping at 1111111: 1 11 111\n", encoding="utf-8")
    main(["corpus", "contamination", str(corpus), "--data", str(out), "--json"])
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["checked"] == 3


def test_an_experiment_takes_the_part_and_the_end_of_written_rows(tmp_path: Path) -> None:
    from shoal.experiments import load_experiment
    from shoal.experiments.tasks import make_experiment_task

    main(["task", "counting", "--option", "largest=10", "--out", str(tmp_path / "rows.jsonl")])
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nhypothesis = "One is better."\ntreatment = "a"\nbaseline = "b"\nseeds = 6\n'
        '[task]\nname = "mine"\nrows = "rows.jsonl"\n[split]\nname = "part"\n'
        '[arms]\na = "bundled:searches"\nb = "random:bundled:searches"\n'
        '[training]\nepochs = 1\n[measure]\nprimary = "exact_match"\nsmallest_effect = 0.1\n'
    )
    task = make_experiment_task(load_experiment(tmp_path / "mine.toml"))
    assert (len(task.seen), len(task.held_out)) == (7, 3)
    assert all(row.ends and row.completion.endswith("1") for row in task.examples)


def test_narrowness_finds_that_the_split_tests_only_stopping(capsys: pytest.CaptureFixture[str]) -> None:
    main(["task", "counting", "--narrowness"])
    assert "only where to stop" in capsys.readouterr().out


def test_narrowness_as_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    main(["task", "counting", "--option", "largest=30", "--narrowness", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert any("where to stop" in sentence for sentence in found["conclusion"])


def test_an_option_that_is_no_pair_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["task", "counting", "--option", "largest"])
    assert "KEY=VALUE" in capsys.readouterr().err


def test_a_task_is_shown_with_what_its_shortcuts_get_right(capsys: pytest.CaptureFixture[str]) -> None:
    main(["task", "addition", "--option", "examples=100", "--shortcut", "first={ word = 1 }"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("addition: ")
    assert lines[2].startswith("shortcuts, right of ")
    assert any(line.startswith("  ignore-carry ") for line in lines)
    assert any(line.startswith("  first ") for line in lines)


def test_the_check_as_json_holds_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    main(["task", "parity", "--option", "examples=60", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["problems"]) == ("parity", [])
    assert {row["name"] for row in found["agreement"]} >= {"last-bit", "look-up"}


def rows_with_rule(folder: Path, completion: str) -> tuple[Path, Path]:
    """Ten rows of doubling, the last with this completion, and a file with their rule and a shortcut."""
    rows = [{"prompt": f"twice {n} is", "completion": f" {2 * n}"} for n in range(1, 10)]
    rows.append({"prompt": "twice 10 is", "completion": completion})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "my.py").write_text(
        "def rule(prompt):\n    return f' {2 * int(prompt.split()[1])}'\n"
        "def same(prompt, seen):\n    return f' {prompt.split()[1]}'\n"
    )
    return folder / "rows.jsonl", folder / "my.py"


def test_rows_have_a_rule_and_shortcuts_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, file = rows_with_rule(tmp_path, " 20")
    main(["task", "twice", "--data", str(rows), "--rule", f"{file}:rule", "--shortcut", f"same={file}:same"])
    assert "  same                     0      0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("completion", "arguments", "words"),
    [
        (
            " 21",
            ["--rule", "FILE:rule"],
            "the rule disagrees with 1 of 10 examples (example 10); first: it gives ' 20'",
        ),
        (" 20", ["--rule", "FILE:rul"], "has no callable 'rul'"),
        (" 20", ["--shortcut", "a"], "the shortcut 'a' is not NAME=FILE.py:FUNCTION"),
        (" 20", ["--shortcut", "a={word=1}", "--shortcut", "a={word=2}"], "--shortcut gives the name 'a' twice"),
        (" 20", ["--shortcut", "a={ word = }"], "the table of the shortcut 'a' is broken TOML"),
        (" 20", ["--shortcut", "a={ word = 8 }"], "the shortcut 'a' applies to none of 10 examples"),
    ],
)
def test_what_is_wrong_with_rows_is_named(
    completion: str, arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, file = rows_with_rule(tmp_path, completion)
    with pytest.raises(SystemExit) as caught:
        main(["task", "twice", "--data", str(rows), *(argument.replace("FILE", str(file)) for argument in arguments)])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--narrowness", "--tagger", "hanta"], "leave out --tagger"),
        (["--model", "bundled:searches"], "give --narrowness"),
        (["--copies", "2", "--unchecked"], "without --augment METHOD; leave out --copies and --unchecked"),
        (["--seed", "5"], "that of a task is --option seed=N; leave out --seed"),
        (["--data", "rows.jsonl", "--option", "largest=9"], "--option is of a task by name"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["task", "counting", *arguments])
    assert words in capsys.readouterr().err


def test_a_rule_for_a_task_by_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["task", "copy", "--rule", "my.py:rule"])
    assert "--rule is the rule of the rows of --data" in capsys.readouterr().err


def test_an_experiment_takes_rule_and_shortcuts_from_where_it_lies(tmp_path: Path) -> None:
    from shoal.errors import ExperimentFileError
    from shoal.experiments import load_experiment
    from shoal.experiments.tasks import make_experiment_task

    rows_with_rule(tmp_path, " 20")
    text = (
        'name = "mine"\nhypothesis = "One is better."\ntreatment = "a"\nbaseline = "b"\nseeds = 6\n'
        '[task]\nname = "mine"\nrows = "rows.jsonl"\nrule = "my.py:rule"\n'
        'shortcuts = { same = "my.py:same", last = { word = -1 } }\n[split]\nname = "random"\n'
        '[arms]\na = "bundled:searches"\nb = "random:bundled:searches"\n'
        '[training]\nepochs = 1\n[measure]\nprimary = "exact_match"\nsmallest_effect = 0.1\n'
    )
    (tmp_path / "mine.toml").write_text(text)
    task = make_experiment_task(load_experiment(tmp_path / "mine.toml"))
    assert task.rule_known
    assert task.rule("twice 40 is") == " 80"
    assert [task.shortcuts[name]("twice 4 is", task.seen) for name in ("same", "last")] == [" 4", " is"]
    (tmp_path / "mine.toml").write_text(
        text.replace('rows = "rows.jsonl"\n', "").replace('"mine"\nrule', '"copy"\nrule')
    )
    with pytest.raises(ExperimentFileError, match=r"is the rule of task\.rows; a task by name has its own"):
        load_experiment(tmp_path / "mine.toml")


def test_a_run_on_a_task_with_a_problem_trains_nothing(tmp_path: Path) -> None:
    from shoal.errors import DataError
    from shoal.experiments import load_experiment, run_experiment

    rows_with_rule(tmp_path, " 21")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nhypothesis = "One is better."\ntreatment = "a"\nbaseline = "b"\nseeds = 6\n'
        '[task]\nname = "mine"\nrows = "rows.jsonl"\nrule = "my.py:rule"\n[split]\nname = "random"\n'
        '[arms]\na = "bundled:searches"\nb = "random:bundled:searches"\n'
        '[training]\nepochs = 1\n[measure]\nprimary = "exact_match"\nsmallest_effect = 0.1\n'
    )
    with pytest.raises(DataError, match="the rule disagrees with 1 of 10 examples"):
        run_experiment(load_experiment(tmp_path / "mine.toml"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tagger_checks_the_word_classes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["task", "word-classes", "--tagger", "hanta"])
    assert "hanta agrees on 197 of 200 words: 98.5%" in capsys.readouterr().out
    main(["task", "word-classes", "--tagger", "hanta", "--json"])
    alone = json.loads(capsys.readouterr().out)
    assert alone["agreeing"]["noun"] == 50
    main(["task", "word-classes", "--tagger", "hanta", "--augment", "spelling-noise", "--json"])
    both = json.loads(capsys.readouterr().out)
    assert both["word_classes"] == alone
    assert both["augmentation"]["originals"] > 0


def test_a_tagger_that_cannot_be_used_is_named_before_rows_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rows.jsonl"
    with pytest.raises(SystemExit, match="2"):
        main(["task", "counting", "--tagger", "hanta", "--out", str(out)])
    assert "take the task word-classes" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "HanTa.HanoverTagger", None)
    with pytest.raises(SystemExit, match="2"):
        main(["task", "word-classes", "--tagger", "hanta", "--out", str(out)])
    assert "pip install 'shoal[tagger]'" in capsys.readouterr().err
    assert not out.exists()
