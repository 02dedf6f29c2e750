"""Intervals over few units, and laws above a floor fitted to many rows at once."""

import numpy as np
import pytest
from scipy.stats import t

from shoal.errors import UsageError
from shoal.statistics import fit_floors, mean_estimate, percentile_ends, student_bootstrap


def test_the_interval_of_a_mean_is_the_usual_t_interval():
    values = np.array([1.0, 2.5, 2.0])
    half = t.ppf(0.975, 2) * values.std(ddof=1) / np.sqrt(3)
    for found in (mean_estimate(values.tolist()), student_bootstrap(lambda places: values[places].mean(), 3)):
        assert found.value == pytest.approx(values.mean())
        assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_three_units_hold_the_truth_as_often_as_they_claim_where_percentiles_do_not():
    draws = np.random.default_rng(0).normal(size=(400, 3))
    covered = np.mean([abs(row.mean()) <= mean_estimate(row.tolist()).high - row.mean() for row in draws])
    inside = np.mean([row.min() <= 0 <= row.max() for row in draws])
    assert covered == pytest.approx(0.95, abs=0.03)
    assert inside < 0.8  # what a percentile of a bootstrap can reach at most


def test_the_detectable_effect_is_found_as_often_as_it_is_asked_for():
    spread = mean_estimate([-1.0, 0.0, 1.0, 0.5, -0.5])  # standard deviation .79
    effect = spread.detectable_effect(0.8)
    rows = effect + np.std([-1.0, 0.0, 1.0, 0.5, -0.5], ddof=1) * np.random.default_rng(0).normal(size=(2000, 5))
    half = t.ppf(0.975, 4) * rows.std(axis=1, ddof=1) / np.sqrt(5)
    assert np.mean(np.abs(rows.mean(axis=1)) > half) == pytest.approx(0.8, abs=0.03)
    two = mean_estimate([0.0, 1.0])  # one degree of freedom
    pairs = two.detectable_effect() + np.sqrt(0.5) * np.random.default_rng(1).normal(size=(4000, 2))
    assert np.mean(np.abs(pairs.mean(axis=1)) > t.ppf(0.975, 1) * pairs.std(axis=1, ddof=1) / np.sqrt(2)) == (
        pytest.approx(0.8, abs=0.03)
    )
    assert mean_estimate([1.0, 1.0]).detectable_effect() == np.inf
    assert mean_estimate([2.0]).detectable_effect() == np.inf
    with pytest.raises(UsageError, match="a power lies between"):
        spread.detectable_effect(1.0)


def test_one_unit_gives_no_interval_and_none_is_refused():
    assert mean_estimate([2.0]).low is None
    assert mean_estimate([2.0]).bounds == (-np.inf, np.inf)
    assert str(mean_estimate([2.0])) == "2.0000 (no interval)"
    with pytest.raises(UsageError, match="at least one"):
        student_bootstrap(lambda places: 0.0, 0)
    with pytest.raises(UsageError, match="finite"):
        mean_estimate([float("nan")])
    with pytest.raises(UsageError, match="finite"):
        student_bootstrap(lambda places: float("nan"), 2)


def test_floors_factors_and_exponents_are_found_again():
    sizes = np.arange(1.0, 9)
    truth = [(2.0, 0.5, 1.0), (1.5, 0.3, 0.5)]
    rows = np.array([floor + factor * sizes**-exponent for floor, factor, exponent in truth])
    found = fit_floors(sizes, rows)
    np.testing.assert_allclose(found.floors_R, [2.0, 1.5], atol=5e-3)
    np.testing.assert_allclose(found.factors_R, [0.5, 0.3], atol=1e-2)
    np.testing.assert_allclose(fit_floors(sizes[:3], rows[:1, :3], exponents=[1.0]).floors_R, [2.0], atol=1e-9)
    with pytest.raises(UsageError, match="different sizes"):
        fit_floors(np.ones(3), rows[:, :3])
    with pytest.raises(UsageError, match="above 0"):
        fit_floors(sizes, -rows)


def test_a_law_above_a_floor_is_the_same_in_any_unit():
    sizes = np.array([1e6, 3e6, 1e7, 3e7, 1e8])
    losses = 2 + 100 * sizes**-0.3
    plain, large = fit_floors(sizes, losses[None]), fit_floors(sizes, 1e5 * losses[None])
    assert large.exponents_R == plain.exponents_R
    np.testing.assert_allclose(large.floors_R, 1e5 * plain.floors_R)
    np.testing.assert_allclose(large.factors_R, 1e5 * plain.factors_R)


def test_units_that_are_all_alike_give_no_interval():
    losses = np.array([0.1 + 0.2, 0.3, 0.3])  # equal up to rounding
    for found in (mean_estimate(losses.tolist()), student_bootstrap(lambda places: losses[places].mean(), 3)):
        assert (found.low, found.high, found.units) == (None, None, 3)
        assert found.value == pytest.approx(0.3)


def test_an_estimate_is_written_in_the_digits_asked_for():
    found = mean_estimate([0.5, 0.75, 1.0])
    assert f"{found:.0%}" == "75% [13%, 137%]"
    assert f"{found:.2f}" == "0.75 [0.13, 1.37]"
    assert str(found) == "0.7500 [0.1290, 1.3710]"


def test_a_statistic_that_some_samples_do_not_have_has_no_interval():
    gains = np.array([1.0, 2.0, 3.0])
    found = student_bootstrap(lambda places: float("nan") if (places == 0).all() else gains[places].mean(), 3)
    assert (found.value, found.low, found.high) == (2.0, None, None)
    assert percentile_ends(np.array([0.1, np.nan, 0.3]), units=30, confidence=0.95) == (None, None)
