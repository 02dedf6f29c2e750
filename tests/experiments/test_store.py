from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import StoreError
from shoal.experiments import store as store_module
from shoal.experiments.environment import Environment, check_same_environment, describe_environment
from shoal.experiments.loading import experiment_from
from shoal.experiments.settings_file import differing, read_settings
from shoal.experiments.storage import read_json, read_json_rows, write_json, write_jsonl, write_text
from shoal.experiments.store import RunStore

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.experiment import Experiment

PLAN: dict[str, Any] = {
    "name": "small",
    "hypothesis": "One beats two.",
    "treatment": "one",
    "baseline": "two",
    "seeds": 6,
    "task": {"name": "counting"},
    "split": {"name": "last-digit"},
    "arms": {"one": "a/b", "two": "random:a/b"},
    "measure": {"primary": "exact_match", "smallest_effect": 0.1},
}


@pytest.fixture
def experiment() -> Experiment:
    return experiment_from(PLAN, "test")


def test_a_folder_keeps_its_experiment_and_opens_again(tmp_path: Path, experiment: Experiment) -> None:
    for _ in range(2):
        RunStore(tmp_path / "run", experiment).close()
    assert experiment_from(read_settings(tmp_path / "run" / "experiment.toml"), "test") == experiment


def test_a_folder_of_another_experiment_is_refused_with_the_difference(tmp_path: Path, experiment: Experiment) -> None:
    RunStore(tmp_path, experiment).close()
    other = experiment_from(PLAN | {"seeds": 7, "training": {"epochs": 3}}, "test")
    with pytest.raises(StoreError, match=r"seeds = .* and 1 more; give another folder with --out"):
        RunStore(tmp_path, other)
    RunStore(tmp_path, experiment).close()


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path, experiment: Experiment) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"other files \(thesis.txt"):
        RunStore(tmp_path, experiment)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path, experiment: Experiment) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        RunStore(tmp_path / "run", experiment)


def test_two_processes_cannot_work_in_one_folder(
    tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LOCK_TIMEOUT", 0.2)
    first = RunStore(tmp_path, experiment)
    with pytest.raises(StoreError, match="another process"):
        RunStore(tmp_path, experiment)
    first.close()
    RunStore(tmp_path, experiment).close()


HOLDER = """
import json, sys, time
from pathlib import Path
from shoal.experiments.loading import experiment_from
from shoal.experiments.store import RunStore
from shoal.experiments.workers import start_worker
store = RunStore(Path(sys.argv[1]), experiment_from(json.loads(sys.argv[2]), "test"))
worker = start_worker("deaf_worker:begin", {}, threads=1, inherited=(store.lock,))
print(worker.pid, flush=True)
time.sleep(1000)
"""

DEAF = """
import ctypes
from pathlib import Path
def begin(opening):
    Path(__file__).with_name("deaf").touch()
    ctypes.PyDLL(None).sleep(1000)  # other than a CDLL, it holds the interpreter's lock
"""


def test_a_folder_stays_locked_until_the_last_worker_of_a_killed_run_is_gone(
    tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deaf_worker.py").write_text(DEAF)
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run"), json.dumps(PLAN)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert holder.stdout is not None
    worker = int(holder.stdout.readline())
    while not (tmp_path / "deaf").exists():  # from then on it does not notice that its input ends
        time.sleep(0.01)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    monkeypatch.setattr(store_module, "LOCK_TIMEOUT", 0.2)
    with pytest.raises(StoreError, match="another process runs an experiment in"):
        RunStore(tmp_path / "run", experiment)
    monkeypatch.setattr(store_module, "LOCK_TIMEOUT", 60.0)
    os.kill(worker, signal.SIGKILL)
    RunStore(tmp_path / "run", experiment).close()


def test_opening_sweeps_up_what_a_kill_left(tmp_path: Path, experiment: Experiment) -> None:
    RunStore(tmp_path, experiment).close()
    unit = tmp_path / "arms" / "one" / "seed-0"
    write_json(unit / "done.json", {})
    (unit / "checkpoint").mkdir()
    (unit / ".after.jsonl.123.tmp").write_text("half")
    (unit / ".tokens.tmp" / "inner.tmp").mkdir(parents=True)
    going = tmp_path / "arms" / "one" / "seed-1" / "checkpoint"
    going.mkdir(parents=True)
    RunStore(tmp_path, experiment).close()
    assert [path.name for path in unit.iterdir()] == ["done.json"]
    assert going.is_dir()


def test_a_timing_line_that_a_kill_cut_short_is_dropped(tmp_path: Path, experiment: Experiment) -> None:
    store = RunStore(tmp_path, experiment)
    store.add_timing({"place": "a"})
    with (tmp_path / "timings.jsonl").open("a") as file:
        file.write('{"place": "b"')
    store.add_timing({"place": "c"})
    store.close()
    assert [row["place"] for row in read_json_rows(tmp_path / "timings.jsonl")] == ["a", "c"]


def test_differences_are_named_by_their_path() -> None:
    held, wanted = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 4}, "e": 5}
    assert differing(held, wanted) == [("a.c", 2, 4), ("d", 3, None), ("e", None, 5)]
    tables = [{"name": "tales", "source": "a"}, {"tokens": 3}], [{"name": "tales", "source": "b"}, {"tokens": 4}]
    assert differing({"t": tables[0]}, {"t": tables[1]}) == [("t.tales.source", "a", "b"), ("t.1.tokens", 3, 4)]
    assert differing({"t": tables[0]}, {"t": tables[0][:1]}) == [("t", tables[0], tables[0][:1])]


def test_numbers_that_are_not_finite_are_written_as_null(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [{"margin": float("nan"), "all": (1.0, float("inf"))}])
    assert read_json_rows(tmp_path / "rows.jsonl") == [{"margin": None, "all": [1.0, None]}]


def test_a_float_survives_writing_and_reading(tmp_path: Path) -> None:
    write_json(tmp_path / "value.json", {"x": 0.1 + 0.2})
    assert read_json(tmp_path / "value.json") == {"x": 0.1 + 0.2}


def test_a_damaged_record_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text('{"verdict": ')
    with pytest.raises(StoreError, match=r"verdict.json is damaged.*delete it"):
        read_json(tmp_path / "verdict.json")


def _write_beyond_the_limit(path: Path, answer: Any) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        write_text(path, "x" * 100_000)
    except StoreError as fault:
        answer.send(str(fault))
    else:
        answer.send("written")


def test_a_full_disk_is_one_line_and_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "after.jsonl"
    write_text(path, "old\n")
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_write_beyond_the_limit, args=(path, theirs))
    process.start()
    message = mine.recv()
    process.join()
    assert "no room left" in message
    assert "what was finished is kept" in message
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["after.jsonl"]  # noqa: PTH208


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, experiment: Experiment) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        RunStore(tmp_path / "run", experiment)
    tmp_path.chmod(0o700)


def test_the_environment_names_what_can_change_numbers() -> None:
    found = describe_environment()
    assert found.packages["torch"]
    assert found.cores is not None
    assert found.cores >= 1
    assert Environment.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_run_is_not_continued_with_other_versions() -> None:
    now = describe_environment()
    check_same_environment(now, replace(now, cores=64, commit="other"))
    with pytest.raises(StoreError, match=r"begun with torch 1\.0"):
        check_same_environment(replace(now, packages={**now.packages, "torch": "1.0"}), now)
    with pytest.raises(StoreError, match=r"begun with python 2\.7"):
        check_same_environment(replace(now, python="2.7"), now)
