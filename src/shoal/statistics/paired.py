"""Exact tests of paired results: of differences by flipping signs, of right and wrong items by McNemar's test.

The sign-flip test gives an interval by inversion. Under the hypothesis that the effect is t, a difference minus t is as
likely to be above 0 as the same amount below. Flipping the signs of a subset S of the differences leaves a sum at least
as large exactly where the mean over S is at most t. So everything follows from the 2^n - 1 means of subsets: the
p-value counts those beyond t, and the interval's ends are the k-th smallest and the k-th largest of them, with k the
whole part of 2^n * alpha / 2. Where k is 0, no data whatever could reject, and the interval is the whole line: 5 seeds
or fewer at 95 %.

Source: Fisher (1935), The Design of Experiments, section 21; Hartigan (1969), JASA 64:1303-1317, theorem 1 (subset
means cut the line into equally likely parts). Beyond 20 differences a random sample of subsets takes the place of all
of them, which keeps the level (Hemerik and Goeman 2018, TEST 27:811-825, theorem 2).

Cost: 2^min(n, 20) additions and a partial sort.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.errors import UsageError
from shoal.statistics.intervals import Interval, check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

EXACT_LIMIT = 20
"""Up to this number of differences all subsets are enumerated."""

DRAWS = 99_999
"""Subsets drawn beyond that; with the observed order itself they make 100,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFlip:
    """The mean of paired differences with its exact interval and p-value."""

    estimate: float
    low: float
    """-infinity where so few differences can never exclude anything."""

    high: float
    confidence: float
    p_value: float
    """Two-sided, of no effect."""

    pairs: int
    smallest_p_value: float
    """What differences all of one sign would give; above 1 - confidence, the test cannot reject."""

    method: Literal["exact", "monte-carlo"]
    p_value_error: float
    """Standard error of the p-value by random drawing; 0 where the test is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """The items on which two models differ, and how likely so lopsided a division is if neither is better."""

    items: int
    only_first: int
    """Items that the first has right and the second wrong."""

    only_second: int
    p_value: float
    """Two-sided and exact; 1 where the two never differ."""


def mcnemar_exact(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Test whether two models have the same share of right items, over items that both were given.

    The items that both have right or both wrong say nothing; of the others, half should fall on either side. The
    p-value is twice the smaller binomial tail, at most 1.

    Source: McNemar (1947), Psychometrika 12:153-157; the exact form in Fagerland, Lydersen and Laake (2013), BMC
    Medical Research Methodology 13:91, eq. 2.

    Args:
        first: right or wrong for each item.
        second: the same items in the same order.

    Raises:
        UsageError: the two are not of one length.
    """
    if len(first) != len(second):
        raise UsageError(f"paired tests need the same items on both sides, not {len(first)} and {len(second)}")
    from scipy.special import bdtr

    only_first = sum(bool(a) and not b for a, b in zip(first, second, strict=True))
    only_second = sum(bool(b) and not a for a, b in zip(first, second, strict=True))
    differing = only_first + only_second
    tail = float(bdtr(min(only_first, only_second), differing, 0.5)) if differing else 1.0
    return McNemar(items=len(first), only_first=only_first, only_second=only_second, p_value=min(1.0, 2 * tail))


def sign_flip(differences: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> SignFlip:
    """Estimate, exact interval and p-value of the mean of paired differences, two-sided.

    The interval excludes 0 exactly where the p-value is at most 1 - confidence.

    Args:
        differences: one per pair (a seed, say), finite.
        confidence: the confidence of the interval.
        seed: of the random subsets; used only beyond 20 pairs.

    Raises:
        UsageError: there are no differences, one is not finite, or the confidence is not in [0.5, 1).
    """
    values = _checked(differences)
    check_confidence(confidence)
    means = _subset_means(values, seed)
    low, high = _ends(means, confidence)
    exact = len(values) <= EXACT_LIMIT
    p_value = _p_value(means, 0.0)
    return SignFlip(
        estimate=float(values.mean()),
        low=low,
        high=high,
        confidence=confidence,
        p_value=p_value,
        pairs=len(values),
        smallest_p_value=min(1.0, 2 / (len(means) + 1)),
        method="exact" if exact else "monte-carlo",
        p_value_error=0.0 if exact else drawn_p_value_error(p_value, len(means)),
    )


def sign_flip_interval(differences: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The interval of `sign_flip` alone.

    Args:
        differences: of the arms, one per seed.
        confidence: of the interval.
        seed: of the subsets that are drawn where there are too many to enumerate.
    """
    result = sign_flip(differences, confidence=confidence, seed=seed)
    return Interval(result.low, result.high, confidence)


def sign_flip_p_value(differences: Sequence[float], *, effect: float = 0.0, seed: int = 0) -> float:
    """The two-sided p-value of the hypothesis that the mean of the paired differences is ``effect``.

    Args:
        differences: of the arms, one per seed.
        effect: the mean under the hypothesis.
        seed: of the subsets that are drawn where there are too many to enumerate.

    Raises:
        UsageError: there are no differences, or one is not finite.
    """
    return _p_value(_subset_means(_checked(differences) - effect, seed), 0.0)


def drawn_p_value_error(p_value: float, draws: int) -> float:
    """The standard error of a two-sided p-value that is twice the share of random draws in the smaller tail.

    Args:
        p_value: the two-sided one.
        draws: how many were drawn.
    """
    # Of the tail's share it is the binomial one; twice the share has twice the error.
    tail = p_value / 2
    return 2 * math.sqrt(tail * (1 - tail) / draws)


def _checked(differences: Sequence[float]) -> NDArray[np.float64]:
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise UsageError("a paired test needs at least one difference in a flat list")
    if not np.isfinite(values).all():
        raise UsageError("a paired test needs finite differences; leave out the pairs that have no value")
    return values


def _subset_means(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The means over all subsets that are not empty, or over a random sample of subsets."""
    import numpy as np

    if len(values) <= EXACT_LIMIT:
        sums = np.zeros(1)
        sizes = np.zeros(1)
        # Each difference doubles the sums, without it and with it: 2^n additions, where a table of members needs n
        # 2^n.
        for value in values:
            sums = np.concatenate([sums, sums + value])
            sizes = np.concatenate([sizes, sizes + 1])
        sums, sizes = sums[1:], sizes[1:]
    else:
        # An empty subset has no mean. Its chance is below 2^-20, so that giving it a member changes nothing.
        chosen = np.random.default_rng(seed).random((DRAWS, len(values))) < 0.5
        chosen[~chosen.any(axis=1), 0] = True
        sums = chosen @ values
        sizes = chosen.sum(axis=1)
    # Sums that cancel are zero up to rounding, and a tie with zero must be seen as one.
    sums[np.abs(sums) <= 1e-12 * np.abs(values).sum()] = 0.0
    return np.asarray(sums / sizes)


def _p_value(means: NDArray[np.float64], effect: float) -> float:
    # The 1 is the order that was observed (no sign flipped); without it a p-value could be 0, which no sample of
    # flips can show (Phipson and Smyth 2010).
    above = (1 + int((means <= effect).sum())) / (len(means) + 1)
    below = (1 + int((means >= effect).sum())) / (len(means) + 1)
    return min(1.0, 2 * min(above, below))


def _ends(means: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    import numpy as np

    # The small addition keeps a product that is whole (0.025 * 40 = 1) from being floored to one less.
    rank = math.floor((1 - confidence) / 2 * (len(means) + 1) + 1e-9)
    if rank == 0:
        return -math.inf, math.inf
    ordered = np.partition(means, [rank - 1, len(means) - rank])
    return float(ordered[rank - 1]), float(ordered[len(means) - rank])
