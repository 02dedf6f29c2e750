"""The smallest sufficient dimension of word vectors, found by validation: by task, with intervals and cost.

Vectors are trained at every dimension of a grid. A task chooses its best dimension on its validation items; on its test
items every dimension is compared with that one, item by item, by the paired bootstrap. A dimension is *worse* where the
interval of its loss lies above zero, *as good* where it lies below the smallest effect that matters, and *open*
otherwise: then the data are too few.

Shapes: R bootstrap resamples.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from shoal.errors import UsageError
from shoal.insight.options import DEFAULTS
from shoal.statistics import percentile_interval, resampled_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas

    from shoal.insight.options import AnalysisOptions
    from shoal.insight.vectors.vector_tasks import Kind, TaskOutcome, VectorTask
    from shoal.text.vectors import WordVectors

Standing = Literal["worse", "open", "as good"]
ClaimVerdict = Literal["supported", "refuted", "underpowered"]
# An end of a 95% interval is then the 25th of them, which moves little; each draw judges all items again.
_DRAWS = 1000
_LOW, _HIGH = 50, 100
"""The dimensions of the claims that are tested; see docs/vectors.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionScore:
    """One dimension in one task, on the test items."""

    dimension: int
    chosen_by: float
    """The score on the validation items, mean over the seeds."""

    score: float
    """The score on the test items, mean over the seeds."""

    loss: float
    """The score at the best dimension minus this one."""

    low: float
    high: float
    """Ends of the interval of the loss."""

    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionFinding:
    """What was found in one task."""

    task: str
    kind: Kind
    items: int
    """Number of test items."""

    scores: tuple[DimensionScore, ...]
    best: int
    """The dimension with the best score on the validation items."""

    enough: int | None
    """The smallest dimension below the best that is as good; None where none could be shown to be."""

    claim: str
    """The common expectation of such a task."""

    verdict: ClaimVerdict
    """On the claim, by comparing the best dimension inside its range with the best outside, both chosen by validation.
    ``underpowered`` too where the grid has none of either."""

    items_needed: int | None
    """About how many items would settle what is open; None where nothing is."""

    def __str__(self) -> str:
        lines = [f"{self.task} ({self.items} test items): best by validation {self.best}"]
        lines += [
            f"  {each.dimension:5}  {each.score:.3f}  loss {each.loss:+.3f} [{each.low:+.3f}, {each.high:+.3f}]  "
            f"{each.standing}"
            for each in self.scores
        ]
        enough = "no smaller one is shown to be as good" if self.enough is None else f"{self.enough} is enough"
        few = "" if self.items_needed is None else f"; too few items, about {self.items_needed:,} settle it"
        return "\n".join([*lines, f"  {enough}{few}", f"  claim: {self.claim}: {self.verdict}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionCost:
    """The cost of the vectors of one dimension."""

    dimension: int
    seconds: float
    """CPU-seconds of the training, mean over the seeds."""

    bytes: int
    """Size of the vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionReport:
    """What `find_dimension` returns."""

    findings: tuple[DimensionFinding, ...]
    costs: tuple[DimensionCost, ...]
    seeds: int
    min_effect: float
    """The smallest loss that matters."""

    confidence: float

    def __str__(self) -> str:
        costs = [
            f"  {cost.dimension:5}  {cost.seconds:8.1f} CPU-seconds  {cost.bytes / 2**20:7.1f} MiB"
            for cost in self.costs
        ]
        return "\n".join([*(f"\n{finding}" for finding in self.findings), "\ncost", *costs])

    def to_frame(self) -> pandas.DataFrame:
        """A row per task and dimension."""
        import pandas

        rows = [{"task": finding.task, **asdict(score)} for finding in self.findings for score in finding.scores]
        return pandas.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def find_dimension(
    train: Callable[[int, int], WordVectors],
    tasks: Sequence[VectorTask],
    dimensions: Sequence[int] = (10, 25, 50, 100, 200, 300),
    *,
    seeds: int = 1,
    few_sentences: bool = False,
    min_effect: float = 0.02,
    options: AnalysisOptions = DEFAULTS,
) -> DimensionReport:
    """Train vectors over a grid of dimensions and find which are worse than the best, task by task.

    Args:
        train: from a dimension and a seed to vectors.
        tasks: the tasks on which the vectors are evaluated.
        dimensions: the grid, at least two.
        seeds: trainings at each dimension; a score is their mean.
        few_sentences: the corpus has fewer than 100,000 sentences, for which 50 to 100 dimensions are expected.
        min_effect: the smallest loss that matters; below it a dimension is as good.
        options: level of the intervals, and progress callback.

    Raises:
        UsageError: a grid of fewer than two dimensions, no task, or an invalid number.
        DataError: the vectors know too few items of a task.
    """
    grid = sorted(set(dimensions))
    if len(grid) < 2 or grid[0] < 1 or not tasks or seeds < 1 or min_effect <= 0:
        raise UsageError(
            "a dimension is found among at least two by at least one task, with one seed or more and a loss that "
            f"matters above 0; not among {grid} by {len(tasks)} tasks, {seeds} seeds and {min_effect}"
        )
    outcomes: dict[tuple[int, int], list[tuple[TaskOutcome, TaskOutcome]]] = {}
    costs = []
    for done, dimension in enumerate(grid, 1):
        spent = []
        for seed in range(seeds):
            # CPU-seconds, so that other work on the machine does not count.
            started = time.process_time()
            vectors = train(dimension, seed)
            spent.append(time.process_time() - started)
            for place, task in enumerate(tasks):
                outcomes.setdefault((place, dimension), []).append(task.judge(vectors))
        costs.append(DimensionCost(dimension=dimension, seconds=float(np.mean(spent)), bytes=vectors.matrix.nbytes))
        options.progress("dimensions", done, len(grid))
    limits = _Limits(min_effect, options.confidence)
    findings = tuple(
        _find(task, {d: outcomes[place, d] for d in grid}, _claim(task.kind, few_sentences=few_sentences), limits)
        for place, task in enumerate(tasks)
    )
    return DimensionReport(
        findings=findings, costs=tuple(costs), seeds=seeds, min_effect=min_effect, confidence=options.confidence
    )


class _Claim(NamedTuple):
    """A common expectation of a task."""

    text: str
    inside: range
    """The dimensions it speaks of."""

    suffices: bool
    """Whether the claim is that they are enough, or that they are too few."""


class _Limits(NamedTuple):
    """What a loss is compared with."""

    min_effect: float
    confidence: float


def _find(
    task: VectorTask, outcomes: dict[int, list[tuple[TaskOutcome, TaskOutcome]]], claim: _Claim, limits: _Limits
) -> DimensionFinding:
    """One task's finding."""
    chosen_by = {d: float(np.mean([chosen.score for chosen, _ in runs])) for d, runs in outcomes.items()}
    best = max(chosen_by, key=lambda d: (chosen_by[d], -d))  # the smaller one at a tie
    items = outcomes[best][0][1].items
    # The same resamples for every dimension, so that the bootstrap is paired.
    draws = resampled_places(items, draws=_DRAWS)
    drawn = {
        d: np.mean([[run.statistic(draw) for draw in draws] for _, run in runs], axis=0) for d, runs in outcomes.items()
    }
    whole = {d: float(np.mean([run.score for _, run in runs])) for d, runs in outcomes.items()}
    scores = []
    for d in outcomes:
        low, high, standing = _compare(drawn[best], drawn[d], limits)
        scores.append(
            DimensionScore(
                dimension=d,
                chosen_by=chosen_by[d],
                score=whole[d],
                loss=whole[best] - whole[d],
                low=low,
                high=high,
                standing=standing,
            )
        )
    # Larger ones may be as good too, but then the best is enough itself.
    good = [each.dimension for each in scores if each.standing == "as good" and each.dimension < best]
    return DimensionFinding(
        task=task.name,
        kind=task.kind,
        items=items,
        scores=tuple(scores),
        best=best,
        enough=min(good, default=None),
        claim=claim.text,
        verdict=_judge_claim(claim, chosen_by, drawn, limits),
        items_needed=_items_needed(scores, items, limits.min_effect),
    )


def _compare(reference_R: np.ndarray, other_R: np.ndarray, limits: _Limits) -> tuple[float, float, Standing]:
    """The interval of the loss of one dimension against another over the resamples, and its standing."""
    low, high = percentile_interval(reference_R - other_R, limits.confidence)
    return low, high, "worse" if low > 0 else "as good" if high < limits.min_effect else "open"


def _claim(kind: Kind, *, few_sentences: bool) -> _Claim:
    if few_sentences:
        text = f"{_LOW} to {_HIGH} dimensions are enough below 100,000 sentences"
        return _Claim(text, range(_LOW, _HIGH + 1), suffices=True)
    if kind == "part of speech":
        return _Claim(f"at most {_LOW} dimensions are enough", range(1, _LOW + 1), suffices=True)
    return _Claim(f"fewer than {_HIGH} dimensions are too few", range(1, _HIGH), suffices=False)


def _judge_claim(
    claim: _Claim, chosen_by: dict[int, float], drawn: dict[int, np.ndarray], limits: _Limits
) -> ClaimVerdict:
    """Compare the best dimension inside the claim's range with the best outside, both chosen by validation."""
    inside, outside = ([d for d in chosen_by if (d in claim.inside) is wanted] for wanted in (True, False))
    if not inside or not outside:
        return "underpowered"
    candidate, rival = (max(each, key=lambda d: (chosen_by[d], -d)) for each in (inside, outside))
    _, _, standing = _compare(drawn[rival], drawn[candidate], limits)
    if standing == "open":
        return "underpowered"
    return "supported" if (standing == "as good") is claim.suffices else "refuted"


def _items_needed(scores: Sequence[DimensionScore], items: int, min_effect: float) -> int | None:
    """Items at which the widest open interval would be as wide as the effect; widths shrink with the root of items."""
    widest = max(((each.high - each.low) / 2 for each in scores if each.standing == "open"), default=None)
    # Half the width is half the effect then: an interval as wide as the effect leaves out either 0 or the effect.
    return None if widest is None else int(np.ceil(items * (2 * widest / min_effect) ** 2))
