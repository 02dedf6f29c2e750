"""``shoal power``: how many seeds and items would show an effect."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter


def power(
    *,
    baseline: float,
    effect: float,
    items: int = 30,
    seeds: int = 6,
    seed_sd: float = 0.1,
    target: float = 0.8,
    alpha: float = 0.05,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Say how many seeds and items would show an effect.

    Parameters
    ----------
    baseline
        The share of items that the baseline gets right, from 0 to 1.
    effect
        How much higher (or lower, where negative) the other arm's share is.
    items
        Held-out items.
    seeds
        Seeds of each arm; the seed is the unit of the test.
    seed_sd
        Standard deviation of an arm's true share from seed to seed.
    target
        The power that is wanted.
    alpha
        The level of the two-sided test, at most 0.5.
    as_json
        Print the plan as JSON on standard output.
    """
    from shoal.cli.console import print_json
    from shoal.statistics import plan_power

    plan = plan_power(
        baseline=baseline, effect=effect, items=items, seeds=seeds, seed_sd=seed_sd, target=target, alpha=alpha
    )
    if as_json:
        print_json(asdict(plan))
        return
    print(f"power of {seeds} seeds and {items} items to find {effect:+.3f}: {plan.power:.3f}")
    print(f"smallest effect found with power {target:g}: {plan.smallest_detectable_effect:.3f}")
    print(f"seeds needed with these items: {plan.seeds_needed or 'more than 100,000'}")
    print(f"items needed with these seeds: {plan.items_needed or 'no number of items would do; add seeds'}")
