"""Decision accuracy: how often a cheap experiment ranks two candidates as the expensive one does.

Magnusson et al. 2025 ("DataDecide: How to predict best pretraining data with small experiments", arXiv:2504.11393,
section 2): of all pairs of corpora, the share of which the better one by small models is the better one by the large
ones, whose scores are means over seeds.

Shapes: C candidates, S and L seeds of the small and the large experiment, P pairs of candidates, D bootstrap samples.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.statistics.estimates import Estimate, estimate_without_interval
from shoal.statistics.intervals import check_confidence, resampled_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ALL = 4096
"""Up to this number of samples all are enumerated: three seeds of each have 27 by 27."""

_TINY = 1e-12
"""Shares that are nearer to each other are equal: a pair more or less moves a share by far more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAccuracy:
    """How well small experiments decide between pairs of candidates."""

    one_seed: Estimate
    """Share of the pairs that one small experiment per candidate ranks as the large ones do; mean over seeds."""

    mean_of_seeds: Estimate
    """The same where the small score is the mean over its seeds."""

    large_with_itself: float | None
    """Share of the pairs that one large seed ranks as the mean of the others does: what even the large experiment
    cannot be sure of. None where it has one seed."""

    pairs: int
    reversed_pairs: tuple[tuple[int, int], ...]
    """Candidates, by place, whose order by means over seeds the large experiment reverses; the first is the better one
    by the large one."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        ceiling = "" if self.large_with_itself is None else f"; large with itself {self.large_with_itself:.0%}"
        return (
            f"{self.one_seed:.0%} of {self.pairs} pairs by one seed, {self.mean_of_seeds:.0%} by means over "
            f"seeds{ceiling}"
        )


def decision_accuracy(
    small_SC: Sequence[Sequence[float]], large_LC: Sequence[Sequence[float]], *, confidence: float = 0.95, seed: int = 0
) -> DecisionAccuracy:
    """How often the small experiment ranks two candidates as the large one does, with intervals over seeds.

    The interval is Student's t with a bootstrap standard error, as in `shoal.statistics.student_bootstrap`: seeds of
    the small and of the large experiment are drawn independently, the error is brought to its true size by n / (n - 1)
    and the degrees of freedom are n - 1, n being the smaller number of seeds; ends are cut to 0 and 1. It covers other
    seeds, and neither other candidates nor other items that the scores come from. Where one of them has one seed, or
    no seed changes an order, there is no interval. A tie counts one half.

    Args:
        small_SC: scores of the small experiment, a row per seed, a column per candidate.
        large_LC: those of the large one, with the same columns.
        confidence: of the intervals.
        seed: of the samples, where there are too many to enumerate.

    Raises:
        UsageError: fewer than two candidates, no seed, or tables of different candidates.
    """
    import numpy as np

    check_confidence(confidence)
    small, large = np.asarray(small_SC, dtype=np.float64), np.asarray(large_LC, dtype=np.float64)
    if small.ndim != 2 or large.ndim != 2 or small.shape[1] != large.shape[1] or small.shape[1] < 2:
        raise UsageError(
            f"decisions need two tables of seeds by two candidates or more, the same ones, not {small.shape} and "
            f"{large.shape}"
        )
    if not np.isfinite(small).all() or not np.isfinite(large).all():
        raise UsageError("a score of the decisions is no finite number")
    gaps_SP, gaps_LP = _differences(small), _differences(large)
    places = list(_samples(len(small), len(large), seed))

    def by_one(chosen_S: Any, chosen_L: Any) -> float:
        return _agreement(np.sign(gaps_SP[chosen_S]), np.sign(_mean(gaps_LP[chosen_L])))

    def by_mean(chosen_S: Any, chosen_L: Any) -> float:
        return _agreement(np.sign(_mean(gaps_SP[chosen_S])), np.sign(_mean(gaps_LP[chosen_L])))

    pairs = list(itertools.combinations(range(small.shape[1]), 2))
    mean_small_P, mean_large_P = _mean(gaps_SP), _mean(gaps_LP)
    turned = [
        pair if large_gap < 0 else (pair[1], pair[0])
        for pair, small_gap, large_gap in zip(pairs, mean_small_P, mean_large_P, strict=True)
        if small_gap * large_gap < 0
    ]
    shape = (len(small), len(large))
    return DecisionAccuracy(
        one_seed=_estimate(by_one, shape, places, confidence),
        mean_of_seeds=_estimate(by_mean, shape, places, confidence),
        large_with_itself=_with_itself(gaps_LP),
        pairs=len(pairs),
        reversed_pairs=tuple(turned),
    )


def _differences(scores_SC: Floats) -> Floats:
    """The difference of each pair, a row per seed."""
    import numpy as np

    first_P, second_P = np.triu_indices(scores_SC.shape[1], k=1)
    return np.asarray(scores_SC[:, first_P] - scores_SC[:, second_P], dtype=np.float64)


def _mean(gaps_SP: Floats) -> Floats:
    """The mean difference of each pair over seeds; one that cancels is 0 and a tie, whatever rounding leaves of it."""
    import numpy as np

    mean_P = gaps_SP.mean(axis=0)
    return np.where(np.abs(mean_P) <= _TINY * np.abs(gaps_SP).max(axis=0), 0.0, mean_P)


def _agreement(one: Floats, other: Floats) -> float:
    """The share of equal signs; where one of them is a tie it counts one half."""
    return float((0.5 + 0.5 * one * other).mean())


def _samples(small: int, large: int, seed: int) -> Any:
    """Samples of the seeds of both experiments."""
    import numpy as np

    if small**small * large**large <= _ALL:
        every = (list(itertools.product(range(count), repeat=count)) for count in (small, large))
        return ((np.asarray(one), np.asarray(other)) for one, other in itertools.product(*every))
    return zip(resampled_places(small, seed=seed), resampled_places(large, seed=seed + 1), strict=True)


def _estimate(statistic: Any, shape: tuple[int, int], samples: Sequence[Any], confidence: float) -> Estimate:
    import numpy as np
    from scipy.stats import t

    small, large = shape
    value, units = statistic(np.arange(small), np.arange(large)), min(shape)
    if units == 1:
        return estimate_without_interval(value, 1, confidence)
    drawn_D = np.asarray([statistic(*chosen) for chosen in samples])
    # Not by the spread itself, which rounding keeps from being 0.
    if np.ptp(drawn_D) < _TINY:
        # No seed changes an order: so few seeds cannot show how often one would, and an interval of no width is wrong.
        return estimate_without_interval(value, units, confidence)
    half = float(t.ppf((1 + confidence) / 2, units - 1) * drawn_D.std() * math.sqrt(units / (units - 1)))
    return Estimate(
        value=value, low=max(0.0, value - half), high=min(1.0, value + half), confidence=confidence, units=units
    )


def _with_itself(gaps_LP: Floats) -> float | None:
    import numpy as np

    count = len(gaps_LP)
    if count < 2:
        return None
    others = [_mean(np.delete(gaps_LP, place, axis=0)) for place in range(count)]
    return float(np.mean([_agreement(np.sign(one), np.sign(rest)) for one, rest in zip(gaps_LP, others, strict=True)]))
