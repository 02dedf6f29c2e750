"""Means over trainings and items that are crossed: their intervals hold over both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from shoal.errors import UsageError
from shoal.statistics import crossed_difference, crossed_mean


def test_one_training_gives_the_usual_interval_over_items() -> None:
    found = crossed_mean(np.array([[1.0, 2.0, 3.0, 4.0]]))
    assert found.value == 2.5
    low, high = stats.t.interval(0.95, 3, loc=2.5, scale=stats.sem([1, 2, 3, 4]))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_trainings_that_differ_give_an_interval_over_their_few_means() -> None:
    found = crossed_mean(np.repeat([[0.0], [0.5], [1.0]], 50, axis=1))
    low, high = stats.t.interval(0.95, 2, loc=0.5, scale=stats.sem([0, 0.5, 1]))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_trainings_that_agree_give_an_interval_over_items() -> None:
    items = np.random.default_rng(0).normal(size=50)
    found, one = crossed_mean(np.tile(items, (3, 1))), crossed_mean(items[None, :])
    assert found.high - found.low == pytest.approx(one.high - one.low)


def test_one_training_with_one_item_bounds_nothing() -> None:
    found = crossed_mean(np.array([[0.5]]))
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_equal_observations_know_no_more_than_their_items() -> None:
    found = crossed_mean(np.ones((3, 20)))
    assert (found.value, found.effective_items) == (1.0, 20.0)


def test_weights_make_it_a_ratio_of_sums_and_absent_cells_count_nothing() -> None:
    assert crossed_mean(np.array([[1.0, 4.0]]), weights_I=np.array([3.0, 1.0])).value == pytest.approx(1.75)
    assert crossed_mean(np.array([[1.0, np.nan], [1.0, 4.0]])).value == pytest.approx(2)


@pytest.mark.parametrize(("seed_sd", "item_sd"), [(0.3, 0.1), (0.02, 0.5), (0.2, 0.3)])
def test_the_interval_covers_the_mean_where_trainings_and_items_are_drawn(seed_sd: float, item_sd: float) -> None:
    draw, covered, runs = np.random.default_rng(7), 0, 250
    for _ in range(runs):
        values_TI = draw.normal(0, seed_sd, (3, 1)) + draw.normal(0, item_sd, (1, 30)) + draw.normal(0, 0.3, (3, 30))
        found = crossed_mean(values_TI)
        covered += found.low <= 0 <= found.high
    assert 0.9 <= covered / runs <= 0.99


def test_the_interval_of_a_difference_covers_it_and_is_not_blurred_by_how_hard_items_are() -> None:
    draw, covered, runs = np.random.default_rng(3), 0, 250
    hard_I = np.linspace(0, 10, 40)
    for _ in range(runs):
        treatment, baseline = (
            hard_I + shift + draw.normal(0, 0.1, (3, 1)) + draw.normal(0, 0.3, (3, 40)) for shift in (0.5, 0)
        )
        found = crossed_difference(treatment, baseline)
        covered += found.low <= 0.5 <= found.high
        assert found.high - found.low < 1.5
    assert 0.9 <= covered / runs <= 0.99


def test_a_table_without_observations_is_refused() -> None:
    with pytest.raises(UsageError, match="both sides"):
        crossed_difference(np.ones((2, 3)), np.full((2, 3), np.nan))
    with pytest.raises(UsageError, match="needs a table"):
        crossed_mean(np.full((1, 1), np.nan))


def test_trainings_and_items_without_any_observation_are_no_units() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(3, 8))
    weights = random.uniform(1, 2, size=8)
    wider = np.full((4, 10), np.nan)
    wider[:3, :8] = values
    wider[0, 0] = values[0, 0] = np.nan
    pairs = [
        (crossed_mean(wider), crossed_mean(values)),
        (crossed_mean(wider, weights_I=np.append(weights, [5.0, 9.0])), crossed_mean(values, weights_I=weights)),
    ]
    for ours, plain in pairs:
        assert list(ours.to_dict().values()) == pytest.approx(list(plain.to_dict().values()))
    other = random.normal(size=(2, 10))
    fewer = other.copy()
    fewer[:, 8:] = np.nan
    ours, plain = crossed_difference(wider, fewer), crossed_difference(values, other[:, :8])
    assert (ours.value, ours.low, ours.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_a_mean_whose_observations_all_weigh_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="weight is above 0"):
        crossed_mean(np.array([[1.0, 0.0], [np.nan, 1.0]]), weights_I=np.zeros(2))
