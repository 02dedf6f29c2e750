"""Benchmarks as work for shards: planned once, prepared again by each worker, and summarized from merged records."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import StoreError
from shoal.evaluation.benchmarks.blocks import block_runner
from shoal.evaluation.benchmarks.plans import TOKEN_BUDGET
from shoal.evaluation.benchmarks.records import read_records
from shoal.evaluation.benchmarks.run import BenchmarkOptions, prepare, select_tasks, summarize_records
from shoal.evaluation.sharding.plan_file import ShardBlock, ShardPlan, write_plan
from shoal.evaluation.sharding.shard_work import ShardWork, versions
from shoal.models import load_for_scoring
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from shoal.evaluation.benchmarks.library import TaskSelection
    from shoal.evaluation.benchmarks.plans import PreparedBenchmarks
    from shoal.evaluation.benchmarks.results import BenchmarkResults
    from shoal.models import ScoringModel
    from shoal.progress import Progress


class BenchmarkWork(ShardWork):
    """The records of ``shoal eval``.

    Args:
        plan: as `plan_benchmarks` wrote it.
    """

    name: ClassVar[str] = "benchmarks"

    def __init__(self, plan: ShardPlan) -> None:
        model, _, self._prepared = _prepare_again(plan)
        self._stack = ExitStack()
        self._runner = self._stack.enter_context(block_runner(model, self._prepared))

    def score(self, block: ShardBlock) -> Sequence[str]:
        """The records of a block of the benchmarks' own plan."""
        return [record.to_line() for record in self._runner.run(self._prepared.plan.blocks[block.number])]

    def close(self) -> None:
        """Leave the model as it was."""
        self._stack.close()


def plan_benchmarks(
    model: str,
    tasks: Sequence[str],
    out: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    task_folders: Sequence[str | os.PathLike[str]] = (),
    shots: int | None = None,
    limit: int | None = None,
    token_budget: int = TOKEN_BUDGET,
    threads: int = 1,
    device: str = "auto",
    dtype: str = "float32",
    progress: Progress | None = None,
) -> ShardPlan:
    """Plan an evaluation on benchmarks, to be run in shards.

    Args:
        model: a model spec, which every worker must be able to load.
        tasks: names of tasks, groups or tags, or paths of task files.
        out: the plan file.
        data: the folder of local data; None takes ``SHOAL_DATA`` where it is set.
        task_folders: folders of further task files.
        shots: examples before each question; None takes what each task says.
        limit: the first documents of each task alone.
        token_budget: tokens of a block, padding included.
        threads: of torch, in every worker: how a sum is split over threads changes its last bits.
        device: where the model is loaded, here and in every worker: cpu or cuda, or auto, which is chosen here.
        dtype: of the weights.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a task, its data or the model cannot be used; the message says what to do.
    """
    options = BenchmarkOptions(
        # A worker may be started in another folder.
        tasks=tuple(str(Path(task).resolve()) if Path(task).is_file() else task for task in tasks),
        task_folders=tuple(Path(folder).resolve() for folder in task_folders),
        data=None if data is None else Path(data).resolve(),
        shots=shots,
        limit=limit,
        token_budget=token_budget,
    )
    _, items = select_tasks(options)
    loaded = load_for_scoring(model, device=device, dtype=dtype)
    plan = prepare(loaded, items, options, progress or no_progress).plan
    header = {
        "kind": BenchmarkWork.name,
        "model": model,
        "digest": loaded.digest,
        "dtype": dtype,
        # Of this machine: with "auto" shards would be computed on whatever a worker has, which gives other bits.
        "device": loaded.model.device.type,
        "threads": threads,
        "tokenizer": plan.tokenizer,
        "options": _plain_options(options),
        "records_key": plan.key,
        "versions": versions(),
    }
    blocks = (
        ShardBlock(number=block.number, items=block.items, work={"task": block.task, "kind": block.kind})
        for block in plan.blocks
    )
    return write_plan(out, header, blocks)


def summarize_merged(
    plan: ShardPlan,
    records: str | os.PathLike[str],
    *,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> BenchmarkResults:
    """The results of an evaluation that was run in shards.

    Args:
        plan: as `plan_benchmarks` wrote it.
        records: the file that the shards were merged to.
        confidence: of the intervals.
        progress: called with (what, done, total).

    Raises:
        StoreError: the records are not those of the plan, or the plan is for other work than benchmarks.
        ShoalError: the model or the data are not those of the plan.
    """
    if plan.header["kind"] != BenchmarkWork.name:
        raise StoreError(f"{plan.path} is a plan for {plan.header['kind']}, whose records have no figures of their own")
    model, selection, prepared = _prepare_again(plan, progress)
    found = {record.id: record for record in read_records(Path(records))}
    return summarize_records(model, selection, prepared, found, confidence=confidence)


def _prepare_again(
    plan: ShardPlan, progress: Progress | None = None
) -> tuple[ScoringModel, TaskSelection, PreparedBenchmarks]:
    """The model and the items of a plan.

    Raises:
        StoreError: they give another plan.
    """
    header = plan.header
    options = _read_options(header["options"])
    selection, items = select_tasks(options)
    model = load_for_scoring(header["model"], device=header["device"], dtype=header["dtype"])
    prepared = prepare(model, items, options, progress or no_progress)
    if prepared.plan.key != header["records_key"]:
        what = "another model" if model.digest != header["digest"] else "other tasks or data"
        raise StoreError(f"the plan {plan.path} was made of {what}; write it again, or use what it was made of")
    return model, selection, prepared


def _plain_options(options: BenchmarkOptions) -> dict[str, Any]:
    values = dataclasses.asdict(options)
    folders = [str(folder) for folder in options.task_folders]
    return {**values, "task_folders": folders, "data": None if options.data is None else str(options.data)}


def _read_options(values: Mapping[str, Any]) -> BenchmarkOptions:
    return BenchmarkOptions(
        **{
            **values,
            "tasks": tuple(values["tasks"]),
            "task_folders": tuple(map(Path, values["task_folders"])),
            "data": None if values["data"] is None else Path(values["data"]),
        }
    )
