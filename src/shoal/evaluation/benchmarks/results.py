"""What an evaluation found: the figures of each task with their intervals, chance, ties and contamination."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.wording import aligned_rows, joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

    from shoal.statistics import Interval

_NAMED = 3
"""Tasks whose figures stand in the headline; with more it would be no sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One figure of one task."""

    name: str
    """The metric, as the task file calls it."""

    filter: str
    """The chain of filters that generated text went through; ``none`` without one."""

    value: float
    interval: Interval | None
    """None where the figure has none: a corpus score such as BLEU, or a cluster alone."""

    higher_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceTest:
    """What guessing would reach, and whether the model is distinguishable from it."""

    level: float
    """The expected share of right guesses."""

    p_value: float
    """Two-sided and exact, of the first accuracy of the task; over clusters by flipping signs."""

    alpha: float = 0.05

    @property
    def distinguishable(self) -> bool:
        """Whether the model does better or worse than guessing at the level alpha."""
        return self.p_value <= self.alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapResult:
    """Items that stand in the training text."""

    items: int
    """How many share a run of words with it."""

    checked: int
    """Items of three words or more; shorter ones stand in every text, and count as clean."""

    clean_value: float | None
    """The first metric over the other items; None where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task."""

    task: str
    version: str
    output_type: str
    shots: int
    items: int
    metrics: tuple[MetricResult, ...]
    chance: ChanceTest | None
    """None where answers are generated, so that guessing gets nothing right."""

    clusters: int | None
    """How many groups of documents there are; None where each document stands by itself."""

    clustered: bool
    """Whether intervals and test are over these groups: not where they are too few."""

    ties: int
    """Items of which two choices or more have the highest log-likelihood, to the last bit: the first of them counts."""

    near_ties: int
    """Further items whose two best choices differ by less than 1e-4 nats, which rounding may turn."""

    cut: int
    """Items whose prompt lost its beginning, since the model's context is shorter."""

    overlap: OverlapResult | None = None

    def __str__(self) -> str:
        """The figures of the task in a line each, and what must be known of them."""
        lines = [f"{self.task}: {plural(self.items, 'item')}, {plural(self.shots, 'shot')}"]
        lines += [f"  {line}" for line in aligned_rows([_row(metric) for metric in self.metrics], right=(1,))]
        lines += [f"  {note}" for note in self.notes()]
        return "\n".join(lines)

    def notes(self) -> list[str]:
        """What must be known of the figures, in sentences."""
        found = []
        if self.chance is not None:
            verdict = "distinguishable" if self.chance.distinguishable else "not distinguishable"
            found.append(f"{verdict} from chance ({self.chance.level:.3f}); exact p = {self.chance.p_value:.3g}")
        if self.clusters is not None:
            kind = "intervals and test are over them" if self.clustered else "too few, so that each document counts"
            found.append(f"{plural(self.clusters, 'cluster')} of documents: {kind}")
        if self.ties or self.near_ties:
            found.append(
                f"ties: {self.ties} with two best choices of equal log-likelihood (the first counts), {self.near_ties} "
                "within 1e-4 nats"
            )
        if self.cut:
            found.append(f"{plural(self.cut, 'prompt')} longer than the model's context lost the beginning")
        if self.overlap is not None:
            rest = (
                ""
                if self.overlap.clean_value is None or not self.overlap.items
                else f"; without them {self.overlap.clean_value:.4f}"
            )
            found.append(f"{self.overlap.items} of {self.overlap.checked} items stand in the training text{rest}")
        return found


def _row(metric: MetricResult) -> tuple[str, str, str]:
    name = metric.name if metric.filter == "none" else f"{metric.name} ({metric.filter})"
    interval = metric.interval
    ends = "" if interval is None else f"[{interval.low:.4f}, {interval.high:.4f}] at {100 * interval.confidence:g}%"
    return name, "not defined" if math.isnan(metric.value) else f"{metric.value:.4f}", ends


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """A group of tasks: the mean of a figure that all of them have."""

    group: str
    tasks: tuple[str, ...]
    metric: str
    value: float
    weight_by_size: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """An item as a page shows it."""

    task: str
    index: int
    prompt: str
    """The last part of it, where it is long."""

    choices: tuple[str, ...]
    log_likelihoods: tuple[float | None, ...]
    """Of the choices in nats; None where one is impossible."""

    choice: int | None
    gold: Any
    responses: tuple[str, ...]
    value: float | None
    """Under the first metric, where that is a number."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResults:
    """All tasks of an evaluation."""

    model: str
    digest: str
    """SHA-256 of the weights."""

    dtype: str
    tasks: tuple[TaskResult, ...]
    groups: tuple[GroupResult, ...]
    settings: Mapping[str, Any]
    reuses_prefixes: bool
    seconds: float
    """Of computing, those of an earlier part of a resumed run left out."""

    shown: tuple[ShownItem, ...] = ()
    """An even sample of the items for a page, where it was requested."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the items."""
        return {name: value for name, value in asdict(self).items() if name != "shown"}

    def to_frame(self) -> pandas.DataFrame:
        """One row per task and figure: task, metric, filter, value, low, high, items, chance, p_value, ties."""
        import pandas as pd

        rows = [
            {
                "task": task.task,
                "metric": metric.name,
                "filter": metric.filter,
                "value": metric.value,
                "low": metric.interval.low if metric.interval else math.nan,
                "high": metric.interval.high if metric.interval else math.nan,
                "items": task.items,
                "chance": task.chance.level if task.chance else math.nan,
                "p_value": task.chance.p_value if task.chance else math.nan,
                "ties": task.ties,
            }
            for task in self.tasks
            for metric in task.metrics
        ]
        return pd.DataFrame(rows)

    def headline(self) -> str:
        """The result in a sentence."""
        named = [f"{task.metrics[0].name} {task.metrics[0].value:.4g} on {task.task}" for task in self.tasks[:_NAMED]]
        text = f"{self.model} reaches {joined(named)}"
        if others := len(self.tasks) - len(named):
            text += f", and {plural(others, 'task')} more"
        tested = [task for task in self.tasks if task.chance is not None]
        if tested:
            better = sum(task.chance is not None and task.chance.distinguishable for task in tested)
            if len(self.tasks) == 1:
                text += f", which {'differs' if better else 'cannot be told'} from chance"
            else:
                text += f"; it differs from chance on {better} of {plural(len(tested), 'task')} where chance is known"
        return f"{text}."

    def __str__(self) -> str:
        """Every task, then the groups."""
        lines = [f"{self.model} (digest {self.digest[:12]}, {self.dtype})"]
        lines += [str(task) for task in self.tasks]
        lines += [
            f"{group.group}: {group.metric} {group.value:.4f}, the mean of {plural(len(group.tasks), 'task')}"
            f"{' weighted by items' if group.weight_by_size else ''}"
            for group in self.groups
        ]
        return "\n".join(lines)
