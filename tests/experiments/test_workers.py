"""Workers that die at any moment: before they have read a line, over their answer, and at their parent's end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import DataError, UnknownNameError, WorkerError
from shoal.experiments.jobs import Job
from shoal.experiments.loading import experiment_from
from shoal.experiments.sweeps.trials import Unit
from shoal.experiments.tables import as_table
from shoal.experiments.workers import InProcess, WorkerPool, ask, end_workers, start_worker

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
    worker = start_worker(f"{module}:begin", {"long": LONG}, threads=1)
    answer = ask(worker, message)
    end_workers([worker])
    return answer, worker.poll()


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("raise SystemExit(3)", 3),
        ("input(); raise SystemExit(4)", 4),
        ("input(); input(); print('{\"half\": ', end=''); raise SystemExit", 0),
        ("input(); input(); print('no JSON'); raise SystemExit", 0),
        ("import os; input(); os.close(0); os.close(1); os._exit(0)", 0),
    ],
)
def test_a_worker_that_dies_before_its_answer_gives_none(program: Any, code: str, ended: int) -> None:
    assert answer_of_worker(program(code), {"a": 1}) == (None, ended)


def test_a_worker_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match=r"no worker process can be started \(No such file"):
        start_worker("any:begin", {}, threads=1)


def test_a_run_names_the_job_of_a_worker_that_never_began(
    plan: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    experiment = experiment_from(plan | {"hypothesis": LONG}, "test")
    opening = {"folder": str(tmp_path), "experiment": as_table(experiment)}
    pool: WorkerPool[Job] = WorkerPool("shoal.experiments.jobs:begin_jobs", opening, count=2, threads=1)
    with pytest.raises(
        WorkerError, match="the worker that did given, seed 0 ended unexpectedly; what was finished is kept"
    ):
        list(pool.run([JOB]))
    pool.close()


def sweep_workers(objective: str) -> WorkerPool[Unit]:
    opening = {"folder": "nowhere", "objective": objective}
    return WorkerPool("shoal.experiments.sweeps.units:begin_units", opening, count=2, threads=1, on_death="retry")


def test_a_sweep_fails_a_unit_whose_workers_never_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    units = [Unit(trial=trial, seed=0, settings={}, recipe={}) for trial in range(3)]
    workers = sweep_workers(objective=LONG)
    ended = sorted((outcome.item.trial, outcome.answer, outcome.death) for outcome in workers.run(units))
    workers.close()
    how = "its worker died 3 times (exit code 1); it may need more memory than there is"
    assert ended == [(trial, None, how) for trial in range(3)]


def test_a_sweep_whose_workers_cannot_be_started_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    workers = sweep_workers(objective="o")
    with pytest.raises(WorkerError, match="no worker process can be started"):
        list(workers.run([Unit(trial=0, seed=0, settings={}, recipe={})]))
    workers.close()


ECHO = (
    "from shoal.experiments.worker_main import serve_lines; serve_lines(lambda first: lambda line: {**first, **line})"
)


@pytest.mark.parametrize("given", ["", '{"fold', '{"a": 1}\n', '{"a": 1}\n{"half', '{"a": 1}\n{"b": 2}\n'])
def test_a_worker_ends_in_silence_wherever_its_input_does(given: str) -> None:
    done = subprocess.run([sys.executable, "-c", ECHO], input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", '{"a": 1, "b": 2}\n')  # the answer, where it was done before the input's end


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


@dataclass(frozen=True)
class Sum:
    """A job of these tests: what the worker below makes of it."""

    number: int
    title: str = "the sum"

    def to_dict(self) -> dict[str, Any]:
        return {"number": self.number}


WORKER = """
import os, signal
from pathlib import Path
from shoal.errors import DataError, UnknownNameError
def begin(opening):
    def answer(line):
        number = line["number"]
        started = Path(opening["folder"], f"starts-{number}")
        started.write_text(started.read_text() + "x" if started.exists() else "x")
        if number == 13 or number == 7 and len(started.read_text()) < opening["deadly"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 99:
            raise DataError("99 is too large")
        if number == 98:
            raise UnknownNameError("number", "98", ["97"])
        if number == 97:
            raise ZeroDivisionError("by 97")
        return {"twice": 2 * number, "process": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}
    return answer
"""


@pytest.fixture
def pool_of(program: Any, tmp_path: Path) -> Any:
    """Makes a pool of such workers; all pools are closed in the end."""
    entry = f"{program(WORKER)}:begin"
    pools: list[WorkerPool[Sum]] = []

    def make(*, deadly: int = 0, **more: Any) -> WorkerPool[Sum]:
        opening = {"folder": str(tmp_path), "deadly": deadly}
        pools.append(WorkerPool(entry, opening, **{"count": 2, "threads": 3, **more}))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def starts(folder: Path, number: int) -> int:
    return len((folder / f"starts-{number}").read_text())


def test_workers_take_all_jobs_and_stay_for_the_next_call(pool_of: Any) -> None:
    pool = pool_of(count=1)
    first, second = ({outcome.item.number: outcome.answer for outcome in pool.run([Sum(1), Sum(2)])} for _ in range(2))
    assert {number: answer["twice"] for number, answer in first.items()} == {1: 2, 2: 4}
    assert {answer["process"] for answer in (*first.values(), *second.values())} == {first[1]["process"]}
    assert first[1]["threads"] == "3"


def test_no_job_starts_no_worker(pool_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert list(pool_of().run([])) == []


def test_a_death_ends_the_run_and_names_the_job_by_default(pool_of: Any) -> None:
    with pytest.raises(WorkerError, match=r"the worker that did thirteen was killed by signal 9 \(out of memory\?\)"):
        list(pool_of().run([Sum(13, "thirteen")]))


def test_a_job_whose_worker_died_is_given_to_another_worker(pool_of: Any, tmp_path: Path) -> None:
    outcomes = list(pool_of(deadly=3, on_death="retry").run([Sum(number) for number in range(5, 9)]))
    assert sorted((outcome.item.number, outcome.answer["twice"]) for outcome in outcomes) == [
        (5, 10), (6, 12), (7, 14), (8, 16)
    ]  # fmt: skip
    assert [starts(tmp_path, number) for number in range(5, 9)] == [1, 1, 3, 1]


def test_a_job_that_kills_three_workers_is_given_up_and_the_others_are_done(pool_of: Any, tmp_path: Path) -> None:
    outcomes = {one.item.number: one for one in pool_of(on_death="retry").run([Sum(13), Sum(1), Sum(2)])}
    assert outcomes[13].answer is None
    assert outcomes[13].death == "its worker died 3 times (signal 9); it may need more memory than there is"
    assert [outcomes[number].answer["twice"] for number in (1, 2)] == [2, 4]
    assert starts(tmp_path, 13) == 3


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (99, DataError, "^99 is too large$"),
        (98, UnknownNameError, "'98'"),
        (97, RuntimeError, "(?s)a job failed:.*ZeroDivisionError: by 97"),
    ],
)
def test_a_fault_of_a_worker_is_raised_here_with_its_kind_and_words(
    pool_of: Any, number: int, kind: type[Exception], words: str
) -> None:
    pool = pool_of()
    with pytest.raises(kind, match=words):
        list(pool.run([Sum(number)]))
    # The worker itself goes on.
    assert [outcome.answer["twice"] for outcome in pool.run([Sum(4)])] == [8]


def test_closing_ends_workers_in_the_middle_of_their_jobs(program: Any) -> None:
    entry = program("import time\ndef begin(opening):\n    return lambda line: time.sleep(1000)")
    pool: WorkerPool[Sum] = WorkerPool(f"{entry}:begin", {}, count=1, threads=1)
    running = threading.Thread(target=lambda: list(pool.run([Sum(1)])), daemon=True)
    running.start()
    while not pool.processes:
        time.sleep(0.01)
    [process] = pool.processes
    pool.close()
    assert not Path(f"/proc/{process}").exists()


def test_this_process_does_jobs_in_order_and_raises_faults_as_they_are() -> None:
    begun = []

    def begin() -> Any:
        begun.append(1)
        return lambda line: {"quotient": 10 // line["number"]}

    engine: InProcess[Sum] = InProcess(begin)
    assert not begun
    found = [(one.item.number, one.answer) for one in engine.run([Sum(5), Sum(2)])]
    assert found == [(5, {"quotient": 2}), (2, {"quotient": 5})]
    with pytest.raises(ZeroDivisionError):
        list(engine.run([Sum(0)]))
    engine.close()
    assert begun == [1]


def test_this_process_gets_its_threads_back() -> None:
    import torch

    before = torch.get_num_threads()
    engine: InProcess[Sum] = InProcess(lambda: lambda line: {"threads": torch.get_num_threads()}, threads=before + 1)
    [outcome] = engine.run([Sum(1)])
    engine.close()
    assert outcome.answer == {"threads": before + 1}
    assert torch.get_num_threads() == before
