"""The statistics of crossed experiments: permutation within blocks, clusters, Holm, detectable differences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import UsageError
from shoal.statistics import (
    BlockedPermutation,
    blocked_test,
    cluster_robust_se,
    detectable_difference,
    detectable_shift,
    holm,
    mcnemar_exact,
    two_way_se,
)

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=6, max_size=40)


def by_hand(treatment: list[list[float]], baseline: list[list[float]], effect: float) -> tuple[float, float]:
    """Both one-sided p-values over all divisions, one by one."""

    def statistic(groups: list[tuple[list[float], list[float]]]) -> float:
        difference = float(np.mean([np.mean(one) - np.mean(other) for one, other in groups]))
        variance = sum(np.var(part, ddof=1) / len(part) for pair in groups for part in pair) / len(groups) ** 2
        return difference / math.sqrt(variance)

    blocks = [([value - effect for value in one], other) for one, other in zip(treatment, baseline, strict=True)]
    observed = statistic(blocks)
    choices = []
    for one, other in blocks:
        pool = [*one, *other]
        choices.append(
            [
                ([pool[k] for k in chosen], [pool[k] for k in range(len(pool)) if k not in chosen])
                for chosen in itertools.combinations(range(len(pool)), len(one))
            ]
        )
    found = [statistic(list(division)) for division in itertools.product(*choices)]
    above = sum(value >= observed - 1e-9 for value in found) / len(found)
    return above, sum(value <= observed + 1e-9 for value in found) / len(found)


def test_the_permutation_within_blocks_is_that_of_all_divisions_one_by_one() -> None:
    random = np.random.default_rng(1)
    treatment, baseline = random.normal(0.5, 1, (2, 3)).tolist(), random.normal(0, 2, (2, 3)).tolist()
    test = BlockedPermutation(treatment, baseline)
    assert test.exact
    assert test.divisions == 400
    for effect in (0.0, 0.7, -1.5):
        assert test.one_sided(effect) == pytest.approx(by_hand(treatment, baseline, effect))


def test_the_interval_holds_the_effects_that_are_not_rejected() -> None:
    random = np.random.default_rng(2)
    test = BlockedPermutation(random.normal(0.3, 0.1, (3, 5)).tolist(), random.normal(0, 0.1, (3, 5)).tolist())
    low, high = test.interval(0.95)
    assert 0.1 < low < test.estimate < high < 0.5
    for inside, outside in ((low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)):
        assert test.p_value(inside) > 0.05
        assert test.p_value(outside) <= 0.05


def test_two_seeds_of_one_block_can_exclude_nothing() -> None:
    found = blocked_test([[0.9, 1.0]], [[0.0, 0.1]])
    assert found.smallest_p_value == pytest.approx(2 / 6)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_values_without_spread_have_an_interval_without_width() -> None:
    found = blocked_test([[1.0] * 4, [1.0] * 4], [[0.0] * 4, [0.0] * 4])
    assert (found.low, found.estimate, found.high) == (1.0, 1.0, 1.0)
    assert found.p_value == pytest.approx(found.smallest_p_value)
    same = blocked_test([[1.0] * 4], [[1.0] * 4])
    assert (same.estimate, same.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("treatment", "baseline", "words"),
    [
        ([], [], "same blocks"),
        ([[1.0, 2.0]], [[1.0, 2.0], [1.0]], "same blocks"),
        ([[]], [[1.0, 2.0]], "value of both groups"),
        ([[math.nan, 1.0]], [[1.0, 2.0]], "finite"),
        ([[1.0]], [[2.0]], "two values"),
    ],
)
def test_blocks_that_cannot_be_compared_are_refused(
    treatment: list[list[float]], baseline: list[list[float]], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        blocked_test(treatment, baseline)


@pytest.mark.slow
def test_the_interval_within_blocks_covers_as_often_as_it_should() -> None:
    # Blocks whose effects differ, groups whose spreads differ: the hard case for a permutation test.
    random = np.random.default_rng(3)
    effects, covered, wrong, runs = np.array([0.1, 0.3, 0.5]), 0, 0, 400
    for run in range(runs):
        treatment = effects[:, None] + random.normal(0, 0.2, (3, 5))
        baseline = random.normal(0, 0.1, (3, 5))
        test = BlockedPermutation(treatment.tolist(), baseline.tolist(), seed=run)
        covered += test.p_value(0.3) > 0.05
        null = BlockedPermutation((treatment - effects[:, None]).tolist(), baseline.tolist(), seed=run)
        wrong += null.p_value() <= 0.05
    assert 0.92 <= covered / runs <= 0.98
    assert wrong / runs <= 0.08


@settings(max_examples=30, deadline=None)
@given(SCORES, st.integers(2, 5))
def test_standard_errors_are_those_of_errorbars(scores: list[float], clusters: int) -> None:
    errorbars = pytest.importorskip("errorbars")
    labels = [place % clusters for place in range(len(scores))]
    assert cluster_robust_se(scores, labels) == pytest.approx(errorbars.cluster_robust_se(scores, labels), abs=1e-9)
    each = cluster_robust_se(scores, range(len(scores)))
    assert each == pytest.approx(errorbars.mean_ci_clt(scores).se, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_that_of_errorbars(pairs: list[tuple[bool, bool]]) -> None:
    compare = pytest.importorskip("errorbars.compare")
    first, second = zip(*pairs, strict=True)
    peer = compare.mcnemar_exact([float(one) for one in first], [float(one) for one in second])
    assert mcnemar_exact(first, second).p_value == pytest.approx(peer.p_value, abs=1e-9)


@pytest.mark.parametrize("share", [0.05, 0.4, 0.5, 0.9])
@pytest.mark.parametrize(("items", "correlation", "inflation"), [(2, 0.0, 1.0), (300, 0.4, 2.5), (5000, -0.2, 1.3)])
@pytest.mark.parametrize(("alpha", "target"), [(0.05, 0.8), (0.01, 0.9)])
def test_detectable_differences_are_those_of_errorbars(
    share: float, items: int, correlation: float, inflation: float, alpha: float, target: float
) -> None:
    power = pytest.importorskip("errorbars.power")
    peer = power.minimum_detectable_effect(
        items, share, alpha=alpha, power=target, rho=correlation, cluster_design_effect=inflation
    )
    ours = detectable_difference(
        share * (1 - share), items, correlation=correlation, design_effect=inflation, target=target, alpha=alpha
    )
    assert ours == pytest.approx(peer, abs=1e-9)


def test_clusters_widen_a_standard_error_whose_items_rise_and_fall_together() -> None:
    scores = [float(place // 5 % 2) for place in range(50)]
    assert cluster_robust_se(scores, [place // 5 for place in range(50)]) > 2 * cluster_robust_se(scores, range(50))


def test_two_ways_of_clustering_are_those_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    covariance = pytest.importorskip("statsmodels.stats.sandwich_covariance")
    random = np.random.default_rng(4)
    rows, items = 12, 9
    scores = random.normal(size=rows)[:, None] + random.normal(size=items) + random.normal(size=(rows, items))
    flat = scores.ravel()
    first, second = np.repeat(range(rows), items), np.tile(range(items), rows)
    fit = api.OLS(flat, np.ones(len(flat))).fit()
    peer, *_ = covariance.cov_cluster_2groups(fit, first, second)
    ours = two_way_se((flat - flat.mean()) / len(flat), first.tolist(), second.tolist())
    assert ours == pytest.approx(math.sqrt(peer.item()), rel=1e-9)


def test_one_cluster_has_no_standard_error() -> None:
    with pytest.raises(UsageError, match="two clusters"):
        cluster_robust_se([0.0, 1.0], ["a", "a"])
    with pytest.raises(UsageError, match="as many clusters"):
        cluster_robust_se([0.0, 1.0], ["a"])
    with pytest.raises(UsageError, match="two clusters"):
        two_way_se([0.1, -0.1], ["a", "b"], ["c", "c"])


def test_holm_is_that_of_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    values = [0.01, 0.04, 0.03, 0.005, 0.2, 0.03]
    assert holm(values) == pytest.approx(multitest.multipletests(values, method="holm")[1])
    assert holm([]) == ()
    with pytest.raises(UsageError, match="between 0 and 1"):
        holm([1.5])


def test_a_detectable_shift_has_the_power_that_was_asked_and_tends_to_the_normal_one() -> None:
    from scipy.stats import nct, t

    shift = detectable_shift(9, target=0.8)
    edge = t.ppf(0.975, 9)
    assert nct.sf(edge, 9, shift) + nct.cdf(-edge, 9, shift) == pytest.approx(0.8)
    assert detectable_shift(1e6) == pytest.approx(detectable_shift(math.inf), abs=1e-3)
    with pytest.raises(UsageError, match="degrees of freedom"):
        detectable_shift(0)


def test_one_degree_of_freedom_finds_only_what_is_far_off() -> None:
    from scipy import stats

    shift, random = detectable_shift(1), np.random.default_rng(0)
    found = stats.ttest_1samp(shift * math.sqrt(0.5) + random.normal(size=(20_000, 2)), 0, axis=1).pvalue < 0.05
    assert shift == pytest.approx(16.3, abs=0.1)
    assert found.mean() == pytest.approx(0.8, abs=0.01)
    # At half of the level the edge lies twice as far out.
    assert detectable_shift(1, alpha=0.025) == pytest.approx(2 * shift, rel=0.01)


def test_groups_without_spread_bound_no_effect_that_the_test_does_not_reject() -> None:
    # One block of two equal values a side, and seven of single values that go either way.
    single = (5, -4, 3, -2, 6, -5, 4)
    found = blocked_test([[1.0, 1.0], *([float(one)] for one in single)], [[0.0, 0.0], *[[0.0]] * 7])
    assert found.standard_error == 0
    assert found.p_value > 0.05
    assert found.low < 0 < found.high
    # Four values a side that never vary settle the effect.
    sure = blocked_test([[1.0] * 4], [[0.0] * 4])
    assert (sure.low, sure.high) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize(("seeds", "confidence"), [((3, 3), 0.9), ((2, 3), 0.8)])
def test_an_effect_that_the_fewest_divisions_reject_lies_off_the_interval(
    seeds: tuple[int, int], confidence: float
) -> None:
    # Twice 1 of 20 is 0.1, which 1 - 0.9 falls short of by rounding alone.
    found = blocked_test([[10.0, 11.0, 12.0][: seeds[0]]], [[0.0, 1.0, 2.0][: seeds[1]]], confidence=confidence)
    assert found.p_value == pytest.approx(1 - confidence)
    assert 0 < found.low < found.estimate < found.high < math.inf
