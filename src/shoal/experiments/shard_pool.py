"""All shards of a plan run by worker processes of this machine, or by a Ray cluster.

A shard whose worker dies is run again and resumes where its file ends; it is given up only where no attempt of a round
got any further.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import UsageError, WorkerError
from shoal.evaluation.sharding import Shard, ShardResult, open_plan, open_work, run_shard, shard_path
from shoal.experiments.environment import available_cores
from shoal.experiments.workers import WorkerPool
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from shoal.evaluation.sharding import ShardPlan
    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress

_ENTRY = "shoal.experiments.shard_pool:begin_shards"
_SHARDS_PER_WORKER = 4
"""So that the last worker is not waited for long, and little is lost with one."""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """A shard that a worker runs."""

    shard: str
    """As ``2/16``."""

    @property
    def title(self) -> str:
        """What an error message calls it."""
        return f"shard {self.shard}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"shard": self.shard}


def run_shards(
    plan: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    shards: int | None = None,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    progress: Progress | None = None,
) -> list[ShardResult]:
    """Run all shards of a plan that are not whole yet.

    Args:
        plan: the plan file.
        folder: where the records go.
        shards: into how many the plan is split; None takes four per worker.
        workers: worker processes; None takes one per core, 0 runs everything in this process.
        engine: ``local``, or ``ray`` for a Ray cluster whose workers see plan and folder under the same paths.
        address: of a Ray cluster that is there; None starts one on this machine.
        progress: called with (what, items done, items in all).

    Raises:
        WorkerError: a shard got no further though it was tried several times.
        MissingExtraError: Ray is not installed.
        UsageError: a number is too small, or an address is given without Ray.
        ShoalError: the first fault that a shard met.
    """
    if workers is not None and workers < (1 if engine == "ray" else 0):
        raise UsageError(f"--workers is {workers}; give a number of processes, 1 or more")
    if address is not None and engine != "ray":
        raise UsageError("--address is that of a Ray cluster; give --engine ray with it")
    if shards is not None and shards < 1:
        raise UsageError(f"--shards is {shards}; give 1 or more")
    opened = open_plan(plan)
    count = shards or _SHARDS_PER_WORKER * max(workers or available_cores(), 1)
    # More shards than blocks would be empty ones.
    count = min(count, opened.block_count)
    opening = {"plan": str(opened.path.resolve()), "folder": str(Path(folder).resolve())}
    if workers == 0:
        return _run_here(opened, Path(folder), count, progress or no_progress)
    pool = _engine(engine, opening, int(opened.header.get("threads", 1)), workers, address)
    try:
        return _run_all(pool, opened, Path(folder), count, progress or no_progress)
    finally:
        pool.close()


def _engine(
    engine: str, opening: Mapping[str, Any], threads: int, workers: int | None, address: str | None
) -> Engine[ShardJob]:
    if engine == "ray":
        from shoal.experiments.ray_engine import RayCluster

        return RayCluster(
            _ENTRY, opening, what="shards on a Ray cluster", count=workers, threads=threads, gpus=0, address=address
        )
    count = workers or max(1, available_cores() // threads)
    return WorkerPool(_ENTRY, opening, count=count, threads=threads, on_death="retry")


def _run_here(plan: ShardPlan, folder: Path, count: int, progress: Progress) -> list[ShardResult]:
    results = []
    with open_work(plan) as work:
        for index in range(1, count + 1):
            results.append(run_shard(plan, Shard(index, count), folder, work.score))
            progress("items", sum(result.items for result in results), plan.item_count)
    return results


def _run_all(
    pool: Engine[ShardJob], plan: ShardPlan, folder: Path, count: int, progress: Progress
) -> list[ShardResult]:
    waiting = [ShardJob(f"{index}/{count}") for index in range(1, count + 1)]
    results: dict[str, ShardResult] = {}
    done = 0
    progress("items", done, plan.item_count)
    while waiting:
        # By the size of its file: a shard that grew was making progress, whatever killed its workers.
        sizes = {job.shard: _size(plan, folder, job) for job in waiting}
        dead: list[tuple[ShardJob, str]] = []
        for outcome in pool.run(waiting):
            if outcome.answer is None:
                dead.append((outcome.item, outcome.death))
                continue
            results[outcome.item.shard] = result = ShardResult(**outcome.answer)
            done += result.items
            progress("items", done, plan.item_count)
        stuck = [(job, death) for job, death in dead if _size(plan, folder, job) <= sizes[job.shard]]
        if stuck:
            job, death = stuck[0]
            raise WorkerError(f"{job.title} got no further: {death}; what is finished is kept, and can be resumed")
        waiting = [job for job, _ in dead]
    return [results[f"{index}/{count}"] for index in range(1, count + 1)]


def _size(plan: ShardPlan, folder: Path, job: ShardJob) -> int:
    path = shard_path(folder, plan, Shard.parse(job.shard))
    return path.stat().st_size if path.exists() else 0


def begin_shards(opening: dict[str, Any]) -> Answering:
    """What a worker does: it loads the model once, and runs shard after shard.

    Args:
        opening: the plan and the folder.
    """
    plan = open_plan(opening["plan"])
    # Never closed: what is open ends with the worker.
    stack = ExitStack()
    work = stack.enter_context(open_work(plan))

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        # The stack goes where the last reference to it does, hence the one here.
        assert stack is not None
        return run_shard(plan, Shard.parse(line["shard"]), opening["folder"], work.score).to_dict()

    return answer
