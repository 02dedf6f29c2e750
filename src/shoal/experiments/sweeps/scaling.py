"""How the score of a sweep scales: with parameters, with tokens, with compute.

The points are the best trials: of all with the same size (other learning rates, say) the one with the best score, and
for compute those alone that no trial with less compute beats, as in Hoffmann et al. 2022 (arXiv:2203.15556), section 3.
A fit is made only for a score of which less is better and 0 is best, such as bits per byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.experiments.sweeps.powerlaw import MIN_SIZES_ABOVE_FLOOR, PowerLaw, fit_above_floor, fit_power_law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.sweeps.trials import Trial

AXES = {"parameters": "parameters", "tokens": "tokens", "compute": "floating-point operations"}
"""What a score scales with, and its unit."""


_MIN_SWEPT = 1.5
"""How many times the smallest size the largest is where a sweep means to change it: another vocabulary, say, moves the
number of parameters by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One size, and the best trial of that size."""

    size: float
    score: float
    trial: int
    seeds: tuple[float, ...]
    """The score of each seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The score over one kind of size."""

    axis: str
    points: tuple[Point, ...]
    law: PowerLaw | None
    law_above_floor: PowerLaw | None
    """None where there are too few points."""

    refusal: str
    """Why there is no law; empty where there is one."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "axis": self.axis,
            "points": [{"size": point.size, "score": point.score, "trial": point.trial} for point in self.points],
            "law": self.law and self.law.to_dict(),
            "law_above_floor": self.law_above_floor and self.law_above_floor.to_dict(),
            "refusal": self.refusal,
        }


def scalings(trials: Sequence[Trial]) -> tuple[Scaling, ...]:
    """The score over each kind of size that differs between trials.

    Args:
        trials: of a sweep that makes its score small.
    """
    found = (scaling(trials, axis) for axis in AXES)
    return tuple(each for each in found if each.points and each.points[-1].size >= _MIN_SWEPT * each.points[0].size)


def scaling(trials: Sequence[Trial], axis: str) -> Scaling:
    """The score over one kind of size.

    Args:
        trials: those that are complete are taken.
        axis: one of `AXES`.
    """
    points = _points(trials, axis)
    sizes, scores = [point.size for point in points], [point.score for point in points]
    try:
        law = fit_power_law(sizes, scores)
    except UsageError as error:
        return Scaling(axis=axis, points=points, law=None, law_above_floor=None, refusal=str(error))
    above = fit_above_floor(sizes, scores) if len(points) >= MIN_SIZES_ABOVE_FLOOR else None
    return Scaling(axis=axis, points=points, law=law, law_above_floor=above, refusal="")


def _points(trials: Sequence[Trial], axis: str) -> tuple[Point, ...]:
    best: dict[float, Point] = {}
    for trial in trials:
        size, score = getattr(trial, axis), trial.score
        if size is None or score is None:
            continue
        if size not in best or score < best[size].score:
            seeds = tuple(unit.score for unit in trial.units if unit.score is not None)
            best[size] = Point(size=float(size), score=score, trial=trial.number, seeds=seeds)
    points = [best[size] for size in sorted(best)]
    # More compute need not be a larger model or more data: only trials on the compute frontier lie on the law.
    if axis == "compute":
        points = [point for place, point in enumerate(points) if all(point.score < one.score for one in points[:place])]
    return tuple(points)
