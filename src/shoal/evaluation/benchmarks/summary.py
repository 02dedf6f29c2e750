"""From records to results: figures with intervals, the test against chance, ties, groups."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.evaluation.benchmarks.chance import guessing_p_value
from shoal.evaluation.benchmarks.results import ChanceTest, GroupResult, MetricResult, TaskResult
from shoal.evaluation.benchmarks.task_metrics import aggregate
from shoal.statistics import (
    DRAWS,
    Interval,
    StudentTest,
    cluster_robust_se,
    percentile_ends,
    resampled_ratios,
    sign_flip_p_value,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shoal.evaluation.benchmarks.library import TaskGroup
    from shoal.evaluation.benchmarks.records import BenchmarkRecord
    from shoal.evaluation.benchmarks.results import OverlapResult
    from shoal.evaluation.benchmarks.task_files import TaskFile
    from shoal.evaluation.benchmarks.task_metrics import MetricSpec

_MIN_CLUSTERS = 6
"""With fewer, no test that flips signs rejects at 0.05, whatever the data."""

_ALIKE = 1e-12
"""Standard errors below this part of the mean are the rounding of values that are all alike."""

NEAR_TIE = 1e-4
"""Nats: log-likelihoods are computed this closely."""


def summarize_task(
    task: TaskFile,
    records: Sequence[BenchmarkRecord],
    *,
    shots: int,
    confidence: float = 0.95,
    overlap: OverlapResult | None = None,
) -> TaskResult:
    """The figures of one task.

    Args:
        task: the task file.
        records: of all of its items, in any order; at least one.
        shots: examples before each question.
        confidence: of the intervals.
        overlap: what the training text holds of the task.

    Raises:
        DataError: there are no records, or their values do not fit the metrics.
    """
    if not records:
        raise DataError(f"there are no records of the task {task.name}")
    # In the order of the documents, so that sums do not depend on how the records were made.
    records = sorted(records, key=lambda record: (record.index, record.id))
    clusters = _clusters(records)
    metrics = tuple(
        _metric(spec, chain.name, records, clusters, confidence) for chain in task.filters for spec in task.metrics
    )
    ties, near = _ties(records) if task.output_type == "multiple_choice" else (0, 0)
    return TaskResult(
        task=task.name,
        version=task.version,
        output_type=task.output_type,
        shots=shots,
        items=len(records),
        metrics=metrics,
        chance=_chance(task, records, clusters),
        clusters=_named_clusters(records),
        clustered=clusters is not None,
        ties=ties,
        near_ties=near,
        cut=sum(record.cut for record in records),
        overlap=overlap,
    )


def _named_clusters(records: Sequence[BenchmarkRecord]) -> int | None:
    """How many clusters there are; None where every document stands by itself."""
    named = {record.cluster for record in records}
    return None if None in named or len(named) == len(records) else len(named)


def _clusters(records: Sequence[BenchmarkRecord]) -> list[str] | None:
    """The cluster of each record; None where there are none, or too few to judge by."""
    if (_named_clusters(records) or 0) < _MIN_CLUSTERS:
        return None
    return [str(record.cluster) for record in records]


def _metric(
    spec: MetricSpec,
    chain: str,
    records: Sequence[BenchmarkRecord],
    clusters: list[str] | None,
    confidence: float,
) -> MetricResult:
    values = [record.metrics[f"{spec.name},{chain}"] for record in records]
    return MetricResult(
        name=spec.name,
        filter=chain,
        value=aggregate(spec, values),
        interval=_interval(spec, values, clusters, confidence),
        higher_is_better=spec.higher_is_better,
    )


def _interval(spec: MetricSpec, values: list[object], clusters: list[str] | None, confidence: float) -> Interval | None:
    """Wilson's of a share, Student's of a mean, the bootstrap's of a ratio, over clusters; None of other figures."""
    if spec.aggregation == "mean":
        numbers = [float(value) for value in values if isinstance(value, (int, float))]
        if len(numbers) < len(values):
            return None
        if clusters is None and set(numbers) <= {0.0, 1.0}:
            return wilson_interval(int(sum(numbers)), len(numbers), confidence=confidence)
        return _mean_interval(numbers, clusters, confidence)
    if spec.aggregation in ("weighted_perplexity", "bits_per_byte", "perplexity"):
        return _ratio_interval(spec, values, clusters, confidence)
    return None


def _mean_interval(numbers: list[float], clusters: list[str] | None, confidence: float) -> Interval | None:
    units = clusters if clusters is not None else [str(place) for place in range(len(numbers))]
    count = len(set(units))
    if count < 2:
        return None
    error = cluster_robust_se(numbers, units)
    mean = math.fsum(numbers) / len(numbers)
    if error <= _ALIKE * abs(mean):
        # Clusters that are all alike say nothing of how far others may be from them; of all right, or all wrong, as
        # much is known as of one item a cluster.
        return wilson_interval(round(mean * count), count, confidence=confidence) if mean in (0.0, 1.0) else None
    low, high = StudentTest(estimate=mean, standard_error=error, freedom=count - 1).interval(confidence)
    if set(numbers) <= {0.0, 1.0}:
        # A share: Student's interval knows nothing of its bounds.
        low, high = max(0.0, low), min(1.0, high)
    return Interval(low, high, confidence)


def _ratio_interval(
    spec: MetricSpec, values: list[object], clusters: list[str] | None, confidence: float
) -> Interval | None:
    import numpy as np

    pairs = [(float(value), 1.0) if isinstance(value, (int, float)) else (value[0], value[1]) for value in values]  # type: ignore[index]
    nats, sizes = zip(*pairs, strict=True)
    # Where the model takes a text for impossible the figure is infinite, and so is what samples give of it.
    if not all(map(math.isfinite, nats)):
        return None
    places = {name: place for place, name in enumerate(dict.fromkeys(clusters or ()))}
    unit_N = [places[name] for name in clusters] if clusters is not None else range(len(values))
    nats_U, sizes_U = (np.bincount(unit_N, weights=part) for part in (nats, sizes))
    drawn_D = resampled_ratios(nats_U, sizes_U, draws=DRAWS)
    low, high = percentile_ends(drawn_D, units=len(nats_U), confidence=confidence)
    if low is None or high is None:
        return None
    # The figures fall as the log-likelihood rises, so that the ends change places.
    high, low = (aggregate(spec, [end] if spec.aggregation == "perplexity" else [(end, 1.0)]) for end in (low, high))
    return Interval(low, high, confidence)


def _chance(task: TaskFile, records: Sequence[BenchmarkRecord], clusters: list[str] | None) -> ChanceTest | None:
    """The test of the first accuracy among choices."""
    name = next((spec.name for spec in task.metrics if spec.name.startswith("acc")), None)
    if task.output_type != "multiple_choice" or name is None:
        return None
    chances = [_guess(record) for record in records]
    right = [float(record.metrics[f"{name},{task.filters[0].name}"]) for record in records]
    if clusters is None:
        # Items may have different numbers of choices, so that this is no binomial test with one share.
        p_value = guessing_p_value(int(sum(right)), chances)
    else:
        gains: dict[str, list[float]] = {}
        for cluster, value, chance in zip(clusters, right, chances, strict=True):
            gains.setdefault(cluster, []).append(value - chance)
        # The mean gain of each cluster: documents on one text are right together.
        p_value = sign_flip_p_value([math.fsum(each) / len(each) for each in gains.values()])
    return ChanceTest(level=math.fsum(chances) / len(chances), p_value=p_value)


def _guess(record: BenchmarkRecord) -> float:
    """The share of choices that are right; where a task of Python names them by their text, as many as it names."""
    golds = record.gold if isinstance(record.gold, list) else [record.gold]
    return len({gold for gold in golds if not isinstance(gold, int) or gold >= 0}) / len(record.choices)


def _ties(records: Sequence[BenchmarkRecord]) -> tuple[int, int]:
    """Items whose best choice is not alone, and items where it nearly is not."""
    counts: Counter[str] = Counter()
    for record in records:
        best = sorted(record.choices, reverse=True)[:2]
        if len(best) == 2:
            counts["tie" if best[0] == best[1] else "near" if best[0] - best[1] < NEAR_TIE else "clear"] += 1
    return counts["tie"], counts["near"]


def summarize_groups(groups: Iterable[TaskGroup], tasks: Mapping[str, TaskResult]) -> tuple[GroupResult, ...]:
    """The mean of the first figure that all tasks of a group have, of each group.

    Args:
        groups: of the selection.
        tasks: the results by task.
    """
    found = []
    for group in groups:
        parts = [tasks[name] for name in group.tasks if name in tasks]
        if not parts:
            continue
        shared = set.intersection(*({(each.name, each.filter) for each in part.metrics} for part in parts))
        for metric in parts[0].metrics:
            if (metric.name, metric.filter) not in shared:
                continue
            values = [
                each.value
                for part in parts
                for each in part.metrics
                if (each.name, each.filter) == (metric.name, metric.filter)
            ]
            by_size = group.weighs_by_size(metric.name)
            weights = [part.items if by_size else 1 for part in parts]
            total = math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
            found.append(
                GroupResult(
                    group=group.name,
                    tasks=tuple(part.task for part in parts),
                    metric=metric.name if metric.filter == "none" else f"{metric.name} ({metric.filter})",
                    value=total,
                    weight_by_size=by_size,
                )
            )
    return tuple(found)
