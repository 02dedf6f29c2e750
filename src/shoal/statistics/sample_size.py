"""Power of the sign-flip test over seeds, the smallest effect that it can find, and the seeds that it needs.

Differences between paired seeds are taken as normal. Up to `SIMULATED` seeds, where the test has few attainable
levels, its power is simulated (the same drawn numbers for every effect, so that the curve is monotone); beyond, the
test is as powerful as Student's within a few hundredths, and the noncentral t distribution gives the power.

Source: Cohen (1988), Statistical Power Analysis, chapter 2; Lehmann and Romano (2005), Testing Statistical Hypotheses,
section 15.2 (the test's power tends to that of the t test).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.checks import check_alpha

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMULATED = 10
"""Up to this number of seeds the power is simulated."""

# The standard error of a power of .8 is then .006.
_SIMULATIONS = 4000
_MOST_SEEDS = 100_000


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
        UsageError: the standard deviation is negative or not finite, or there is no pair.
    """
    check_alpha(alpha)
    if not (math.isfinite(difference_sd) and difference_sd >= 0):
        raise UsageError(f"a standard deviation is finite and at least 0, not {difference_sd}")
    if seeds < 1:
        raise UsageError(f"power needs a number of seeds of at least 1, not {seeds}")
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
        UsageError: as in `power`.
    """
    if seeds < fewest_seeds(alpha=alpha):
        return math.inf
    # Power depends on the effect in standard deviations alone, so one curve serves every unit.
    low, high = 0.0, 1.0
    while power(high, 1.0, seeds, alpha=alpha) < target:
        high *= 2
    # 24 halvings leave less than the noise of the simulation.
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, 1.0, seeds, alpha=alpha) >= target else (middle, high)
    return high * difference_sd


def seeds_needed(effect: float, difference_sd: float, *, target: float = 0.8, alpha: float = 0.05) -> int | None:
    """The fewest seeds with which the test finds ``effect`` with a chance of ``target``; None beyond 100,000.

    Args:
        effect: the true mean difference, in the unit of ``difference_sd``.
        difference_sd: standard deviation of the difference of the two arms over seeds.
        target: the power.
        alpha: the level of the test.

    Raises:
        UsageError: as in `power`.
    """
    fewest = fewest_seeds(alpha=alpha)
    # One by one: with few seeds the attainable level below alpha jumps, so that power may fall with one more seed,
    # and halving could pass over the fewest.
    for seeds in range(fewest, max(SIMULATED, fewest) + 1):
        if power(effect, difference_sd, seeds, alpha=alpha) >= target:
            return seeds
    low, high = max(SIMULATED, fewest), _MOST_SEEDS
    if power(effect, difference_sd, high, alpha=alpha) < target:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, difference_sd, middle, alpha=alpha) >= target else (middle, high)
    return high


def _t_power(standardized: float, seeds: int, alpha: float) -> float:
    from scipy.special import nctdtr, ndtr, stdtrit

    freedom = seeds - 1
    edge = float(stdtrit(freedom, 1 - alpha / 2))
    shift = standardized * math.sqrt(seeds)
    # Far out the noncentral t distribution loses all digits; there, and with many seeds, it is the normal one.
    if shift > 8 or seeds > 2000:
        return float(ndtr(shift - edge) + ndtr(-shift - edge))
    return float(1 - nctdtr(freedom, shift, edge) + nctdtr(freedom, shift, -edge))


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
