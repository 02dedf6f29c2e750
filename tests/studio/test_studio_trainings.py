"""Processes that the studio starts: what is known of them before, while and after they live."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from benchmarks.toys import toy_experiment
from filelock import FileLock
from studios import opened, secret_of

from shoal.studio.page_error import PageError
from shoal.studio.trainer import run_training
from shoal.studio.trainings import ALIVE, OUTCOME, PLAN, PROCESS, PROGRESS, STOP, Trainings, write_record
from tiny_recipes import tiny_recipe

EXPERIMENT = toy_experiment("small", largest=8, epochs=12, checkpoint_seconds=0.2)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a process that was started an hour ago."""
    folder = tmp_path / "jobs" / "one"
    folder.mkdir(parents=True)
    record = {"run": "one", "plan": "counting", "preset": None, "workers": 1, "started": time.time() - 3600}
    write_record(folder / PLAN, record)
    return folder


def test_a_process_is_known_by_the_lock_that_it_holds(tmp_path: Path, job: Path) -> None:
    trainings = Trainings(tmp_path, tmp_path / "jobs")
    assert trainings.state("one").state == "killed"
    write_record(job / PROGRESS, {"phase": "train", "done": 2, "total": 8})
    with FileLock(job / ALIVE):
        state = trainings.state("one")
        assert (state.state, state.phase, state.done, state.total) == ("running", "train", 2, 8)
        trainings.stop("one")
        assert (job / STOP).exists()
        assert trainings.state("one").state == "stopping"
        with pytest.raises(PageError, match="under way already"):
            trainings.start("one", "counting", preset=None, workers=1)
    assert trainings.state("one").state == "killed"
    write_record(job / OUTCOME, {"state": "failed", "message": "the disk is full"})
    assert trainings.state("one").message == "the disk is full"
    with pytest.raises(PageError, match="is not under way"):
        trainings.stop("one")


def test_a_process_of_another_studio_that_died_before_its_lock_is_known_by_its_number(
    tmp_path: Path, job: Path
) -> None:
    trainings = Trainings(tmp_path, tmp_path / "jobs")
    record = {"run": "one", "plan": "counting", "preset": None, "workers": 1, "started": time.time()}
    write_record(job / PLAN, record)
    assert trainings.state("one").state == "starting"
    write_record(job / PROCESS, {"pid": os.getpid()})
    assert trainings.state("one").state == "starting"
    dead = subprocess.Popen(["true"])
    dead.wait()
    write_record(job / PROCESS, {"pid": dead.pid})
    assert trainings.state("one").state == "killed"
    (job / PROCESS).unlink()
    write_record(job / PLAN, record | {"started": time.time() - 10})
    assert trainings.state("one").state == "killed"


def test_a_run_that_was_started_elsewhere_is_neither_stopped_nor_started_again(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path, tmp_path / "jobs")
    (tmp_path / "one").mkdir()
    with FileLock(tmp_path / "one" / ".lock"):
        with pytest.raises(PageError, match="was started elsewhere"):
            trainings.stop("one")
        with pytest.raises(PageError, match="under way already"):
            trainings.start("one", "counting", preset=None, workers=1)


RECIPE = 'name = "small"\n' + tiny_recipe(
    stories=20, held_out=0.2, tokens=1200, batch_tokens=400,
    more='precision = "float32"\ncheckpoint_seconds = 0.0\n[evaluation]\ndocuments = 2\nmemorised = 0\nprompts = []\n',
)  # fmt: skip


def test_a_pretraining_that_was_interrupted_is_resumed_by_its_folder_alone(tmp_path: Path) -> None:
    from shoal.experiments.pretraining import load_recipe, pretrain_run

    root = tmp_path / "runs"
    (tmp_path / "r.toml").write_text(RECIPE)

    def interrupt(what: str, done: int, _total: int) -> None:
        if what == "training" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain_run(load_recipe(tmp_path / "r.toml"), root / "small", progress=interrupt)
    with opened(root) as client:
        before = client.get("/runs/small/live.json").json()
        assert (before["state"], before["can_resume"]) == ("stopped", True)
        assert ">Resume</button>" in client.get("/runs/small/").text
        # As the process does that the button starts.
        job = root / ".shoal-studio" / "jobs" / "small"
        job.mkdir(parents=True)
        record = {"run": "small", "plan": None, "preset": None, "workers": 1, "started": time.time()}
        write_record(job / PLAN, record | {"folder": str(root / "small")})
        assert run_training(job) == "finished"
        after = client.get("/runs/small/live.json").json()
        assert (after["state"], after["can_resume"]) == ("finished", False)
    assert (root / "small" / "model" / "model.safetensors").is_file()
    assert (root / "small" / "curve.html").is_file()


def test_a_sweep_is_finished_where_its_trials_are_gathered_and_can_be_resumed_before(tmp_path: Path) -> None:
    (tmp_path / "runs" / "grid").mkdir(parents=True)
    (tmp_path / "runs" / "grid" / "sweep.toml").write_text('[sweep]\nname = "grid"\n')
    with opened(tmp_path / "runs") as client:
        assert client.get("/runs/grid/live.json").json()["can_resume"]
        (tmp_path / "runs" / "grid" / "trials.jsonl").write_text("")
        found = client.get("/runs/grid/live.json").json()
        assert (found["state"], found["can_resume"]) == ("finished", False)


def wait(client: object, states: tuple[str, ...], *, seconds: float = 900) -> dict[str, object]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.get("/runs/small/live.json").json()  # type: ignore[attr-defined]
        if answer["state"] in states:
            return answer
        time.sleep(0.3)
    raise AssertionError(f"the run was never {states}: {answer}")


def trainers_of(root: Path) -> list[int]:
    """The processes that work in this folder of runs, and no others."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        if b"shoal.studio.trainer" in words and str(root).encode() in words:
            found.append(int(place.parent.name))
    return found


@pytest.mark.slow
def test_an_experiment_is_started_stopped_killed_resumed_and_outlives_the_studio(tmp_path: Path) -> None:
    plan = tmp_path / "small.toml"
    plan.write_text(EXPERIMENT)
    root = tmp_path / "runs"
    with opened(root, examples=[plan]) as client:
        page = client.get("/start").text
        form = {"secret": secret_of(page), "plan": "file-0", "name": "small", "workers": "1"}
        assert "small.toml" in page
        answer = client.post("/start", data=form, follow_redirects=False)
        assert answer.headers["location"] == "/runs/small/"
        assert client.get("/runs/small/").status_code == 200
        wait(client, ("running",))
    # Another studio finds it alive, and stops it.
    with opened(root, examples=[plan]) as client:
        while not wait(client, ("running",))["exists"]:
            time.sleep(0.3)
        secret = {"secret": secret_of(client.get("/start").text)}
        client.post("/runs/small/stop", data=secret, follow_redirects=False)
        assert wait(client, ("stopped",))["can_resume"]
        client.post("/runs/small/resume", data=secret, follow_redirects=False)
        wait(client, ("running",))
        time.sleep(3)
        trainers = trainers_of(root)
        for pid in trainers:
            os.kill(pid, signal.SIGKILL)
        assert trainers
        while not wait(client, ("killed", "running"))["can_resume"]:
            time.sleep(0.3)
        client.post("/runs/small/resume", data=secret, follow_redirects=False)
        ended = wait(client, ("finished", "failed"))
        assert ended["state"] == "finished"
        assert ended["done"] == ended["total"]
        assert client.get("/runs/small/report.html").status_code == 200
        assert (root / "small" / "verdict.json").is_file()
