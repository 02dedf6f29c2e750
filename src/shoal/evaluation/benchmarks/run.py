"""The evaluation of a model on benchmarks: tasks are selected, planned, run block by block, and summarized."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.corpora import find_contamination, read_documents
from shoal.errors import DataError, UsageError
from shoal.evaluation.benchmarks.blocks import block_runner
from shoal.evaluation.benchmarks.documents import DataFolders
from shoal.evaluation.benchmarks.items import build_items
from shoal.evaluation.benchmarks.library import TaskLibrary, TaskSelection
from shoal.evaluation.benchmarks.plans import TOKEN_BUDGET, make_plan
from shoal.evaluation.benchmarks.results import BenchmarkResults, OverlapResult
from shoal.evaluation.benchmarks.samples import shown_items, write_samples
from shoal.evaluation.benchmarks.store import RecordStore, ordered_items
from shoal.evaluation.benchmarks.summary import summarize_groups, summarize_task
from shoal.evaluation.benchmarks.task_metrics import aggregate
from shoal.models import load_for_scoring
from shoal.progress import no_progress
from shoal.statistics import check_confidence

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from shoal.evaluation.benchmarks.items import TaskItems
    from shoal.evaluation.benchmarks.plans import PlannedTask, PreparedBenchmarks
    from shoal.evaluation.benchmarks.records import BenchmarkRecord
    from shoal.models import ScoringModel
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """What is evaluated, and how."""

    tasks: tuple[str, ...]
    """Names of tasks, groups or tags, or paths of task files."""

    task_folders: tuple[Path, ...] = ()
    data: Path | None = None
    """The folder of local data; None takes ``SHOAL_DATA``."""

    shots: int | None = None
    limit: int | None = None
    token_budget: int = TOKEN_BUDGET


def select_tasks(options: BenchmarkOptions) -> tuple[TaskSelection, list[TaskItems]]:
    """The task files that the options name, and the items of each.

    Raises:
        ShoalError: a task is unknown or cannot be read, or its data cannot.
    """
    if not options.tasks:
        raise UsageError("no task is given; name some with --tasks, and see them all with --tasks list")
    selection = TaskLibrary(options.task_folders).select(options.tasks)
    folders = DataFolders(options.data)
    items = [build_items(task, folders, shots=options.shots, limit=options.limit) for task in selection.tasks.values()]
    return selection, items


def prepare(
    model: ScoringModel, items: Sequence[TaskItems], options: BenchmarkOptions, progress: Progress
) -> PreparedBenchmarks:
    """The plan of an evaluation with the contents of its items.

    Args:
        model: what `load_for_scoring` gives.
        items: as `select_tasks` gives them.
        options: the same.
        progress: called with (what, done, total).

    Raises:
        ShoalError: as `make_plan` does.
    """
    settings = {"shots": options.shots, "limit": options.limit}
    return make_plan(model, items, token_budget=options.token_budget, settings=settings, progress=progress)


def evaluate_benchmarks(
    model: str | ScoringModel,
    tasks: Sequence[str],
    *,
    data: str | os.PathLike[str] | None = None,
    task_folders: Sequence[str | os.PathLike[str]] = (),
    shots: int | None = None,
    limit: int | None = None,
    train_text: str | os.PathLike[str] | None = None,
    samples: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    confidence: float = 0.95,
    token_budget: int = TOKEN_BUDGET,
    device: str = "auto",
    dtype: str = "float32",
    keep_items: bool = False,
    progress: Progress | None = None,
) -> BenchmarkResults:
    """Evaluate a model on benchmarks.

    Args:
        model: a model spec, or what `load_for_scoring` gives.
        tasks: names of tasks, groups or tags, or paths of task files.
        data: the folder of local data; None takes ``SHOAL_DATA`` where it is set.
        task_folders: folders of further task files.
        shots: examples before each question; None takes what each task says.
        limit: the first documents of each task alone.
        train_text: what the model was trained on, as `read_documents` takes it, to look for the items in.
        samples: a file to write every item to, with its prompt, as JSON lines.
        out: a folder for the records; a run that was killed resumes from it.
        confidence: of the intervals.
        token_budget: tokens of a batch, padding included.
        device: where a model spec is loaded: auto, cpu or cuda.
        dtype: of the weights of a model spec.
        keep_items: put a sample of the items into the result, for a page.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a task, its data or the model cannot be used; the message says what to do.
    """
    check_confidence(confidence)
    report = progress or no_progress
    options = BenchmarkOptions(
        tasks=tuple(tasks),
        task_folders=tuple(map(Path, task_folders)),
        data=None if data is None else Path(data),
        shots=shots,
        limit=limit,
        token_budget=token_budget,
    )
    if train_text is not None:
        # Now, and not when hours of work are done: a text that cannot be read is met at its first document.
        next(iter(read_documents(str(train_text))), None)
    selection, items = select_tasks(options)
    loaded = load_for_scoring(model, device=device, dtype=dtype) if isinstance(model, str) else model
    prepared = prepare(loaded, items, options, report)
    started = time.perf_counter()
    records, reuses = run_plan(loaded, prepared, out, report)
    seconds = time.perf_counter() - started
    if samples is not None:
        write_samples(Path(samples), prepared, records)
    overlaps = {} if train_text is None else _overlaps(prepared, records, str(train_text))
    found = summarize_records(loaded, selection, prepared, records, overlaps=overlaps, confidence=confidence)
    shown = shown_items(prepared, records) if keep_items else ()
    return replace(found, reuses_prefixes=reuses, seconds=seconds, shown=shown)


def run_plan(
    model: ScoringModel, prepared: PreparedBenchmarks, out: str | os.PathLike[str] | None, progress: Progress
) -> tuple[dict[str, BenchmarkRecord], bool]:
    """Run the blocks of a plan that are not done yet.

    Args:
        model: what `load_for_scoring` gives.
        prepared: as `prepare` gives it.
        out: the folder of the records; None writes none.
        progress: called with (what, done, total).

    Returns:
        The records by item, and whether shared beginnings were computed once.
    """
    plan = prepared.plan
    store = None if out is None else RecordStore(out, plan)
    records = {} if store is None else store.load()
    # The store gives whole blocks alone, so that the first item stands for all.
    left = [block for block in plan.blocks if block.items[0] not in records]
    progress("items", len(records), plan.items)
    with ExitStack() as stack:
        runner = stack.enter_context(block_runner(model, prepared))
        file = None if store is None else stack.enter_context(store.open())
        for block in left:
            found = runner.run(block)
            if store is not None and file is not None:
                store.append(file, found)
            records |= {record.id: record for record in found}
            progress("items", len(records), plan.items)
    if store is not None:
        store.finish(records)
    return records, runner.reuses_prefixes


def _overlaps(
    prepared: PreparedBenchmarks, records: dict[str, BenchmarkRecord], source: str
) -> dict[str, OverlapResult]:
    """What a training text holds of each task: the texts of its documents, without examples and instructions."""
    owners: list[tuple[str, str]] = [(name, item) for name, task in prepared.tasks.items() for item in task.by_id]
    texts = [_own_text(prepared.tasks[name], item) for name, item in owners]
    found = find_contamination(read_documents(source), texts)
    dirty = {owners[place][1] for place in found.contaminated}
    unchecked = {owners[place][1] for place in found.unchecked}
    results = {}
    for name, task in prepared.tasks.items():
        spec, chain = task.items.task.metrics[0], task.items.task.filters[0].name
        clean = [records[item].metrics[f"{spec.name},{chain}"] for item in task.by_id if item not in dirty]
        results[name] = OverlapResult(
            items=sum(item in dirty for item in task.by_id),
            checked=sum(item not in unchecked for item in task.by_id),
            clean_value=aggregate(spec, clean) if clean else None,
        )
    return results


def _own_text(task: PlannedTask, item: str) -> str:
    """The texts of an item's document, without the examples and instructions that all items share."""
    values = task.by_id[item].document.values()
    return "\n".join(value for value in values if isinstance(value, str))


def summarize_records(
    model: ScoringModel,
    selection: TaskSelection,
    prepared: PreparedBenchmarks,
    records: Mapping[str, BenchmarkRecord],
    *,
    overlaps: Mapping[str, OverlapResult] | None = None,
    confidence: float = 0.95,
) -> BenchmarkResults:
    """The results of an evaluation whose records are all there.

    Args:
        model: what `load_for_scoring` gives.
        selection: as `select_tasks` gives it.
        prepared: as `prepare` gives it.
        records: by item.
        overlaps: of each task with a training text.
        confidence: of the intervals.

    Raises:
        DataError: an item has no record.
    """
    if missing := [item for item in ordered_items(prepared.plan.blocks) if item not in records]:
        raise DataError(f"{len(missing)} items have no record, {missing[0]} first; run the same command again")
    tasks = {}
    for name, task in prepared.tasks.items():
        tasks[name] = summarize_task(
            task.items.task,
            [records[item] for item in task.by_id],
            shots=task.items.shots,
            confidence=confidence,
            overlap=(overlaps or {}).get(name),
        )
    return BenchmarkResults(
        model=model.spec,
        digest=model.digest,
        dtype=prepared.plan.dtype,
        tasks=tuple(tasks.values()),
        groups=summarize_groups(selection.groups.values(), tasks),
        settings=prepared.plan.settings,
        reuses_prefixes=False,
        seconds=0.0,
    )
