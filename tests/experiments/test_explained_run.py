"""Explanations, search and leave-out on a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shoal.errors import StoreError, UnknownNameError, UsageError
from shoal.experiments import experiment_from, leave_out_of_run, open_run, run_experiment, search_run
from shoal.experiments.tasks import make_experiment_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.jobs import Job
    from shoal.models import LoadedModel
    from shoal.tasks import Example
    from shoal.training import TrainSettings

PLAN = {
    "name": "small",
    "hypothesis": "Pretrained weights add better.",
    "treatment": "pretrained",
    "baseline": "random",
    "seeds": 1,
    "task": {"name": "addition", "options": {"examples": 24}},
    "split": {"name": "random"},
    "arms": {"pretrained": "bundled:searches", "random": "random:bundled:searches"},
    "training": {"epochs": 1, "precision": "float32"},
    "measure": {"primary": "exact_match", "smallest_effect": 0.1},
    "controls": {"shuffled_weights": False},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "small"
    run_experiment(experiment_from(PLAN, "the test"), path, workers=0)
    return path


@pytest.mark.slow
def test_the_trained_models_of_a_run_are_explained(folder: Path) -> None:
    run = open_run(folder)
    assert set(run.explanations) == {"pretrained", "random"}
    found = run.explanations["pretrained"][0]
    assert len(found.items) == run.verdict.items
    assert set(run.verdict.explanations) == {"pretrained", "random"}
    assert "what explains the answers to held-out items" in str(run.verdict)


@pytest.mark.slow
def test_the_answers_of_every_training_are_searched(folder: Path) -> None:
    found = search_run(folder)
    assert {(arm, seed) for arm, seeds in found.items() for seed in seeds} == {("pretrained", 0), ("random", 0)}
    assert found["pretrained"][0].tried > 1000
    # One step of training teaches no program.
    assert found["random"][0].found == ()


@pytest.mark.slow
def test_an_arm_is_trained_again_without_each_group(folder: Path) -> None:
    calls = []
    found = leave_out_of_run(folder, "shortcut:ignore-carry", progress=lambda *where: calls.append(where))
    assert len(found.groups) == 2
    assert calls[-1] == ("trainings", 5, 5)
    # With all examples it is the very training of the run.
    run = open_run(folder)
    accuracy = run.explanations["pretrained"][0].right / run.verdict.items
    assert found.all_examples["accuracy"] == pytest.approx(accuracy)
    kept = (folder / "leave-out" / "pretrained" / "shortcut-ignore-carry" / "leave_out.jsonl").read_text()
    assert len([json.loads(line) for line in kept.splitlines()]) == 6


def test_what_is_done_is_not_trained_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = leave_out_of_run(folder, "shortcut:ignore-carry")
    monkeypatch.setattr("shoal.training.train", lambda *_, **__: pytest.fail("a finished training was done again"))
    assert leave_out_of_run(folder, "shortcut:ignore-carry") == first


def test_an_unknown_arm_and_an_unfinished_run_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="pretrained"):
        leave_out_of_run(folder, "length", arm="pretraind")
    with pytest.raises(UsageError, match="names no groups"):
        leave_out_of_run(folder, "colour")
    (tmp_path / "experiment.toml").write_text((folder / "experiment.toml").read_text())
    with pytest.raises(StoreError, match="has not chosen its learning rates"):
        leave_out_of_run(tmp_path, "length")
    with pytest.raises(StoreError, match=r"no trained model of .* has answered yet"):
        search_run(tmp_path)


def test_an_arm_is_trained_again_with_the_augmentation_of_the_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path / "run", ignore=shutil.ignore_patterns("leave-out", ".lock"))
    plan = tmp_path / "run" / "experiment.toml"
    plan.write_text(plan.read_text().replace("[training]", '[training]\naugment = ["counterfactuals"]'))
    trained: list[tuple[Sequence[Example], float]] = []

    def note(job: Job, loaded: LoadedModel, examples: Sequence[Example], settings: TrainSettings, place: Path) -> None:
        trained.append((examples, settings.epochs))

    monkeypatch.setattr("shoal.experiments.leaving_out.train_in", note)
    leave_out_of_run(tmp_path / "run", "shortcut:ignore-carry")
    seen = {(one.prompt, one.completion) for one in make_experiment_task(experiment_from(PLAN, "the test")).seen}
    for examples, epochs in trained:
        given = [one for one in examples if (one.prompt, one.completion) in seen]
        assert len(given) < len(examples)
        assert epochs == pytest.approx(len(given) / len(examples))
    # What is left out does not come back as a counterfactual of what is left.
    sizes = [len([one for one in examples if (one.prompt, one.completion) in seen]) for examples, _ in trained]
    assert sizes[0] == len(seen)
    assert sizes[1] + sizes[3] == len(seen)


def test_what_follows_a_run_is_of_its_own_examples(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run", ignore=shutil.ignore_patterns("leave-out", ".lock"))
    plan = tmp_path / "run" / "experiment.toml"
    plan.write_text(plan.read_text().replace("examples = 24", "examples = 25"))
    for work in (search_run, lambda place: leave_out_of_run(place, "length")):
        with pytest.raises(StoreError, match="other examples of the task 'addition'"):
            work(tmp_path / "run")
