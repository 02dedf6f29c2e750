"""How many dimensions word vectors need, found by validation: by task, with intervals and cost.

Vectors are trained at every dimension of a grid. A task chooses its best dimension on one part of its items; on another
part every dimension is compared with that one, item by item, by the paired bootstrap. A dimension is *worse* where the
interval of its loss lies above zero, *as good* where it lies below what matters, and *open* otherwise: then the data
are too few to tell.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.errors import UsageError
from shoal.statistics import check_confidence, percentile_interval, resampled_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.insight.vectors.labelled import Kind, Outcome, VectorTask
    from shoal.progress import Progress
    from shoal.text.vectors import WordVectors

Standing = Literal["worse", "open", "as good"]
Verdict = Literal["supported", "refuted", "underpowered"]
_DRAWS = 1000
_LOW, _HIGH = 50, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionScore:
    """One dimension in one task, on the part to report on."""

    dimension: int
    chosen_by: float
    """The score on the part to choose by, the mean over the seeds."""

    score: float
    """On the part to report on, the mean over the seeds."""

    loss: float
    """How much less that is than at the best dimension."""

    low: float
    high: float
    """The interval of the loss."""

    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionFinding:
    """What a task says."""

    task: str
    kind: Kind
    items: int
    """Of the part to report on."""

    scores: tuple[DimensionScore, ...]
    best: int
    """The dimension with the best score on the part to choose by."""

    enough: int | None
    """The smallest dimension that is as good; None where no other than the best could be shown to be."""

    claim: str
    """What is commonly expected of such a task."""

    verdict: Verdict
    """Of the claim: the best dimension it speaks of beside the best of the others, both chosen by validation.
    ``underpowered`` too where the grid has none of either."""

    items_needed: int | None
    """About how many items would settle what is open; None where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionCost:
    """What the vectors of one dimension cost."""

    dimension: int
    seconds: float
    """CPU-seconds of the training, the mean over the seeds."""

    bytes: int
    """Of the vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionReport:
    """What `find_dimension` returns."""

    findings: tuple[DimensionFinding, ...]
    costs: tuple[DimensionCost, ...]
    seeds: int
    matters: float
    confidence: float

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
    matters: float = 0.02,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> DimensionReport:
    """Train vectors over a grid of dimensions and see which are worse, task by task.

    Args:
        train: makes vectors of a dimension with a seed.
        tasks: what the vectors are put to.
        dimensions: the grid, at least two.
        seeds: trainings at each dimension; a score is their mean.
        few_sentences: the corpus has fewer than 100,000 sentences, for which 50 to 100 dimensions are expected.
        matters: the smallest loss that matters; below it a dimension is as good.
        confidence: the confidence of the intervals.
        progress: called with (what, done, total).

    Raises:
        UsageError: a grid of fewer than two dimensions, no task, or a number that cannot be.
        DataError: the vectors know too few items of a task.
    """
    check_confidence(confidence)
    grid = sorted(set(dimensions))
    if len(grid) < 2 or grid[0] < 1 or not tasks or seeds < 1 or matters <= 0:
        raise UsageError(
            "a dimension is found among at least two by at least one task, with one seed or more and a loss that "
            f"matters above 0; not among {grid} by {len(tasks)} tasks, {seeds} seeds and {matters}"
        )
    outcomes: dict[tuple[int, int], list[tuple[Outcome, Outcome]]] = {}
    costs = []
    for done, dimension in enumerate(grid):
        spent = []
        for seed in range(seeds):
            started = time.process_time()
            vectors = train(dimension, seed)
            spent.append(time.process_time() - started)
            for place, task in enumerate(tasks):
                outcomes.setdefault((place, dimension), []).append(task.judge(vectors))
        costs.append(DimensionCost(dimension=dimension, seconds=float(np.mean(spent)), bytes=vectors.matrix.nbytes))
        if progress is not None:
            progress("dimensions", done + 1, len(grid))
    findings = [
        _find(
            task,
            {d: outcomes[place, d] for d in grid},
            few_sentences=few_sentences,
            matters=matters,
            confidence=confidence,
        )
        for place, task in enumerate(tasks)
    ]
    return DimensionReport(
        findings=tuple(findings), costs=tuple(costs), seeds=seeds, matters=matters, confidence=confidence
    )


def _find(
    task: VectorTask,
    outcomes: dict[int, list[tuple[Outcome, Outcome]]],
    *,
    few_sentences: bool,
    matters: float,
    confidence: float,
) -> DimensionFinding:
    """One task's finding."""
    chosen_by = {d: float(np.mean([chosen.score for chosen, _ in runs])) for d, runs in outcomes.items()}
    best = max(chosen_by, key=lambda d: (chosen_by[d], -d))
    items = outcomes[best][0][1].items
    draws = resampled_places(items, draws=_DRAWS)
    drawn = {
        d: np.mean([[run.statistic(draw) for draw in draws] for _, run in runs], axis=0) for d, runs in outcomes.items()
    }
    whole = {d: float(np.mean([run.score for _, run in runs])) for d, runs in outcomes.items()}
    scores = []
    for d in outcomes:
        low, high, standing = _compare(drawn[best], drawn[d], matters, confidence)
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
    good = [each.dimension for each in scores if each.standing == "as good" and each.dimension != best]
    claim, inside = _claim(task.kind, few_sentences=few_sentences)
    return DimensionFinding(
        task=task.name,
        kind=task.kind,
        items=items,
        scores=tuple(scores),
        best=best,
        enough=min(good, default=None),
        claim=claim,
        verdict=_judge_claim(claim, inside, chosen_by, drawn, matters, confidence),
        items_needed=_needed(scores, items, matters),
    )


def _compare(
    reference_R: np.ndarray, other_R: np.ndarray, matters: float, confidence: float
) -> tuple[float, float, Standing]:
    """The interval of how much less the other scores than the reference, over the draws, and what it says."""
    low, high = percentile_interval(reference_R - other_R, confidence)
    return low, high, "worse" if low > 0 else "as good" if high < matters else "open"


def _claim(kind: Kind, *, few_sentences: bool) -> tuple[str, range]:
    """What is expected, and the dimensions that it says suffice, or do not."""
    if few_sentences:
        return f"{_LOW} to {_HIGH} dimensions are enough below 100,000 sentences", range(_LOW, _HIGH + 1)
    if kind == "part of speech":
        return f"at most {_LOW} dimensions are enough", range(1, _LOW + 1)
    return f"fewer than {_HIGH} dimensions are too few", range(1, _HIGH)


def _judge_claim(
    claim: str,
    inside: range,
    chosen_by: dict[int, float],
    drawn: dict[int, np.ndarray],
    matters: float,
    confidence: float,
) -> Verdict:
    """Compare the best dimension that the claim speaks of with the best of the others, both chosen by validation."""
    spoken_of, others = ([d for d in chosen_by if (d in inside) is wanted] for wanted in (True, False))
    if not spoken_of or not others:
        return "underpowered"
    candidate, rival = (max(each, key=lambda d: (chosen_by[d], -d)) for each in (spoken_of, others))
    _, _, standing = _compare(drawn[rival], drawn[candidate], matters, confidence)
    if standing == "open":
        return "underpowered"
    suffices = standing == "as good"
    return "supported" if suffices is not claim.endswith("too few") else "refuted"


def _needed(scores: Sequence[DimensionScore], items: int, matters: float) -> int | None:
    """Items at which the widest open interval would be as short as half of what matters; it shrinks with their root."""
    widest = max(((each.high - each.low) / 2 for each in scores if each.standing == "open"), default=None)
    return None if widest is None else int(np.ceil(items * (2 * widest / matters) ** 2))
