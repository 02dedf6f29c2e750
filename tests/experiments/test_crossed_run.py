"""Whole runs of a crossed experiment, on a model that trains in a moment."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from children import deadly, killed
from shoal.errors import MissingExtraError, StoreError, UsageError
from shoal.experiments.crossed import CrossedExperiment, crossed_from, open_crossed, plan_crossed, run_crossed
from shoal.experiments.crossed.data import cell_examples, training_seed
from shoal.experiments.crossed.plan import PLAN
from shoal.experiments.crossed.units import cell_place
from shoal.experiments.explaining import read_answers
from shoal.experiments.storage import read_json
from shoal.experiments.store import RunStore
from shoal.tasks import make_task

Finished = tuple[CrossedExperiment, Path]


@pytest.fixture(scope="session")
def table(tiny_model: Path) -> dict[str, Any]:
    """A crossed experiment of eight trainings of a moment each."""
    return {
        "name": "tiny",
        "seeds": 2,
        "device": "cpu",
        "model": str(tiny_model),
        "task": {"name": "counting", "options": {"largest": 8}},
        "split": {"name": "last-digit"},
        "factors": {"pretraining": ["pretrained", "random"], "examples": [3, 5]},
        "hypotheses": [
            {
                "name": "pretraining",
                "claim": "These weights answer more than fresh ones.",
                "factor": "pretraining",
                "treatment": "pretrained",
                "baseline": "random",
                "smallest_effect": 0.1,
            }
        ],
        "training": {"epochs": 4.0, "batch_tokens": 64, "checkpoint_seconds": 0.05},
        "measure": {"primary": "agreed_prefix"},
        "controls": {"shuffled_labels": True},
    }


@pytest.fixture(scope="session")
def finished(table: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that came to its end without being disturbed, in a worker process."""
    experiment = crossed_from(table, "test")
    folder = tmp_path_factory.mktemp("crossed") / "whole"
    run_crossed(experiment, folder, workers=1)
    return experiment, folder


def records(folder: Path) -> dict[str, str]:
    """A digest of every record of a run, but for those that say when, where or how fast."""
    apart = {"environment.json", "timings.jsonl", ".lock"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in apart
    }


def test_every_training_is_explained_by_the_examples_that_it_saw(finished: Finished) -> None:
    experiment, folder = finished
    run = open_crossed(folder)
    cells = [cell.name for cell in experiment.cells]
    assert list(run.explanations) == cells
    assert run.result is not None
    assert list(run.result.explanations) == cells
    for cell in experiment.cells:
        assert list(run.explanations[cell.name]) == [0, 1]
        for seed, explanation in run.explanations[cell.name].items():
            assert len(explanation.items) == 3
            examples, _ = cell_examples(cell, make_task("counting", largest=8), training_seed(cell.name, seed))
            longest = max((example.completion for example in examples), key=len)
            answers = read_answers(folder / cell_place(cell.name, seed))
            assert all(longest in answer.log_probs for answer in answers)
    assert "what explains the answers to held-out items" in str(run.result)


def run_here(experiment: CrossedExperiment, folder: Path, progress: Any) -> None:
    run_crossed(experiment, folder, workers=0, progress=progress)


def test_a_run_leaves_a_record_of_every_training_and_a_verdict(finished: Finished) -> None:
    experiment, folder = finished
    run = open_crossed(folder)
    assert run.experiment == experiment
    assert {cell: len(trainings) for cell, trainings in run.trainings.items()} == {
        cell.name: 2 for cell in experiment.cells
    }
    done = [each.done for trainings in run.trainings.values() for each in trainings]
    assert len({each.seed for each in done}) == len(done)
    assert len({each.digest_after for each in done}) == len(done)
    assert run.result is not None
    assert [each.name for each in run.result.hypotheses] == ["pretraining"]
    assert (folder / "design.json").is_file()
    assert len(list(folder.glob("narrowness/*.json"))) == 1
    assert len(run.shuffled_items(experiment.cells[0].name)) == 6
    controls = {control.name for control in run.result.hypotheses[0].controls}
    assert controls == {"floor and ceiling", "leakage", "shuffled labels"}


def test_two_tasks_of_one_name_are_reported_apart(table: dict[str, Any], tmp_path: Path) -> None:
    factors = {"pretraining": ["pretrained", "random"], "task.options.largest": [8, 9]}
    changes = {"factors": factors, "task": {"name": "counting"}, "training": {"epochs": 1.0, "batch_tokens": 64}}
    result = run_crossed(crossed_from(table | changes, "test"), tmp_path / "run", workers=0)
    found = result.hypotheses[0]
    shuffled = next(control for control in found.controls if control.name == "shuffled labels")
    assert len(shuffled.numbers) == 2
    splits = [confound.name for confound in found.confounds if confound.name.startswith("split of")]
    assert len(set(splits)) == 2


def test_a_finished_run_gives_its_verdicts_again_without_work(finished: Finished) -> None:
    experiment, folder = finished
    held, timings = records(folder), (folder / "timings.jsonl").read_bytes()
    assert run_crossed(experiment, folder).to_dict() == read_json(folder / "result.json")
    assert records(folder) == held
    assert (folder / "timings.jsonl").read_bytes() == timings


def test_killed_at_random_moments_it_resumes_and_ends_with_the_records_of_an_undisturbed_run(
    finished: Finished, tmp_path: Path
) -> None:
    experiment, whole = finished
    folder = tmp_path / "killed"
    RunStore(folder, experiment, plan=PLAN).close()
    (folder / "certificate.json").write_bytes((whole / "certificate.json").read_bytes())
    moments = random.Random(4)
    for _ in range(3):
        killed(run_here, experiment, folder, deadly(2, moments.uniform(0.0, 0.3), last=4))
    run_crossed(experiment, folder, workers=0)
    assert records(folder) == records(whole)


def test_a_run_is_not_resumed_with_other_settings(finished: Finished, table: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="holds a run with seeds = 2, not 3"):
        run_crossed(crossed_from(table | {"seeds": 3}, "test"), finished[1])


def test_a_finished_run_is_the_pilot_of_the_next_one(finished: Finished, table: dict[str, Any]) -> None:
    report = plan_crossed(crossed_from(table | {"design": {"pilot": str(finished[1])}}, "test"))
    result = open_crossed(finished[1]).result
    assert result is not None
    assert report.assumed_sd == result.spread
    assert report.hypotheses[0].detectable is not None
    with pytest.raises(StoreError, match="holds no crossed experiment"):
        plan_crossed(crossed_from(table | {"design": {"pilot": "/nowhere"}}, "test"))


def test_models_that_cannot_be_trained_stop_before_a_folder_is_made(table: dict[str, Any], tmp_path: Path) -> None:
    for model, words in (("oracle?p=0.3", "names the dummy"), (str(tmp_path / "gone"), "there is no folder")):
        with pytest.raises(UsageError, match=words):
            run_crossed(crossed_from(table | {"model": model}, "test"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_mixed_model_without_its_package_stops_before_any_training(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "statsmodels.regression", None)
    measure = {"primary": "agreed_prefix", "mixed_model": True}
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[mixed\]'"):
        run_crossed(crossed_from(table | {"measure": measure}, "test"), tmp_path / "run")
