"""Units done by a Ray cluster: one that is there, or one of this machine's cores.

Ray gives a unit whose worker died to another worker. All workers must see the sweep's folder under the same path, and
have shoal installed. What a unit gives is the same as on one machine, bit for bit, where the processors are.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError, UsageError
from shoal.experiments.sweeps.units import begin_units
from shoal.experiments.worker_main import answer_or_fault, raise_fault
from shoal.experiments.workers import MAX_DEATHS, Outcome, died

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shoal.experiments.sweeps.trials import Unit


class RayCluster:
    """A Ray cluster that does units.

    Args:
        folder: the sweep's folder.
        objective: of the sweep.
        count: units under way at the same time; None for as many as the cluster has cores.
        threads: cores, and torch's threads, of each unit.
        gpus: of each unit.
        address: of a cluster that is there, as ``10.0.0.1:6379`` or ``auto``; None starts one on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: there is no cluster at the address.
    """

    def __init__(
        self, folder: Path, objective: str, *, count: int | None, threads: int, gpus: float, address: str | None
    ) -> None:
        # Ray would send statistics of its use, and give its workers the lowest priority of all processes.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("scale", "a sweep on a Ray cluster") from error
        self._ray = ray
        self._opening = {"folder": str(folder.resolve()), "objective": objective, "threads": threads}
        # A cluster that the caller has joined stays as it is.
        self._started = not ray.is_initialized()
        if self._started:
            cores = None if address is not None or count is None else count * threads
            try:
                ray.init(address=address, num_cpus=cores, include_dashboard=False if address is None else None,
                         log_to_driver=False, logging_level="ERROR")  # fmt: skip
            except (ConnectionError, ValueError) as error:
                raise UsageError(
                    f"no Ray cluster answers at {address} ({' '.join(str(error).split())[:160]}); "
                    "start one with: ray start --head, or leave --address out"
                ) from error
        self._count = count or max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
        # Ray counts retries, and `MAX_DEATHS` all attempts.
        self._task = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=MAX_DEATHS - 1)(_unit)

    def run(self, units: Sequence[Unit]) -> Iterator[Outcome[Unit]]:
        """Do the units in any order, at most ``count`` at a time."""
        # Popped from the end, hence reversed: units are begun in their order.
        waiting = list(reversed(units))
        running: dict[Any, Unit] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._count:
                    unit = waiting.pop()
                    running[self._task.remote(self._opening, unit.to_dict())] = unit
                ready, _ = self._ray.wait(list(running), num_returns=1)
                unit = running.pop(ready[0])
                answer, death = self._answer(ready[0])
                if answer is not None:
                    raise_fault(answer)
                yield Outcome(item=unit, answer=answer, death=death)
        finally:
            for task in running:
                self._ray.cancel(task, force=True)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._started:
            self._ray.shutdown()

    def _answer(self, task: Any) -> tuple[dict[str, Any] | None, str]:
        dying = self._ray.exceptions
        try:
            answer: dict[str, Any] = self._ray.get(task)
        except (dying.WorkerCrashedError, dying.OutOfMemoryError, dying.NodeDiedError) as error:
            return None, died(type(error).__name__)
        return answer, ""


def _unit(opening: dict[str, Any], unit: dict[str, Any]) -> dict[str, Any]:
    """What a worker of the cluster does."""
    return answer_or_fault(begin_units(opening), unit)
