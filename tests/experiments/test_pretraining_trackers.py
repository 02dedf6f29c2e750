"""Trackers get the same numbers as shoal's own records; each is tested where its package is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import ExperimentFileError, MissingExtraError, UnknownNameError
from shoal.experiments.pretraining import pretrain_run, recipe_from
from shoal.experiments.pretraining.trackers import Tracker, open_trackers
from shoal.experiments.settings_file import flatten


def needs(package: str) -> pytest.MarkDecorator:
    absent = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(absent, reason=f"{package} is not installed: pip install 'shoal[trackers]'")


def track(name: str, folder: Path) -> None:
    """Two parts of a training, the second after a kill."""
    for steps in ((1, 2, 3), (4, 5)):
        (tracker,) = open_trackers([name], folder, {"model.width": 16, "seed": 0}, name="small")
        for step in steps:
            tracker.log(step, {"loss": 1 / step})
        tracker.log_samples(steps[-1], {"Once": f"upon {steps[-1]}"})
        tracker.close()


@needs("tensorboard")
def test_a_training_is_shown_by_tensorboard_as_in_its_own_records(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    table = {
        "name": "small",
        "corpus": [{"name": "told", "grammar": 60, "held_out": 0.1}],
        "tokenizer": {"vocabulary": 290},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 64},
        "training": {"tokens": 3000, "batch_tokens": 512, "precision": "float32"},
        "evaluation": {"documents": 3, "every": 3, "sample_tokens": 3, "memorised": 0},
        "trackers": ["tensorboard"],
    }
    pretrain_run(recipe_from(table, "small.toml"), tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [event.step for event in events.Scalars("loss")] == [row["step"] for row in rows]
    assert [event.value for event in events.Scalars("loss")] == pytest.approx([row["loss"] for row in rows], rel=1e-6)
    scores = [json.loads(line) for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()]
    assert [event.step for event in events.Scalars("bits_per_byte/told")] == [row["step"] for row in scores]


@needs("tensorboard")
def test_tensorboard_drops_what_a_killed_part_wrote_of_steps_that_are_done_again(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for steps in ((1, 2, 3), (3, 4)):
        (tracker,) = open_trackers(["tensorboard"], tmp_path, {}, name="small")
        for step in steps:
            tracker.log(step, {"loss": float(step)})
        tracker.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4]


@needs("mlflow")
@pytest.mark.filterwarnings("default")
def test_mlflow_keeps_one_run_in_a_local_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    track("mlflow", tmp_path)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'shoal pretrain'")
    (run,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(run.info.run_id, "loss")
    assert sorted((point.step, point.value) for point in history) == [(step, 1 / step) for step in range(1, 6)]
    assert run.data.params["model.width"] == "16"
    assert run.info.status == "FINISHED"
    samples = sorted(path.name for path in tmp_path.rglob("step-*.txt"))
    assert samples == ["step-3.txt", "step-5.txt"]


@needs("trackio")
@pytest.mark.filterwarnings("default")
def test_trackio_keeps_one_run_in_its_folder(tmp_path: Path) -> None:
    # trackio reads its folder when it is imported.
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import test_pretraining_trackers as tests
tests.track("trackio", Path({str(tmp_path)!r}))
import trackio
runs = list(trackio.Api().runs("shoal-pretrain"))
print(len(runs), runs[0].name)
"""
    environment = os.environ | {"TRACKIO_DIR": str(tmp_path / "trackio")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == f"1 small {tmp_path.name}"


@needs("wandb")
@pytest.mark.filterwarnings("default")
def test_wandb_keeps_its_files_in_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    track("wandb", tmp_path)
    files = list((tmp_path / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(files) == 2
    assert len({file.name for file in files}) == 1, "both parts are of the same run"
    assert all(b"loss" in file.read_bytes() for file in files)


def test_a_tracker_that_is_not_installed_names_its_pip_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[trackers\]'"):
        open_trackers(["mlflow"], tmp_path, {}, name="small")
    with pytest.raises(UnknownNameError, match="did you mean 'tensorboard'"):
        open_trackers(["tensorbord"], tmp_path, {}, name="small")


class Notebook(Tracker):
    """A tracker of these tests, which is registered by being defined."""

    name = "notebook"

    def __init__(self, folder: Path, settings: Any, name: str) -> None:
        self.file = folder / "notebook.txt"
        self.file.write_text(f"{name}: width {settings['model.width']}\n")

    def _write(self, *values: Any) -> None:
        with self.file.open("a") as file:
            file.write(f"{values}\n")

    def log(self, step: int, values: Any) -> None:
        self._write(step, *sorted(values))

    def log_samples(self, step: int, samples: Any) -> None:
        self._write("samples", step, *samples)

    def close(self) -> None:
        self._write("closed")


del Tracker.registry["notebook"]


def test_a_tracker_that_is_defined_can_be_named_by_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "name": "small",
        "corpus": [{"name": "told", "grammar": 60, "held_out": 0.1}],
        "tokenizer": {"vocabulary": 290},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 64},
        "training": {"tokens": 1500, "batch_tokens": 512, "precision": "float32"},
        "evaluation": {"documents": 3, "every": 9, "sample_tokens": 3, "memorised": 0, "prompts": ["Once"]},
        "trackers": ["notebook"],
    }
    with pytest.raises(ExperimentFileError, match=r"trackers.0 = 'notebook': input should be 'tensorboard', 'mlflow'"):
        recipe_from(table, "small.toml")
    monkeypatch.setitem(Tracker.registry, "notebook", Notebook)
    pretrain_run(recipe_from(table, "small.toml"), tmp_path / "run")
    first, *lines = (tmp_path / "run" / "notebook.txt").read_text().splitlines()
    assert first == "small: width 16"
    assert lines[:2] == ["(0, 'bits_per_byte/told')", "('samples', 0, 'Once')"]
    assert lines[2].startswith("(1, 'cpu_seconds', 'gradient_norm', 'learning_rate', 'loss', 'seconds', 'tokens')")
    assert lines[-1] == "('closed',)"


def test_settings_are_told_by_dotted_key() -> None:
    table: dict[str, Any] = {"seed": 1, "model": {"width": 16, "inner": None}, "corpus": [{"name": "a"}]}
    assert flatten(table) == {"seed": 1, "model.width": 16, "model.inner": None, "corpus": [{"name": "a"}]}
