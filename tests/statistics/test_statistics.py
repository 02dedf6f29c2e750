from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from shoal.errors import UsageError
from shoal.statistics import (
    clopper_pearson_interval,
    crossed_bootstrap,
    fewest_seeds,
    mcnemar_exact,
    plan_power,
    power,
    seeds_needed,
    sign_flip,
    sign_flip_interval,
    sign_flip_p_value,
    smallest_detectable_effect,
    wilson_interval,
)

# Darwin's maize plants, in eighths of an inch (Fisher, The Design of Experiments, section 17).
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]

finite = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))


@given(trials=st.integers(1, 300), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=50, deadline=None)
def test_intervals_of_a_share_are_those_of_scipy(trials: int, share: float, confidence: float) -> None:
    successes = round(share * trials)
    reference = stats.binomtest(successes, trials)
    for ours, method in ((wilson_interval, "wilson"), (clopper_pearson_interval, "exact")):
        theirs = reference.proportion_ci(confidence, method)
        assert ours(successes, trials, confidence=confidence).low == pytest.approx(theirs.low, abs=1e-9)
        assert ours(successes, trials, confidence=confidence).high == pytest.approx(theirs.high, abs=1e-9)


def test_wilson_reaches_exactly_0_and_1_at_the_ends() -> None:
    assert wilson_interval(0, 30).low == 0.0
    assert wilson_interval(30, 30).high == 1.0


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_clopper_pearson_covers_at_least_the_level_and_wilson_nearly(share: float) -> None:
    trials = 40
    chances = stats.binom.pmf(np.arange(trials + 1), trials, share)
    exact = sum(chances[k] for k in range(trials + 1) if share in clopper_pearson_interval(k, trials))
    wilson = sum(chances[k] for k in range(trials + 1) if share in wilson_interval(k, trials))
    assert exact >= 0.95
    assert wilson >= 0.92


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (3, 2), (-1, 2)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(UsageError, match="trial"):
        wilson_interval(successes, trials)
    with pytest.raises(UsageError, match="trial"):
        clopper_pearson_interval(successes, trials)


def test_a_level_outside_0_to_1_is_refused() -> None:
    with pytest.raises(UsageError, match="got 95"):
        wilson_interval(1, 2, confidence=95)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
@settings(max_examples=50, deadline=None)
def test_mcnemar_is_the_binomial_test_of_the_discordant_items(pairs: list[tuple[bool, bool]]) -> None:
    result = mcnemar_exact([a for a, _ in pairs], [b for _, b in pairs])
    assert result.only_first == sum(a and not b for a, b in pairs)
    assert result.only_second == sum(b and not a for a, b in pairs)
    if result.only_first + result.only_second:
        expected = stats.binomtest(result.only_first, result.only_first + result.only_second).pvalue
        assert result.p_value == pytest.approx(expected)
    else:
        assert result.p_value == 1.0


def test_mcnemar_refuses_lists_of_different_lengths() -> None:
    with pytest.raises(UsageError, match="2 and 1"):
        mcnemar_exact([True, False], [True])


def test_sign_flip_gives_fishers_p_value_of_darwins_plants() -> None:
    result = sign_flip(DARWIN)
    assert result.p_value == 2 * 863 / 2**15
    assert result.method == "exact"
    assert result.estimate == pytest.approx(314 / 15)


@given(st.lists(finite, min_size=2, max_size=8))
@settings(max_examples=30, deadline=None)
def test_sign_flip_is_scipys_permutation_test_of_the_mean(values: list[float]) -> None:
    theirs = stats.permutation_test((np.array(values),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p_value(values) == pytest.approx(theirs.pvalue)


@given(st.lists(finite, min_size=6, max_size=9), finite)
@settings(max_examples=50, deadline=None)
def test_the_interval_holds_the_effects_that_are_not_rejected(values: list[float], effect: float) -> None:
    interval = sign_flip_interval(values)
    slack = 1e-9 * (1 + max(map(abs, values)))
    if interval.low + slack < effect < interval.high - slack:
        assert sign_flip_p_value(values, effect=effect) > 0.05
    elif effect < interval.low - slack or effect > interval.high + slack:
        assert sign_flip_p_value(values, effect=effect) <= 0.05


def test_six_seeds_of_one_sign_give_two_in_64_and_their_range() -> None:
    result = sign_flip([0.1, 0.2, 0.3, 0.2, 0.1, 0.4])
    assert result.p_value == 2 / 64
    assert (result.low, result.high) == (0.1, 0.4)


def test_five_seeds_can_exclude_nothing() -> None:
    result = sign_flip([0.5, 0.6, 0.5, 0.6, 0.5])
    assert (result.low, result.high) == (-math.inf, math.inf)
    assert result.smallest_p_value > 0.05
    assert fewest_seeds() == 6
    assert fewest_seeds(alpha=0.1) == 5


def test_differences_that_cancel_up_to_rounding_count_as_ties() -> None:
    assert 0.1 + 0.2 - 0.3 != 0.0
    assert sign_flip_p_value([0.1, 0.2, -0.3]) == 1.0
    assert sign_flip_p_value([1, 2, -3]) == 1.0


def test_many_differences_are_drawn_at_random_with_a_stated_error_and_a_seed() -> None:
    values = list(np.random.default_rng(3).normal(0.4, 1, 24))
    result = sign_flip(values, seed=1)
    assert result.method == "monte-carlo"
    assert result == sign_flip(values, seed=1)
    reference = stats.ttest_1samp(values, 0)
    assert result.p_value == pytest.approx(reference.pvalue, abs=0.02)
    assert result.p_value_error == pytest.approx(0.00175, abs=0.0001)
    assert result.low == pytest.approx(reference.confidence_interval().low, abs=0.1)


def test_differences_that_are_not_finite_or_absent_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one"):
        sign_flip([])
    with pytest.raises(UsageError, match="finite"):
        sign_flip([1.0, math.nan])


@pytest.mark.parametrize("draw", ["normal", "laplace", "uniform"])
def test_the_sign_flip_interval_covers_at_least_its_level(draw: str) -> None:
    random = np.random.default_rng(5)
    samples = {"normal": random.normal, "laplace": random.laplace, "uniform": random.uniform}[draw](size=(600, 8))
    centre = 0.5 if draw == "uniform" else 0.0
    covered = sum(centre in sign_flip_interval(row) for row in samples)
    # 1 - 12 / 256 = .953 exactly; three standard errors of 600 draws are .026.
    assert covered / 600 == pytest.approx(1 - 12 / 256, abs=0.026)


def test_the_crossed_bootstrap_covers_where_seeds_and_items_both_vary() -> None:
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(100):
        table = 1.0 + random.normal(size=(12, 1)) + random.normal(size=(1, 15)) + random.normal(size=(12, 15))
        covered += 1.0 in crossed_bootstrap(table.tolist(), draws=400)
    assert covered >= 86


def test_items_of_one_group_are_resampled_together() -> None:
    table = [[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]] * 6
    alone = crossed_bootstrap(table)
    grouped = crossed_bootstrap(table, groups=["a", "a", "a", "b", "b", "b"])
    assert grouped.high - grouped.low > alone.high - alone.low


def test_the_bootstrap_refuses_a_ragged_table_and_missing_groups() -> None:
    with pytest.raises(UsageError, match="same items"):
        crossed_bootstrap([[1.0], [1.0, 2.0]])
    with pytest.raises(UsageError, match="2 items"):
        crossed_bootstrap([[1.0, 2.0]], groups=["a"])


def test_power_beyond_ten_seeds_is_that_of_the_t_test() -> None:
    # Cohen's example as G*Power gives it: dz = .5, 34 pairs, two-sided .05.
    assert power(0.5, 1.0, 34) == pytest.approx(0.808, abs=0.001)
    assert power(100.0, 1.0, 34) == pytest.approx(1.0)
    assert seeds_needed(0.5, 1.0) == 34


def test_power_of_six_seeds_is_that_of_all_signs_equal() -> None:
    for effect in (0.0, 0.7, 1.5):
        exact = stats.norm.cdf(effect) ** 6 + stats.norm.cdf(-effect) ** 6
        assert power(effect, 1.0, 6) == pytest.approx(exact, abs=0.025)


def test_power_at_the_smallest_detectable_effect_is_the_target() -> None:
    for seeds in (6, 9, 30):
        assert power(smallest_detectable_effect(0.3, seeds), 0.3, seeds) == pytest.approx(0.8, abs=0.005)


def test_too_few_seeds_find_nothing_however_large() -> None:
    assert power(100.0, 1.0, 5) == 0.0
    assert smallest_detectable_effect(1.0, 5) == math.inf


def test_seeds_without_spread_find_every_effect() -> None:
    assert power(0.1, 0.0, 6) == 1.0
    assert power(0.0, 0.0, 6) == 0.0
    assert seeds_needed(0.1, 0.0) == 6


def test_no_number_of_seeds_finds_an_effect_of_nothing() -> None:
    assert seeds_needed(0.0, 1.0) is None


def test_a_plan_says_what_more_seeds_or_items_would_give() -> None:
    plan = plan_power(baseline=0.2, effect=0.2, items=30, seeds=6, seed_sd=0.02)
    assert plan.difference_sd == pytest.approx(math.sqrt(2 * 0.02**2 + (0.16 + 0.24) / 30))
    assert plan.seeds_needed is not None
    assert plan.items_needed is not None
    more_items = plan_power(baseline=0.2, effect=0.2, items=plan.items_needed, seeds=6, seed_sd=0.02)
    more_seeds = plan_power(baseline=0.2, effect=0.2, items=30, seeds=plan.seeds_needed, seed_sd=0.02)
    assert plan.power < 0.8 <= min(more_items.power, more_seeds.power)


def test_items_cannot_make_up_for_seeds_that_differ() -> None:
    assert plan_power(baseline=0.2, effect=0.05, items=30, seeds=6, seed_sd=0.1).items_needed is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed_sd": -0.1}, "standard deviation"),
        ({"seed_sd": math.nan}, "standard deviation"),
        ({"seed_sd": math.inf}, "standard deviation"),
        ({"baseline": 20}, "baseline"),
        ({"effect": 0.9}, "effect"),
        ({"items": 0}, "item"),
        ({"target": 80}, "power"),
        ({"seed_sd": math.nan}, "deviation"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_a_plan_refuses_values_out_of_range(change: dict[str, float], words: str) -> None:
    given_values = {"baseline": 0.2, "effect": 0.2, "items": 30, "seeds": 6, "seed_sd": 0.1} | change
    with pytest.raises(UsageError, match=words):
        plan_power(**given_values)


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "seeds"), [(0.8, 8), (0.9, 12)])
def test_simulated_experiments_reject_as_often_as_the_power_says(effect: float, seeds: int) -> None:
    samples = np.random.default_rng(8).normal(effect, 1.0, size=(3000, seeds))
    found = np.mean([sign_flip_p_value(row) <= 0.05 for row in samples])
    assert found == pytest.approx(power(effect, 1.0, seeds), abs=0.03)


def test_the_error_of_a_drawn_p_value_is_that_of_other_draws() -> None:
    values = np.random.default_rng(1).normal(0.45, 1, size=25)
    found = [sign_flip(values.tolist(), seed=seed) for seed in range(24)]
    spread = np.std([each.p_value for each in found], ddof=1)
    # A standard deviation of 24 draws is known to some 15%.
    assert found[0].p_value_error == pytest.approx(float(spread), rel=0.25)


@pytest.mark.parametrize(
    "asked",
    [
        lambda: power(math.nan, 1.0, 8),
        lambda: seeds_needed(math.nan, 1.0),
        lambda: seeds_needed(1.0, 1.0, target=1.5),
        lambda: smallest_detectable_effect(-1.0, 8),
        lambda: smallest_detectable_effect(math.nan, 8),
        lambda: smallest_detectable_effect(1.0, 0),
        lambda: smallest_detectable_effect(1.0, 8, target=1.5),
    ],
)
def test_a_power_of_what_is_no_number_is_refused(asked) -> None:
    with pytest.raises(UsageError):
        asked()
