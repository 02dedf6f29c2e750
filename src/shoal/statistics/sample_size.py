"""Power of the sign-flip test over seeds, the smallest effect that it can find, and the seeds that it needs.

Differences between paired seeds are taken as normal. Up to `SIMULATED` seeds, where the test has few attainable
levels, its power is simulated (the same drawn numbers for every effect, so that the curve is monotone); beyond, the
test is as powerful as Student's within a few hundredths, and the noncentral t distribution gives the power.

Source: Cohen (1988), Statistical Power Analysis, chapter 2; Lehmann and Romano (2005), Testing Statistical Hypotheses,
section 15.2 (the test's power tends to that of the t test).
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.intervals import check_alpha

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMULATED = 10
"""Up to this number of seeds the power is simulated."""

# The standard error of a power of .8 is then .006.
_SIMULATIONS = 4000
_MAX_SEEDS = 100_000

_NODES = 400
"""Of the integral over the standard error: a power of .8 is then right to .0001, with two units too."""


def fewest_seeds(*, alpha: float = 0.05) -> int:
    """The fewest seeds with which the two-sided sign-flip test can reject at all: 6 at .05."""
    check_alpha(alpha)
    # All signs alike have the p-value 2 / 2^n; the subtraction takes off rounding where alpha is a power of two.
    return math.ceil(math.log2(2 / alpha) - 1e-9)


def power(effect: float, difference_sd: float, seeds: int, *, alpha: float = 0.05) -> float:
    """The chance that the sign-flip test over ``seeds`` pairs finds a true mean difference of ``effect``.

    Args:
        effect: the true mean of the paired differences; its sign does not matter.
        difference_sd: the standard deviation of one pair's difference.
        seeds: the number of pairs.
        alpha: the level of the test.

    Raises:
        UsageError: the standard deviation is negative or not finite, the effect is not finite, or there is no pair.
    """
    check_alpha(alpha)
    _check_spread(difference_sd, seeds)
    if not math.isfinite(effect):
        raise UsageError(f"power needs a finite effect, not {effect}")
    if seeds < fewest_seeds(alpha=alpha):
        return 0.0
    if difference_sd == 0:
        return 1.0 if effect else 0.0
    standardized = abs(effect) / difference_sd
    if seeds > SIMULATED:
        return _t_power(standardized, seeds, alpha)
    return _simulated_power(standardized, seeds, alpha)


def smallest_detectable_effect(difference_sd: float, seeds: int, *, target: float = 0.8, alpha: float = 0.05) -> float:
    """The true mean difference that the test finds with a chance of ``target``; infinite with too few seeds.

    Args:
        difference_sd: standard deviation of the difference of the two arms over seeds, in the unit of the result.
        seeds: per arm.
        target: the power.
        alpha: the level of the test.

    Raises:
        UsageError: as in `power`, or the power is not between 0 and 1.
    """
    _check_target(target)
    _check_spread(difference_sd, seeds)
    if seeds < fewest_seeds(alpha=alpha):
        return math.inf
    return _detectable_sds(seeds, target, alpha) * difference_sd


def _check_spread(difference_sd: float, seeds: int) -> None:
    if not (math.isfinite(difference_sd) and difference_sd >= 0):
        raise UsageError(f"a standard deviation is finite and at least 0, not {difference_sd}")
    if seeds < 1:
        raise UsageError(f"power needs a number of seeds of at least 1, not {seeds}")


def _check_target(target: float) -> None:
    if not 0 < target < 1:
        raise UsageError(f"the power that is wanted lies between 0 and 1, not {target}; 0.8 is usual")


@cache
def _detectable_sds(seeds: int, target: float, alpha: float) -> float:
    """The detectable effect in standard deviations: power depends on that alone, so one number serves every unit."""
    low, high = 0.0, 1.0
    while power(high, 1.0, seeds, alpha=alpha) < target:
        high *= 2
    # 24 halvings leave less than the noise of the simulation.
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, 1.0, seeds, alpha=alpha) >= target else (middle, high)
    return high


def seeds_needed(effect: float, difference_sd: float, *, target: float = 0.8, alpha: float = 0.05) -> int | None:
    """The fewest seeds with which the test finds ``effect`` with a chance of ``target``; None beyond 100,000.

    Args:
        effect: the true mean difference, in the unit of ``difference_sd``.
        difference_sd: standard deviation of the difference of the two arms over seeds.
        target: the power.
        alpha: the level of the test.

    Raises:
        UsageError: as in `power`, or the power is not between 0 and 1.
    """
    _check_target(target)
    fewest = fewest_seeds(alpha=alpha)
    # One by one: with few seeds the attainable level below alpha jumps, so that power may fall with one more seed,
    # and halving could pass over the fewest.
    for seeds in range(fewest, max(SIMULATED, fewest) + 1):
        if power(effect, difference_sd, seeds, alpha=alpha) >= target:
            return seeds
    low, high = max(SIMULATED, fewest), _MAX_SEEDS
    if power(effect, difference_sd, high, alpha=alpha) < target:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, difference_sd, middle, alpha=alpha) >= target else (middle, high)
    return high


def _t_power(standardized: float, seeds: int, alpha: float) -> float:
    return t_test_power(standardized * math.sqrt(seeds), seeds - 1, alpha)


def t_test_power(shift: float, freedom: float, alpha: float) -> float:
    """The power of Student's two-sided test.

    Args:
        shift: the true effect in standard errors.
        freedom: degrees of freedom of the standard error, above 0.
        alpha: the level of the test.
    """
    from scipy.special import nctdtr, ndtr, stdtrit

    edge = float(stdtrit(freedom, 1 - alpha / 2))
    if freedom >= 2000:
        return float(ndtr(shift - edge) + ndtr(-shift - edge))
    power = float(1 - nctdtr(freedom, shift, edge) + nctdtr(freedom, shift, -edge))
    if shift <= 8 and math.isfinite(power):
        return power
    # Far out the noncentral t distribution loses all digits, and SciPy's is NaN at single points, such as a shift of 8
    # with one degree of freedom. It is no normal one there: that shift is found in less than half of the cases.
    found_N, weights_N = _found_errors(freedom)
    return float((ndtr(shift - edge * found_N) + ndtr(-shift - edge * found_N)) @ weights_N)


@lru_cache(maxsize=64)
def _found_errors(freedom: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The standard error that a sample finds, in true ones, at the nodes of its probability, with their weights."""
    import numpy as np
    from scipy.stats import chi2

    nodes_N, weights_N = np.polynomial.legendre.leggauss(_NODES)
    return np.sqrt(chi2.ppf((nodes_N + 1) / 2, freedom) / freedom), weights_N / 2


def detectable_shift(freedom: float, *, target: float = 0.8, alpha: float = 0.05) -> float:
    """The effect, in standard errors, that Student's two-sided test finds with a chance of ``target``.

    With infinite degrees of freedom it is the sum of two normal quantiles, the usual approximation for many items.

    Args:
        freedom: degrees of freedom of the standard error; infinite for the normal approximation.
        target: the power.
        alpha: the level of the test.

    Raises:
        UsageError: the degrees of freedom are not above 0, the power is not between 0 and 1, or the level is not in
            (0, 0.5].
    """
    check_alpha(alpha)
    if not freedom > 0:
        raise UsageError(f"a test needs degrees of freedom above 0, not {freedom}; add seeds")
    _check_target(target)
    if math.isinf(freedom):
        normal = NormalDist()
        return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(target)
    low, high = 0.0, 1.0
    while t_test_power(high, freedom, alpha) < target:
        high *= 2
    # 60 halvings use up the digits of a float.
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if t_test_power(middle, freedom, alpha) >= target else (middle, high)
    return high


def detectable_difference(
    variance: float,
    items: int,
    *,
    correlation: float = 0.0,
    design_effect: float = 1.0,
    target: float = 0.8,
    alpha: float = 0.05,
) -> float:
    """The smallest difference of two models on the same items that is found with a chance of ``target``.

    The items are the unit here, as in a comparison of two finished models; over seeds see `smallest_detectable_effect`.

    Source: Miller (2024), "Adding Error Bars to Evals", arXiv:2411.00640, eq. 9; the design effect is that of Kish
    (1965), Survey Sampling, section 5.4.

    Args:
        variance: of one item's score, ``p (1 - p)`` for right and wrong.
        items: on which both are scored, two or more.
        correlation: of the two models' scores over items.
        design_effect: by how much clusters of items inflate the variance, 1 or more.
        target: the power.
        alpha: the level of the two-sided test.

    Raises:
        UsageError: a value is out of its range.
    """
    if not (variance >= 0 and math.isfinite(variance)):
        raise UsageError(f"a variance is finite and at least 0, not {variance}")
    if items < 2 or not -1 <= correlation <= 1 or not (1 <= design_effect < math.inf):
        raise UsageError(
            "items are at least 2, a correlation lies between -1 and 1 and a design effect is at least 1; got "
            f"{items}, {correlation} and {design_effect}"
        )
    deviation = math.sqrt(2 * variance * (1 - correlation) * design_effect / items)
    return detectable_shift(math.inf, target=target, alpha=alpha) * deviation


def _simulated_power(standardized: float, seeds: int, alpha: float) -> float:
    import numpy as np

    rank = math.floor(alpha / 2 * 2**seeds + 1e-9)
    noise_sums_MN, sizes_N = _noise_sums(seeds)
    # One-sided p-value: (1 + number of subsets whose sum is on the other side of 0) / 2^seeds, at most rank / 2^seeds.
    sums_MN = noise_sums_MN + standardized * sizes_N
    found = ((sums_MN <= 0).sum(axis=1) < rank) | ((sums_MN >= 0).sum(axis=1) < rank)
    return float(np.mean(found))


@cache
def _noise_sums(seeds: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sums of standard normal noise over every subset of the seeds, one row a simulation, and the subsets' sizes."""
    import numpy as np

    # In single precision the sums of ten seeds take 16 MB, and only their signs matter.
    noise_MS = np.random.default_rng(0).standard_normal((_SIMULATIONS, seeds), dtype=np.float32)
    member_SN = (np.arange(1, 2**seeds)[None, :] >> np.arange(seeds)[:, None] & 1).astype(np.float32)
    return noise_MS @ member_SN, member_SN.sum(axis=0)
