"""Worker processes that are started once and take many jobs side by side; or this very process in their place.

Written here, though `concurrent.futures.ProcessPoolExecutor` and `loky` are there, for what neither of them gives:

- **Kill safety.** A worker ends as soon as its standard input does, so that SIGKILL of this process leaves no worker
  that still writes into the run folder. The workers of both libraries live on until they next look at a queue.
- **Locks that workers inherit.** The file descriptor of the run folder's lock is passed to each worker, so that the
  folder stays locked until the last of them is gone, however this process ends.
- **A death is one job's.** An executor is broken for good by one dead worker; here the job of the dead worker is named
  (``on_death="raise"``), or given to a new worker up to `MAX_DEATHS` times (``on_death="retry"``).
- **Plain surroundings.** A worker is a fresh interpreter with its own number of threads: nothing is forked after torch
  has started threads, and nothing is pickled.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from shoal.errors import UsageError, WorkerError
from shoal.experiments.environment import available_cores, has_gpu, set_threads
from shoal.experiments.worker_main import raise_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from shoal.experiments.worker_main import Answering

GRACE = 5.0
"""Seconds that a worker gets to end by itself; one that ends because its input does needs far less than one."""

MAX_DEATHS = 3
"""How many workers may die over a job before it counts as failed: one may have been killed for another's memory."""

OnDeath = Literal["raise", "retry"]
WorkerProcess = subprocess.Popen[str]


class WorkItem(Protocol):
    """What a worker can do."""

    @property
    def title(self) -> str:
        """What an error message calls it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


W = TypeVar("W", bound=WorkItem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[W]):
    """A job that has come to its end."""

    item: W
    answer: dict[str, Any] | None
    """None where its workers died."""

    death: str = ""
    """How they died, in one line; empty where there is an answer."""


class Engine(Protocol[W]):
    """Does jobs that do not depend on each other: worker processes, this process, or a Ray cluster."""

    def run(self, items: Sequence[W]) -> Iterator[Outcome[W]]:
        """Do jobs in any order, and yield each as it ends.

        Raises:
            ShoalError: the first fault that a job met; the jobs in progress are given up.
        """

    def close(self) -> None:
        """Let the workers go."""


class InProcess(Generic[W]):
    """Does one job after the other in this process, for a notebook or a test.

    Args:
        begin: makes what does the jobs; called at the first of them, so that a finished run imports nothing for it.
        threads: torch's threads meanwhile; None leaves them as they are.
    """

    def __init__(self, begin: Callable[[], Answering], *, threads: int | None = None) -> None:
        self._begin, self._threads = begin, threads
        self._answering: Answering | None = None
        self._threads_before: int | None = None

    def run(self, items: Sequence[W]) -> Iterator[Outcome[W]]:
        """Do the jobs in order."""
        for item in items:
            yield Outcome(item=item, answer=self._opened()(item.to_dict()))

    def close(self) -> None:
        """Give torch its threads back."""
        # The number of threads belongs to the whole process, and the caller's own work goes on afterwards.
        if self._threads_before is not None:
            set_threads(self._threads_before)

    def _opened(self) -> Answering:
        if self._answering is None:
            if self._threads is not None:
                import torch

                self._threads_before = torch.get_num_threads()
                set_threads(self._threads)
            self._answering = self._begin()
        return self._answering


class WorkerPool(Generic[W]):
    """Worker processes, started when there is work for them.

    Args:
        entry: ``MODULE:FUNCTION``, as `shoal.experiments.worker_main` takes it.
        opening: the first line that each worker gets.
        count: how many workers.
        threads: of the libraries in each.
        locks: file descriptors that the workers inherit, so that a lock is held until the last of them is gone.
        on_death: what the death of a worker means for its job: the end of the run, or another attempt.
    """

    def __init__(
        self,
        entry: str,
        opening: Mapping[str, Any],
        *,
        count: int,
        threads: int,
        locks: tuple[int, ...] = (),
        on_death: OnDeath = "raise",
    ) -> None:
        self._entry, self._opening = entry, {**opening, "threads": threads}
        self._count, self._threads, self._locks = count, threads, locks
        self._on_death = on_death
        self._workers: dict[int, WorkerProcess] = {}
        self._feeding: list[threading.Thread] = []
        self._closing = False
        self._starting = threading.Lock()

    def run(self, items: Sequence[W]) -> Iterator[Outcome[W]]:
        """Do the jobs in any order.

        Raises:
            ShoalError: the first fault that a job met; the jobs in progress are given up.
            WorkerError: a worker died, and ``on_death`` is ``"raise"``; or none can be started.
        """
        round_ = _Round(deque(items))
        self._feeding = [
            # Daemons: a thread that waits for an answer must not keep an interrupted run from ending.
            threading.Thread(target=self._feed, args=(place, round_), daemon=True)
            for place in range(min(self._count, len(items)))
        ]
        for thread in self._feeding:
            thread.start()
        try:
            for _ in items:
                # In the order in which they end: a long job must not hold back the records of short ones.
                outcome = round_.ended.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                if outcome.answer is not None:
                    raise_fault(outcome.answer)
                yield outcome
        finally:
            # After a fault, or where the caller goes no further: no thread may begin another job.
            round_.waiting.clear()

    @property
    def processes(self) -> tuple[int, ...]:
        """The process ids of the workers that have been started."""
        return tuple(worker.pid for worker in list(self._workers.values()))

    def close(self) -> None:
        """End the workers: an idle one ends by itself, a busy one within seconds."""
        # Without the lock a thread could start a worker after `end_workers` has taken the list of them.
        with self._starting:
            self._closing = True
        end_workers(list(self._workers.values()))
        for thread in self._feeding:
            thread.join()
        self._workers = {}

    def _feed(self, place: int, round_: _Round[W]) -> None:
        """Give one worker job after job, and start another where it dies, until no job is left."""
        while True:
            try:
                item = round_.waiting.popleft()
            except IndexError:
                return
            try:
                worker = self._worker(place)
            except WorkerError as fault:
                round_.ended.put(fault)
                return
            answer = ask(worker, item.to_dict()) if worker is not None else None
            # A worker that was ended by `close` has not died over its job.
            if worker is None or self._closing:
                return
            if answer is not None:
                round_.ended.put(Outcome(item=item, answer=answer))
            elif not self._survives(place, item, round_):
                return

    def _survives(self, place: int, item: W, round_: _Round[W]) -> bool:
        """Handle the death of a worker over a job; whether this thread takes further jobs."""
        # Out of the table before it is waited for, so that the next job at this place starts a fresh one.
        worker = self._workers.pop(place)
        end_workers([worker])
        code = worker.poll()
        if self._on_death == "raise":
            round_.ended.put(WorkerError(_obituary(item, code)))
            return False
        if round_.count_death(item) < MAX_DEATHS:
            # In front: a job that kills its workers shows that early, and not after hours of others.
            round_.waiting.appendleft(item)
        else:
            how = f"signal {-code}" if code and code < 0 else f"exit code {code}"
            round_.ended.put(Outcome(item=item, answer=None, death=died(how)))
        return True

    def _worker(self, place: int) -> WorkerProcess | None:
        """The worker at a place, started where there is none; none is started once the pool is being closed."""
        with self._starting:
            if place not in self._workers and not self._closing:
                self._workers[place] = start_worker(
                    self._entry, self._opening, threads=self._threads, inherited=self._locks
                )
            return self._workers.get(place)


def check_workers(workers: int | None) -> None:
    """Refuse a number of workers below 0.

    Args:
        workers: as `local_engine` takes it.

    Raises:
        UsageError: it is below 0.
    """
    if workers is not None and workers < 0:
        raise UsageError(
            f"--workers is {workers}; give a number of trainings side by side, or 0 for this process alone"
        )


def side_by_side(workers: int | None, *, threads: int = 1, device: str = "cpu") -> int:
    """How many pieces of work are done at the same time on this machine.

    Args:
        workers: that were requested; None for one per core, or for one where there is a GPU; 0 for this process alone.
        threads: of the libraries in each.
        device: where the work runs: auto, cpu or cuda.
    """
    if workers is not None:
        return max(1, workers)
    # Jobs side by side on one GPU would have to share its memory.
    return 1 if device != "cpu" and has_gpu() else max(1, available_cores() // threads)


def local_engine(
    entry: str,
    opening: Mapping[str, Any],
    begin: Callable[[], Answering],
    *,
    workers: int | None,
    threads: int,
    device: str,
    locks: tuple[int, ...] = (),
    on_death: OnDeath = "raise",
) -> Engine[W]:
    """Worker processes on this machine, or this process.

    Args:
        entry: as `WorkerPool` takes it.
        opening: the first line that each worker gets.
        begin: as `InProcess` takes it.
        workers: side by side; None for one per core, or for one where there is a GPU; 0 for this process.
        threads: of the libraries in each.
        device: where the jobs run: auto, cpu or cuda.
        locks: file descriptors that the workers inherit.
        on_death: what the death of a worker means for its job.
    """
    if workers == 0:
        return InProcess(begin, threads=threads)
    count = side_by_side(workers, threads=threads, device=device)
    return WorkerPool(entry, opening, count=count, threads=threads, locks=locks, on_death=on_death)


class _Round(Generic[W]):
    """What the threads of one call of `WorkerPool.run` share."""

    def __init__(self, waiting: deque[W]) -> None:
        self.waiting = waiting
        self.ended: queue.SimpleQueue[Outcome[W] | BaseException] = queue.SimpleQueue()
        # By identity: two jobs of one call may be equal.
        self._deaths: Counter[int] = Counter()

    def count_death(self, item: W) -> int:
        """How many workers have died over this job."""
        self._deaths[id(item)] += 1
        return self._deaths[id(item)]


def died(how: str) -> str:
    """Why a job counts as failed whose workers died."""
    return f"its worker died {MAX_DEATHS} times ({how}); it may need more memory than there is"


def start_worker(
    entry: str, opening: Mapping[str, Any], *, threads: int, inherited: tuple[int, ...] = ()
) -> WorkerProcess:
    """Start a worker process, which serves lines of JSON.

    A worker that dies before it has read its opening line is returned like any other: `ask` then gives None.

    Args:
        entry: ``MODULE:FUNCTION``, as `shoal.experiments.worker_main` takes it.
        opening: its first line.
        threads: of the libraries in it.
        inherited: file descriptors that it inherits.

    Raises:
        WorkerError: no process can be started.
    """
    # The worker imports this very source, installed or not, ahead of another shoal on the path.
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # Several workers with as many threads as cores each would wait for each other.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        worker = subprocess.Popen(
            # -P keeps a file of the working folder, random.py say, from taking the place of a library's.
            [sys.executable, "-P", "-m", "shoal.experiments.worker_main", entry],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            # Ctrl-C is for this process alone; it ends the workers by closing their input.
            process_group=0,
            pass_fds=inherited,
        )
    except OSError as error:
        raise WorkerError(f"no worker process can be started ({error.strerror}); try fewer --workers") from error
    # The next `ask` finds the worker dead, and its caller can name the job.
    with suppress(OSError):
        _send(worker, opening)
    return worker


def ask(worker: WorkerProcess, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """A worker's answer to one line, or None where it died over it or answered what cannot be read.

    Args:
        worker: as `start_worker` gives it.
        message: the line.
    """
    # ValueError: a pipe that `end_workers` has closed meanwhile, or a line that is no JSON.
    with suppress(OSError, ValueError):
        _send(worker, message)
        line = worker.stdout.readline() if worker.stdout is not None else ""
        # A worker that is killed may leave half a line.
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    with suppress(subprocess.TimeoutExpired):
        worker.wait(GRACE)
    return None


def end_workers(workers: Iterable[WorkerProcess]) -> None:
    """End workers: an idle one ends by itself, a busy one within seconds."""
    workers = list(workers)
    for worker in workers:
        with suppress(OSError):
            if worker.stdin is not None:
                # All inputs first: the workers then end side by side, and not one grace period after another.
                worker.stdin.close()
    for worker in workers:
        try:
            worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()


def _send(worker: WorkerProcess, message: Mapping[str, Any]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(message) + "\n")
    worker.stdin.flush()


def _obituary(item: WorkItem, code: int | None) -> str:
    how = f"was killed by signal {-code}" if code is not None and code < 0 else "ended unexpectedly"
    memory = " (out of memory?); try fewer --workers" if code == -signal.SIGKILL else ""
    return (
        f"the worker that did {item.title} {how}{memory}; what was finished is kept, and the same command resumes "
        "from there"
    )
