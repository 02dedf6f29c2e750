"""Jobs done by a Ray cluster: one that is there, or one of this machine's cores.

Ray gives a job whose worker died to another worker. All workers must see the same folders under the same paths, and
have shoal installed. What a job gives is the same as on one machine, bit for bit, where the processors are.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
from typing import TYPE_CHECKING, Any, Generic

from shoal.errors import MissingExtraError, UsageError
from shoal.experiments.worker_main import answer_or_fault, raise_fault
from shoal.experiments.workers import MAX_DEATHS, Outcome, W, died

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.experiments.worker_main import Answering


class RayCluster(Generic[W]):
    """A Ray cluster that does jobs.

    Args:
        entry: ``MODULE:FUNCTION``, as `shoal.experiments.worker_main` takes it.
        opening: the first line that each worker gets.
        what: the work, for the message where Ray is not installed.
        count: jobs in progress at the same time; None for as many as the cluster has cores.
        threads: cores, and torch's threads, of each job.
        gpus: of each job.
        address: of a cluster that is there, as ``10.0.0.1:6379`` or ``auto``; None starts one on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: there is no cluster at the address.
    """

    def __init__(
        self,
        entry: str,
        opening: Mapping[str, Any],
        *,
        what: str,
        count: int | None,
        threads: int,
        gpus: float,
        address: str | None,
    ) -> None:
        # Ray would send statistics of its use, and give its workers the lowest priority of all processes.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("scale", what) from error
        self._ray = ray
        # As text, since it is the key of the worker's cache.
        self._entry, self._opening = entry, json.dumps({**opening, "threads": threads}, sort_keys=True)
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
        self._task = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=MAX_DEATHS - 1)(_do)

    def run(self, items: Sequence[W]) -> Iterator[Outcome[W]]:
        """Do the jobs in any order, at most ``count`` at a time."""
        # Popped from the end, hence reversed: jobs are begun in their order.
        waiting = list(reversed(items))
        running: dict[Any, W] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._count:
                    item = waiting.pop()
                    running[self._task.remote(self._entry, self._opening, item.to_dict())] = item
                ready, _ = self._ray.wait(list(running), num_returns=1)
                item = running.pop(ready[0])
                answer, death = self._answer(ready[0])
                if answer is not None:
                    raise_fault(answer)
                yield Outcome(item=item, answer=answer, death=death)
        finally:
            for task in running:
                # By force: a training does not look for a request to stop, and its cores would be gone for the caller's
                # next work.
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


# One entry and opening: a worker that is given the next job has loaded what it needs already.
@functools.lru_cache(maxsize=1)
def _begin(entry: str, opening: str) -> Answering:
    module, _, function = entry.partition(":")
    begun: Answering = getattr(importlib.import_module(module), function)(json.loads(opening))
    return begun


def _do(entry: str, opening: str, job: dict[str, Any]) -> dict[str, Any]:
    """What a worker of the cluster does."""
    return answer_or_fault(lambda line: _begin(entry, opening)(line), job)
