"""What to plan an experiment by: from shares, items and seeds to power and sample sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shoal.errors import UsageError
from shoal.statistics.sample_size import power, seeds_needed, smallest_detectable_effect

_MAX_ITEMS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPlan:
    """What a design can find, and what it would take to find the effect."""

    baseline: float
    effect: float
    items: int
    seeds: int
    seed_sd: float
    target: float
    alpha: float

    difference_sd: float
    """Standard deviation of one seed's difference between the arms, that of the items included."""

    power: float
    """The chance that the design finds the effect."""

    smallest_detectable_effect: float
    """What the design finds with a chance of ``target``; infinite with too few seeds."""

    seeds_needed: int | None
    """With these items; None where 100,000 would not do."""

    items_needed: int | None
    """With these seeds; None where no number of items would do, since seeds differ too much or are too few."""


def plan_power(
    *,
    baseline: float,
    effect: float,
    items: int,
    seeds: int,
    seed_sd: float,
    target: float = 0.8,
    alpha: float = 0.05,
) -> PowerPlan:
    """Plan a comparison of two arms by the share of items right, the seed being the unit.

    The variance of one seed's difference is that of the two arms' true shares, 2 * seed_sd^2, plus that of finitely
    many items, (p0 (1 - p0) + p1 (1 - p1)) / items, with p0 the baseline and p1 = p0 + effect.

    Source: Miller (2024), "Adding Error Bars to Evals", arXiv:2411.00640, section 5 (the sum of the variances), with
    the seed in the place of the question; the test is that of `power`.

    Args:
        baseline: the share of items that the baseline has right, 0 to 1.
        effect: how much more the treatment has right; the sum lies between 0 and 1.
        items: held-out items, at least 1.
        seeds: seeds per arm, at least 1.
        seed_sd: standard deviation of an arm's true share between seeds.
        target: the power that is wanted.
        alpha: the level of the two-sided test.

    Raises:
        UsageError: a share lies outside of 0 to 1, or a count or a deviation is out of its range.
    """
    _check(baseline, effect, items, seed_sd, target)
    spread = _difference_sd(baseline, effect, items, seed_sd)
    return PowerPlan(
        baseline=baseline,
        effect=effect,
        items=items,
        seeds=seeds,
        seed_sd=seed_sd,
        target=target,
        alpha=alpha,
        difference_sd=spread,
        power=power(effect, spread, seeds, alpha=alpha),
        smallest_detectable_effect=smallest_detectable_effect(spread, seeds, target=target, alpha=alpha),
        seeds_needed=seeds_needed(effect, spread, target=target, alpha=alpha),
        items_needed=_items_needed(baseline, effect, seeds, seed_sd, target, alpha),
    )


def _check(baseline: float, effect: float, items: int, seed_sd: float, target: float) -> None:
    if not 0 <= baseline <= 1:
        raise UsageError(f"the baseline is a share between 0 and 1, not {baseline}")
    if effect == 0 or not 0 <= baseline + effect <= 1:
        raise UsageError(
            f"the effect is not 0 and, added to the baseline {baseline}, gives a share between 0 and 1; not {effect}"
        )
    if items < 1:
        raise UsageError(f"a plan needs at least one item, not {items}")
    # Its square alone is used, so that a sign would go unseen.
    if not 0 <= seed_sd < math.inf:
        raise UsageError(f"a standard deviation between seeds is a number of 0 or more, not {seed_sd}")
    if not 0 < target < 1:
        raise UsageError(f"the power that is wanted lies between 0 and 1, not {target}; 0.8 is usual")


def _difference_sd(baseline: float, effect: float, items: float, seed_sd: float) -> float:
    other = baseline + effect
    return math.sqrt(2 * seed_sd**2 + (baseline * (1 - baseline) + other * (1 - other)) / items)


def _items_needed(
    baseline: float, effect: float, seeds: int, seed_sd: float, target: float, alpha: float
) -> int | None:
    def enough(items: int) -> bool:
        return power(effect, _difference_sd(baseline, effect, items, seed_sd), seeds, alpha=alpha) >= target

    if not enough(_MAX_ITEMS):
        return None
    # Power never falls with more items, so that halving finds the fewest.
    low, high = 0, _MAX_ITEMS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
