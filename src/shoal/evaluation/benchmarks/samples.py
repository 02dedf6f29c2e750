"""The items of an evaluation for people: all of them in a file, or an even sample for a page."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.evaluation.benchmarks.results import ShownItem
from shoal.files import atomic_file
from shoal.statistics import even_sample
from shoal.textfiles import finite

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from shoal.evaluation.benchmarks.plans import PlannedTask, PreparedBenchmarks
    from shoal.evaluation.benchmarks.records import BenchmarkRecord

_SHOWN_ITEMS = 1000
"""Of a page, which must stay light."""

_SHOWN_CHARACTERS = 1200
"""Of a prompt: its end, since examples stand before the question."""


def write_samples(
    path: str | os.PathLike[str], prepared: PreparedBenchmarks, records: Mapping[str, BenchmarkRecord]
) -> None:
    """Write every item as a line of JSON: its record, and what the model was given.

    Args:
        path: the file.
        prepared: the plan with the contents of its items.
        records: by item.
    """
    with atomic_file(Path(path)) as partial, partial.open("w", encoding="utf-8") as file:
        for block in prepared.plan.blocks:
            for item in block.items:
                line = records[item].to_dict() | finite(_given(prepared.tasks[block.task], item))
                file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")


def _given(task: PlannedTask, item: str) -> dict[str, Any]:
    """What the model was given of an item: its document and its requests."""
    found = task.by_id[item]
    return {
        "document": dict(found.document),
        "choices": list(found.choices),
        "requests": [{"context": context, "continuation": text} for context, text in found.requests],
    }


def shown_items(prepared: PreparedBenchmarks, records: Mapping[str, BenchmarkRecord]) -> tuple[ShownItem, ...]:
    """An even sample of the items, task by task in the order of the documents.

    Args:
        prepared: the plan with the contents of its items.
        records: by item.
    """
    places = [(task, item) for task in prepared.tasks.values() for item in task.by_id]
    return tuple(_shown(task, item, records[item]) for task, item in even_sample(places, _SHOWN_ITEMS))


def _shown(task: PlannedTask, name: str, record: BenchmarkRecord) -> ShownItem:
    item = task.by_id[name]
    context, text = item.requests[0]
    prompt = context or (text if not item.choices else "")
    value = next(iter(record.metrics.values()), None)
    nats = record.log_likelihoods[: len(item.choices)]
    return ShownItem(
        task=record.task,
        index=record.index,
        prompt=prompt[-_SHOWN_CHARACTERS:],
        choices=item.choices,
        log_likelihoods=tuple(nat if math.isfinite(nat) else None for nat in nats),
        choice=record.choice,
        gold=record.gold,
        responses=record.responses,
        value=float(value) if isinstance(value, (int, float)) else None,
    )
