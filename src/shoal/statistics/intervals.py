"""Intervals of a share: Wilson's score interval and the exact one of Clopper and Pearson."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from shoal.errors import UsageError
from shoal.statistics.checks import check_confidence


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval; an end that cannot be bounded is infinite."""

    low: float
    high: float

    confidence: float
    """The requested confidence, 0.95 say."""

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """The score interval of a binomial share; its coverage is near the confidence on average over shares.

    Source: Wilson (1927), JASA 22:209-212, as in Brown, Cai and DasGupta (2001), Statistical Science 16:101-133, eq. 4.

    Args:
        successes: how many trials succeeded.
        trials: how many there were, at least one.
        confidence: the confidence.

    Raises:
        UsageError: the counts are not 0 <= successes <= trials with trials >= 1, or the confidence is not in [0.5, 1).
    """
    _check_counts(successes, trials)
    check_confidence(confidence)
    # By the lower tail: (1 + confidence) / 2 is rounded to 1 for a confidence near 1, where inv_cdf raises.
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # At the ends the formula gives 0 and 1 up to rounding; the exact value is written.
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == trials else (middle + half) / scale
    return Interval(low, high, confidence)


def clopper_pearson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """The exact interval of a binomial share; its coverage is never below the confidence.

    Source: Clopper and Pearson (1934), Biometrika 26:404-413, by quantiles of the beta distribution
    (Brown, Cai and DasGupta 2001, section 4.2.1).

    Args:
        successes: how many trials succeeded.
        trials: how many there were, at least one.
        confidence: the confidence.

    Raises:
        UsageError: the counts are not 0 <= successes <= trials with trials >= 1, or the confidence is not in [0.5, 1).
    """
    _check_counts(successes, trials)
    check_confidence(confidence)
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    # A beta distribution has no parameter 0, for which scipy gives NaN.
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - tail))
    return Interval(low, high, confidence)


def _check_counts(successes: int, trials: int) -> None:
    if trials < 1:
        raise UsageError(f"an interval of a share needs at least one trial, not {trials}")
    if not 0 <= successes <= trials:
        raise UsageError(f"{successes} successes of {trials} trials cannot be; successes lie between 0 and the trials")
