"""``shoal power``: how many seeds and items would show an effect."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Json
from shoal.cli.terminal import print_json


def power(
    *,
    baseline: float,
    effect: float,
    items: int = 30,
    seeds: int = 6,
    seed_sd: float = 0.1,
    power_: Annotated[float, Parameter(name="--power")] = 0.8,
    alpha: float = 0.05,
    as_json: Json = False,
) -> None:
    """Compute how many seeds and items would show an effect.

    Parameters
    ----------
    baseline
        Share of items that the baseline gets right, from 0 to 1.
    effect
        Difference of the other arm's share from the baseline's; negative where it is lower.
    items
        Number of held-out items.
    seeds
        Number of seeds of each arm; the seed is the unit of the test.
    seed_sd
        Standard deviation of an arm's true share between seeds.
    power_
        Power to reach.
    alpha
        Level of the two-sided test, at most 0.5.
    """
    from shoal.statistics import plan_power

    plan = plan_power(
        baseline=baseline, effect=effect, items=items, seeds=seeds, seed_sd=seed_sd, target=power_, alpha=alpha
    )
    if as_json:
        print_json(asdict(plan))
        return
    print(f"power of {seeds} seeds and {items} items to find {effect:+.3f}: {plan.power:.3f}")
    print(f"smallest effect found with power {power_:g}: {plan.smallest_detectable_effect:.3f}")
    print(f"seeds needed with these items: {plan.seeds_needed or 'more than 100,000'}")
    print(f"items needed with these seeds: {plan.items_needed or 'no number of items would do; add seeds'}")
