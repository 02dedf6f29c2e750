"""Units done by processes of this machine. A unit whose worker dies is given to a new one."""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from shoal.errors import WorkerError
from shoal.experiments.processes import ServingProcess, ask, end_workers, start_worker
from shoal.experiments.sweeps.engines import DEATHS, died, raise_fault
from shoal.experiments.sweeps.units import do_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shoal.experiments.sweeps.trials import Unit
    from shoal.progress import Progress

    Ended = tuple[Unit, dict[str, Any] | None, str]


class ThisProcess:
    """One unit after the other in this process, which shows how far each is."""

    def __init__(self, folder: Path, objective: str, *, progress: Progress | None = None) -> None:
        self._folder, self._objective, self._progress = folder, objective, progress

    def run(self, units: Sequence[Unit]) -> Iterator[Ended]:
        """Do the units in order."""
        for unit in units:
            yield unit, do_unit(self._folder, unit.to_dict(), self._objective, self._progress), ""

    def close(self) -> None:
        """Nothing is held."""


class Processes:
    """Worker processes, started once and given unit after unit.

    Args:
        folder: the sweep's folder.
        objective: of the sweep.
        count: how many workers.
        threads: of torch in each.
        lock: of the sweep's folder, which the workers hold with us.
    """

    def __init__(self, folder: Path, objective: str, *, count: int, threads: int, lock: int) -> None:
        self._opening = {"folder": str(folder.resolve()), "objective": objective, "threads": threads}
        self._count, self._threads, self._lock = count, threads, lock
        self._workers: dict[int, ServingProcess] = {}
        self._feeding: list[threading.Thread] = []
        self._closing = False
        self._starting = threading.Lock()

    def run(self, units: Sequence[Unit]) -> Iterator[Ended]:
        """Do the units in any order."""
        waiting, deaths = deque(units), Counter[str]()
        ended: queue.SimpleQueue[Ended | BaseException] = queue.SimpleQueue()
        places = range(min(self._count, len(units)))
        self._feeding = [
            threading.Thread(target=self._feed, args=(place, waiting, deaths, ended), daemon=True) for place in places
        ]
        for thread in self._feeding:
            thread.start()
        try:
            for _ in units:
                got = ended.get()
                if isinstance(got, BaseException):
                    raise got
                if got[1] is not None:
                    raise_fault(got[1])
                yield got
        finally:
            waiting.clear()

    def close(self) -> None:
        """End the workers."""
        with self._starting:  # from here on no thread starts another
            self._closing = True
        end_workers(list(self._workers.values()))
        for thread in self._feeding:
            thread.join()
        self._workers = {}

    def _feed(
        self, place: int, waiting: deque[Unit], deaths: Counter[str], ended: queue.SimpleQueue[Ended | BaseException]
    ) -> None:
        """Give one worker unit after unit, and start another where it dies, until no unit is left."""
        while True:
            try:
                unit = waiting.popleft()
            except IndexError:
                return
            try:
                worker = self._worker(place)
            except WorkerError as fault:
                ended.put(fault)
                return
            answer = ask(worker, unit.to_dict()) if worker is not None else None
            if worker is None or self._closing:
                return
            if answer is not None:
                ended.put((unit, answer, ""))
                continue
            end_workers([self._workers.pop(place)])
            deaths[unit.place] += 1
            if deaths[unit.place] < DEATHS:
                waiting.appendleft(unit)
            else:
                code = worker.poll()
                ended.put((unit, None, died(f"signal {-code}" if code and code < 0 else f"exit code {code}")))

    def _worker(self, place: int) -> ServingProcess | None:
        """The worker at a place, started where there is none; none is started once this is being closed."""
        with self._starting:
            if place not in self._workers and not self._closing:
                self._workers[place] = start_worker(
                    "shoal.experiments.sweeps.worker", self._opening, threads=self._threads, keep=(self._lock,)
                )
            return self._workers.get(place)
