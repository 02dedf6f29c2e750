"""Workers that are started once and take many jobs, side by side; or this very process, for a notebook or a test."""

from __future__ import annotations

import queue
import signal
import threading
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import shoal.errors as errors
from shoal.errors import ShoalError, WorkerError
from shoal.experiments.processes import ServingProcess, ask, end_workers, start_worker
from shoal.experiments.store import as_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.jobs import Job

    Answered = tuple[Job, ServingProcess, dict[str, Any] | None]


class Pool:
    """Worker processes.

    Args:
        folder: the run folder.
        experiment: what runs in it.
        count: how many workers.
        threads: torch's threads in each.
        lock: the run folder's lock, which the workers hold with us.
    """

    def __init__(self, folder: Path, experiment: Experiment, *, count: int, threads: int, lock: int) -> None:
        self._opening = {"folder": str(folder.resolve()), "experiment": as_table(experiment), "threads": threads}
        self._count = count
        self._threads = threads
        self._lock = lock
        self._workers: list[ServingProcess] = []

    def run(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """Do the jobs in any order; yield the timing of each as it is finished.

        Raises:
            ShoalError: the first fault that a job met; the jobs in progress are given up.
            WorkerError: a worker was killed.
        """
        waiting = deque(jobs)
        answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        while len(self._workers) < min(self._count, len(jobs)):
            self._workers.append(self._started())
        for worker in self._workers:
            threading.Thread(target=_feed, args=(worker, waiting, answers), daemon=True).start()
        try:
            for _ in jobs:
                job, worker, answer = answers.get()
                if answer is None:
                    raise WorkerError(_obituary(job, worker.poll()))
                _raise_fault(answer)
                yield answer["timing"]
        finally:
            waiting.clear()

    def close(self) -> None:
        """End the workers: an idle one ends by itself, a busy one within seconds."""
        end_workers(self._workers)
        self._workers = []

    def _started(self) -> ServingProcess:
        return start_worker("shoal.experiments.worker", self._opening, threads=self._threads, keep=(self._lock,))


class ThisProcess:
    """The jobs done one after the other in this process.

    Args:
        folder: the run folder.
        experiment: what runs in it.
        threads: torch's threads meanwhile.
    """

    def __init__(self, folder: Path, experiment: Experiment, *, threads: int) -> None:
        self._folder = folder
        self._experiment = experiment
        self._threads = threads
        self._bench: Any = None
        self._threads_before = 0

    def run(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """Do the jobs in order; yield the timing of each.

        Raises:
            ShoalError: the first fault that a job met.
        """
        from shoal.experiments.work import Bench
        from shoal.experiments.worker import serve

        if self._bench is None:
            import torch

            self._bench = Bench(self._folder, self._experiment)
            self._threads_before = torch.get_num_threads()
            torch.set_num_threads(self._threads)
        for job in jobs:
            answer = serve(self._bench, job)
            _raise_fault(answer)
            yield answer["timing"]

    def close(self) -> None:
        """Give torch its threads back."""
        if self._bench is not None:
            import torch

            torch.set_num_threads(self._threads_before)


def _feed(worker: ServingProcess, waiting: deque[Job], answers: queue.SimpleQueue[Answered]) -> None:
    """Give a worker job after job until none is left or it dies."""
    while True:
        try:
            job = waiting.popleft()
        except IndexError:
            return
        answer = ask(worker, asdict(job))
        answers.put((job, worker, answer))
        if answer is None:
            return


def _obituary(job: Job, code: int | None) -> str:
    how = f"was killed by signal {-code}" if code is not None and code < 0 else "ended unexpectedly"
    memory = " (out of memory?); try fewer --workers" if code == -signal.SIGKILL else ""
    return (
        f"the worker that did {job.title} {how}{memory}; what was finished is kept, and the same command goes on "
        "from there"
    )


def _raise_fault(answer: dict[str, Any]) -> None:
    if "fault" not in answer:
        return
    kind = getattr(errors, answer["fault"], None) if answer["fault"] else None
    if kind is None:
        raise RuntimeError(f"a job failed:\n{answer['message']}")
    fault = ShoalError.__new__(kind)
    Exception.__init__(fault, answer["message"])
    raise fault
