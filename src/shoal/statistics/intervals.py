"""Intervals of a share (Wilson, Clopper and Pearson), samples and percentiles of a bootstrap; the check of levels.

The level of a test and the confidence of an interval are checked so that neither passes for the other. The two are one
minus each other, so whoever mixes them up asks for a test that nearly always rejects or for an interval that nearly
never holds what it should. Neither is ever wanted beyond one half, which is where the line is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval; an end that cannot be bounded is infinite."""

    low: float
    high: float

    confidence: float
    """The requested confidence, 0.95 say."""

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(successes: float, trials: float, *, confidence: float = 0.95) -> Interval:
    """The score interval of a binomial share; its coverage is near the confidence on average over shares.

    Source: Wilson (1927), JASA 22:209-212, as in Brown, Cai and DasGupta (2001), Statistical Science 16:101-133, eq. 4.

    Args:
        successes: how many trials succeeded.
        trials: how many there were. Neither need be whole: trials in clusters count as fewer.
        confidence: the confidence.

    Raises:
        UsageError: the counts are not 0 <= successes <= trials with trials > 0, or the confidence is not in [0.5, 1).
    """
    _check_counts(successes, trials)
    check_confidence(confidence)
    # Imported here, since a search for change points imports this module for the check of its levels alone.
    from statistics import NormalDist

    # By the lower tail: (1 + confidence) / 2 is rounded to 1 for a confidence near 1, where inv_cdf raises.
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # At the ends the formula gives 0 and 1 up to rounding; the exact value is written.
    low = 0.0 if successes == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if successes == trials else min(1.0, (middle + half) / scale)
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


def _check_counts(successes: float, trials: float) -> None:
    if trials <= 0:
        raise UsageError(f"an interval of a share needs at least one trial, not {trials}")
    if not 0 <= successes <= trials:
        raise UsageError(f"{successes} successes of {trials} trials cannot be; successes lie between 0 and the trials")


HALF = 0.5


def check_alpha(alpha: Any) -> None:
    """Refuse a level of a test that is not above 0 and at most 0.5.

    Raises:
        UsageError: It is not.
    """
    if not _is_number(alpha) or not 0.0 < alpha <= HALF:
        raise UsageError(
            f"alpha is the level of a test, above 0 and at most {HALF} (0.05 is usual); got {alpha!r}"
            + _other(alpha, "the share of intervals that hold the truth is called confidence")
        )


def check_confidence(confidence: Any) -> None:
    """Refuse a confidence of an interval that is not at least 0.5 and below 1.

    Raises:
        UsageError: It is not.
    """
    if not _is_number(confidence) or not HALF <= confidence < 1.0:
        raise UsageError(
            f"confidence is that of an interval, at least {HALF} and below 1 (0.95 is usual); got {confidence!r}"
            + _other(confidence, "the level of a test is called alpha")
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)


def _other(value: Any, hint: str) -> str:
    """The hint where the value would do for the other of the two."""
    return f"; {hint}" if _is_number(value) and 0.0 < value < 1.0 else ""


DRAWS = 2000
"""Default number of bootstrap samples: the ends of a 95% interval then rest on fifty draws each."""

# Counts held at a time: 32 MB of 64-bit integers.
_AT_ONCE = 2**22


def enough_units(units: int, confidence: float) -> bool:
    """Whether a bootstrap interval over this number of units can have its confidence.

    It never leaves the range of its units, and that range holds their median with probability 1 - 2^(1 - units): at 95%
    it takes six.

    Args:
        units: how many independent units are resampled.
        confidence: of the interval.
    """
    return 2.0 ** (1 - units) <= 1 - confidence


def resampled_ratios(
    over_U: NDArray[Any], under_U: NDArray[Any], *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """The ratio of two sums over the units in each bootstrap sample: a mean where ``under_U`` is all ones.

    Args:
        over_U: what each unit adds above, of shape (U,), or (S, U) for several ratios of the same samples.
        under_U: what it adds below, of shape (U,).
        draws: the number of samples.
        seed: random seed.

    Returns:
        Of shape (draws,), or (draws, S); a sample whose sum below is 0 is divided by 1.
    """
    import numpy as np

    units = len(under_U)
    random, shares_U = np.random.default_rng(seed), np.full(units, 1 / units)
    step = max(1, _AT_ONCE // units)  # a corpus has millions of documents, and each sample a count of each
    blocks = []
    for start in range(0, draws, step):
        # How often each unit is drawn, in place of which ones: a sum over the sample is then one matrix product.
        counts_DU = random.multinomial(units, shares_U, size=min(step, draws - start))
        below_D = counts_DU @ under_U
        above = counts_DU @ over_U.T
        below_D = np.where(below_D == 0, 1, below_D)
        blocks.append(above / (below_D if above.ndim == 1 else below_D[:, None]))
    return np.concatenate(blocks)


def resampled_places(units: int, *, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """Bootstrap samples as places of units, for a statistic that is no sum; of shape (draws, units).

    Args:
        units: how many there are.
        draws: the number of samples.
        seed: random seed.
    """
    import numpy as np

    return np.random.default_rng(seed).integers(0, units, size=(draws, units))


def percentile_interval(drawn_D: NDArray[np.float64], confidence: float) -> tuple[Any, Any]:
    """The ends between which the middle share ``confidence`` of the draws lies.

    Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap", section 13.3.

    Args:
        drawn_D: the statistic of each sample, the samples along the first axis; further axes have their own interval.
        confidence: of the interval.

    Returns:
        The lower and the upper end: floats for a vector, arrays for more axes.
    """
    import numpy as np

    check_confidence(confidence)
    low, high = np.quantile(drawn_D, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)


def crossed_bootstrap(
    differences: Sequence[Sequence[float]],
    *,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """A percentile interval of the mean difference where both the seeds and the items are samples of more.

    Every seed meets the same items, so the two are crossed: a draw takes seeds with replacement and groups of items
    with replacement, and averages the cells where they meet. It errs on the wide side.

    Source: Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1:386-411, section 4.

    Args:
        differences: one row per seed, one column per item: treatment minus baseline.
        groups: the cluster of each item (a template, a number); None makes each item its own.
        confidence: the confidence.
        draws: bootstrap samples.
        seed: of the drawing.

    Raises:
        UsageError: the table is empty or ragged or has a difference that is not finite, the groups are not one an
            item, or the confidence is not in [0.5, 1).
    """
    import numpy as np

    check_confidence(confidence)
    if len({len(row) for row in differences}) != 1 or not len(differences[0]):
        raise UsageError("the bootstrap needs a table: one row per seed, the same items in each")
    table_SI = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(table_SI).all():
        raise UsageError("the bootstrap needs finite differences; leave out the items that have none")
    seeds, items = table_SI.shape
    labels = list(groups) if groups is not None else list(range(items))
    if len(labels) != items:
        raise UsageError(f"the bootstrap needs a group for each of the {items} items, not {len(labels)} groups")
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    member_IG = np.zeros((items, len(places)))
    member_IG[np.arange(items), [places[label] for label in labels]] = 1.0

    # A cell counts as often as its seed and its group were drawn, so the products of the two weights replace a
    # resampled table per draw.
    random = np.random.default_rng(seed)
    seed_weights_DS = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    group_weights_DG = random.multinomial(len(places), np.full(len(places), 1 / len(places)), size=draws)
    sums_DG = seed_weights_DS @ (table_SI @ member_IG)
    sizes_G = member_IG.sum(axis=0)
    # Groups may differ in size, and then a draw has more or fewer items than the table: it is divided by its own.
    means_D = (sums_DG * group_weights_DG).sum(axis=1) / (seeds * (group_weights_DG @ sizes_G))
    low, high = percentile_interval(means_D, confidence)
    return Interval(low, high, confidence)


Value = TypeVar("Value")


def even_sample(values: Sequence[Value], count: int) -> list[Value]:
    """At most that many of the values, evenly spread over them and in their order.

    Args:
        values: any sequence; neighbours may be alike, which is why the first ones would not do.
        count: how many, at most.
    """
    if len(values) <= count:
        return list(values)
    return [values[place * len(values) // count] for place in range(count)]
