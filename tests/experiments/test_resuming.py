"""A run of any kind that was interrupted is resumed from its folder alone, to the records of one left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import StoreError
from shoal.experiments import resume_run
from shoal.experiments.crossed import crossed_from, run_crossed
from shoal.experiments.overfitting import load_overfit, run_overfit
from shoal.experiments.pretraining import load_recipe, pretrain_run
from shoal.experiments.sweeps import load_sweep, run_sweep
from tiny_recipes import tiny_recipe

RECIPE = 'name = "small"\n' + tiny_recipe(
    stories=40, held_out=0.5, tokens=1200, batch_tokens=400,
    more='precision = "float32"\ncheckpoint_seconds = 0.0\n[evaluation]\ndocuments = 4\nmemorised = 0\nprompts = []\n',
)  # fmt: skip
SWEEP = 'recipe = "r.toml"\nname = "s"\n[keys]\n"training.learning_rate" = [1e-3, 1e-2]\n'
OVERFIT = 'recipe = "r.toml"\nseeds = 2\ndocuments = 4\n[methods]\nsmoothed = { "training.label_smoothing" = 0.2 }\n'
APART = ("environment.json", "records.sqlite", "timings.jsonl", ".lock", "starts.jsonl")
TIMED = ("metrics.jsonl", "done.json", "plan.json", "result.json", "rows.jsonl", "trials.jsonl", "README.md")
"""Of runs that record their seconds: compared by their weights."""

Run = Callable[[Path, Any], object]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("r.toml", RECIPE), ("s.toml", SWEEP), ("o.toml", OVERFIT)):
        (tmp_path / name).write_text(text)
    return tmp_path


def interrupting(what: str, after: int) -> Any:
    """Progress that interrupts the run, as Ctrl-C does, where a number of units is done."""

    def progress(phase: str, done: int, _total: int) -> None:
        if phase.startswith(what) and done >= after:
            raise KeyboardInterrupt

    return progress


def digests(folder: Path) -> dict[str, str]:
    """Of every file but those that say when, where or how fast."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (*APART, *TIMED) and "checkpoint" not in path.parts
    }


def check(run: Run, folder: Path, progress: Any, *, ended: str) -> None:
    run(folder / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        run(folder / "broken", progress)
    assert not (folder / "broken" / ended).exists()
    resume_run(folder / "broken", workers=0)
    assert (folder / "broken" / ended).exists()
    assert digests(folder / "broken") == digests(folder / "whole")


def test_a_pretraining(files: Path) -> None:
    recipe = load_recipe(files / "r.toml")
    check(lambda out, progress: pretrain_run(recipe, out, progress=progress), files, interrupting("training", 2),
          ended="done.json")  # fmt: skip


@pytest.mark.slow
def test_a_sweep(files: Path) -> None:
    plan = load_sweep(files / "s.toml")
    check(lambda out, progress: run_sweep(plan, out, workers=0, progress=progress), files, interrupting("", 1),
          ended="trials.jsonl")  # fmt: skip


@pytest.mark.slow
def test_a_comparison_of_methods_against_overfitting(files: Path) -> None:
    plan = load_overfit(files / "o.toml")
    check(lambda out, progress: run_overfit(plan, out, workers=0, progress=progress), files, interrupting("", 1),
          ended="result.json")  # fmt: skip


@pytest.mark.slow
def test_a_crossed_experiment(files: Path, tiny_model: Path) -> None:
    table = {
        "name": "tiny",
        "seeds": 2,
        "device": "cpu",
        "model": str(tiny_model),
        "task": {"name": "counting", "options": {"largest": 8}},
        "split": {"name": "last-digit"},
        "factors": {"pretraining": ["pretrained", "random"], "examples": [3, 5]},
        "hypotheses": [{"name": "pretraining", "claim": "These weights answer more.", "factor": "pretraining",
                        "treatment": "pretrained", "baseline": "random", "smallest_effect": 0.1}],
        "training": {"epochs": 2.0, "batch_tokens": 64},
        "measure": {"primary": "agreed_prefix"},
        "controls": {"shuffled_labels": False},
    }  # fmt: skip
    experiment = crossed_from(table, "test")
    check(lambda out, progress: run_crossed(experiment, out, workers=0, progress=progress), files,
          interrupting("train", 1), ended="result.json")  # fmt: skip


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is no run that can be resumed: it has none of experiment\.toml"):
        resume_run(tmp_path)
