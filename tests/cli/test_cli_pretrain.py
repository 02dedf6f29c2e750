"""``shoal pretrain``: what it prints, and that every fault is one line and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.cli.main import main

RECIPE = """
name = "small"

[[corpus]]
name = "told"
grammar = 60
held_out = 0.1

[tokenizer]
vocabulary = 290

[model]
width = 16
layers = 1
heads = 2
context = 64

[training]
tokens = 4000
batch_tokens = 512
precision = "float32"

[evaluation]
every = 100
documents = 3
sample_tokens = 3
memorised = 5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


def shoal(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(["pretrain", *map(str, words)])
    return int(end.value.code or 0)


def test_a_recipe_becomes_a_model_and_is_told_on_the_way(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.parent / "run"
    main(["pretrain", str(file), "--out", str(out), "--set", "model.width=24"])
    said = capsys.readouterr()
    assert "about" in said.err
    assert "held-out bits per byte: told" in said.err
    assert "Once upon a time|" in said.err
    # Three held-out documents are too few for an interval.
    assert "bits per byte, 3 held out" in said.out
    assert f"model   {out / 'model'}" in said.out
    assert json.loads((out / "model" / "config.json").read_text())["hidden_size"] == 24
    main(["pretrain", str(file), "--out", str(out), "--set", "model.width=24", "--json"])
    held = json.loads(capsys.readouterr().out)
    assert held["steps"] == 8
    assert held["held_out"]["told"]["documents"] == 3


def test_a_dry_run_says_how_long_and_makes_no_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["pretrain", str(file), "--out", str(file.parent / "runs" / "dry"), "--dry-run", "--json"])
    plan = json.loads(capsys.readouterr().out)
    assert plan["steps"] == 8
    assert plan["seconds"] > 0
    assert not (file.parent / "runs" / "dry").exists()
    main(["pretrain", str(file), "--prepared", str(file.parent / "runs" / "prepared"), "--dry-run"])
    assert "about" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "model.widht=3"], "unknown key 'model.widht'; did you mean 'width'?"),
        (["--set", "width"], "give KEY=VALUE"),
        (["--set", "corpus.told.grammar=1"], "holds one document"),
        (["--set", "tokenizer.vocabulary=50000"], "tokens at most, not the requested 50000"),
        (["--set", "model.context=5000"], "the longest document has"),
        (["--set", "model.heads=3"], "do not divide"),
    ],
)
def test_faults_are_one_line(file: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert shoal(file, "--out", file.parent / "run", *words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("shoal: ")]
    assert len(lines) == 1
    assert message in lines[0]


def test_a_recipe_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert shoal("none.toml") == 2
    assert "none.toml: No such file or directory; give a TOML file with a recipe" in capsys.readouterr().err
