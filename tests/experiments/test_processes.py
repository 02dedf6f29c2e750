"""Workers that die at any moment: before they have read a line, over their answer, and at their parent's end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import WorkerError
from shoal.experiments.jobs import Job
from shoal.experiments.loading import experiment_from
from shoal.experiments.pool import Pool
from shoal.experiments.processes import ask, end_workers, start_worker
from shoal.experiments.sweeps.local import Processes
from shoal.experiments.sweeps.trials import Unit

if TYPE_CHECKING:
    from pathlib import Path

LONG = "x" * 1_000_000
"""More than a pipe takes, so that a worker that does not read is dead before all of it is written."""

JOB = Job(kind="arm", place="arms/given/0", title="given, seed 0")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a module that a worker can be, and gives its name."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(code: str) -> str:
        (tmp_path / "worker_of_a_test.py").write_text(code)
        return "worker_of_a_test"

    return make


def answer_of_worker(module: str, message: dict[str, Any]) -> tuple[Any, int | None]:
    worker = start_worker(module, {"long": LONG}, threads=1)
    answer = ask(worker, message)
    end_workers([worker])
    return answer, worker.poll()


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("raise SystemExit(3)", 3),
        ("input(); raise SystemExit(4)", 4),
        ("input(); input(); print('{\"half\": ', end='')", 0),
        ("input(); input(); print('no JSON')", 0),
        ("import os; input(); os.close(0); os.close(1)", 0),
    ],
)
def test_a_worker_that_dies_before_its_answer_gives_none(program: Any, code: str, ended: int) -> None:
    assert answer_of_worker(program(code), {"a": 1}) == (None, ended)


def test_a_worker_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match=r"no worker process can be started \(No such file"):
        start_worker("any", {}, threads=1)


def test_a_run_names_the_job_of_a_worker_that_never_began(
    plan: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    experiment = experiment_from(plan | {"hypothesis": LONG}, "test")
    pool = Pool(tmp_path, experiment, count=2, threads=1, lock=0)
    with pytest.raises(
        WorkerError, match="the worker that did given, seed 0 ended unexpectedly; what was finished is kept"
    ):
        list(pool.run([JOB]))
    pool.close()


def test_a_sweep_fails_a_unit_whose_workers_never_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    units = [Unit(trial=trial, seed=0, settings={}, recipe={}) for trial in range(3)]
    workers = Processes(tmp_path, LONG, count=2, threads=1, lock=0)
    ended = sorted((unit.trial, answer, how) for unit, answer, how in workers.run(units))
    workers.close()
    how = "its worker died 3 times (exit code 1); it may need more memory than there is"
    assert ended == [(trial, None, how) for trial in range(3)]


def test_a_sweep_whose_workers_cannot_be_started_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    workers = Processes(tmp_path, "o", count=2, threads=1, lock=0)
    with pytest.raises(WorkerError, match="no worker process can be started"):
        list(workers.run([Unit(trial=0, seed=0, settings={}, recipe={})]))
    workers.close()


ECHO = "from shoal.experiments.serving import serve_lines; serve_lines(lambda first: lambda line: [first, line])"


@pytest.mark.parametrize("given", ["", '{"fold', '{"a": 1}\n', '{"a": 1}\n{"half', '{"a": 1}\n{"b": 2}\n'])
def test_a_worker_ends_in_silence_wherever_its_input_does(given: str) -> None:
    done = subprocess.run([sys.executable, "-c", ECHO], input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", '[{"a": 1}, {"b": 2}]\n')  # the answer, where it was done before the input's end


def test_a_worker_whose_answers_nobody_reads_ends_in_silence() -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stderr is not None
    worker.stdout.close()
    worker.stdin.write("{}\n{}\n")
    worker.stdin.flush()
    assert worker.stderr.read() == ""
    worker.stdin.close()
    worker.stderr.close()
    assert worker.wait() == 0
