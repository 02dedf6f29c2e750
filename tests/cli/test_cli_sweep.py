"""``shoal sweep`` as a person meets it."""

from __future__ import annotations

import json
import sys

import pytest

from shoal.cli.main import main

RECIPE = """
[[corpus]]
name = "tales"
grammar = 100
held_out = 0.1
[tokenizer]
vocabulary = 320
[model]
width = 8
layers = 1
heads = 2
context = 32
[training]
tokens = 1500
batch_tokens = 512
[evaluation]
documents = 4
memorised = 0
prompts = []
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.toml").write_text(RECIPE)
    (tmp_path / "s.toml").write_text('recipe = "r.toml"\n[keys]\n"model.width" = [8, 16]\n')
    return tmp_path


def test_a_sweep_is_run_told_and_drawn(files, capsys):
    main(["sweep", "s.toml", "--workers", "0", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [trial["settings"] for trial in told["trials"]] == [{"model.width": 8}, {"model.width": 16}]
    assert told["sweep"] == "sweeps/s"
    assert told["best"] in {0, 1}
    assert "too few" in told["scaling"][0]["refusal"]
    main(["report", "sweeps/s"])
    assert capsys.readouterr().out.strip() == "sweeps/s/report.html"
    main(["sweep", "s.toml", "--workers", "0"])
    table = capsys.readouterr().out
    assert "bits_per_byte" in table
    assert "report  sweeps/s/report.html" in table


def test_a_dry_run_measures_steps_and_keeps_nothing(files, capsys):
    main(["sweep", "s.toml", "--dry-run", "--workers", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["trials"], told["trainings"], told["workers"]) == (2, 2, 2)
    assert [pilot["parameters"] for pilot in told["pilots"]] == sorted(pilot["parameters"] for pilot in told["pilots"])
    assert all(pilot["seconds"] > 0 and pilot["tokens"] > 1000 for pilot in told["pilots"])
    assert {path.name for path in files.iterdir()} == {"r.toml", "s.toml"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep"], "requires"),
        (["sweep", "none.toml"], "give a TOML file with a sweep"),
        (["sweep", "BROKEN"], "broken TOML"),
        (["sweep", "WRONG"], "did you mean 'width'"),
        (["sweep", "s.toml", "--engine", "spark"], "spark"),
        (["sweep", "s.toml", "--workers", "-1"], "--workers is -1"),
        (["sweep", "s.toml", "--address", "10.0.0.1:1"], "give --engine ray"),
        (["sweep", "s.toml", "--out", "r.toml"], "r.toml"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(files, words, said, capsys):
    (files / "BROKEN").write_text("recipe = ")
    (files / "WRONG").write_text('recipe = "r.toml"\n[keys]\n"model.widht" = [8]\n')
    with pytest.raises(SystemExit) as stop:
        main(words)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.parametrize(
    ("missing", "words", "said"),
    [
        ("optuna", ["sweep", "t.toml", "--workers", "0"], "pip install 'shoal[sweep]'"),
        ("ray", ["sweep", "s.toml", "--engine", "ray"], "pip install 'shoal[scale]'"),
    ],
)
def test_a_missing_extra_names_its_pip_command(files, missing, words, said, capsys, monkeypatch):
    (files / "t.toml").write_text('recipe = "r.toml"\nsampler = "tpe"\ntrials = 2\n[keys]\n"model.width" = [8, 16]\n')
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err
