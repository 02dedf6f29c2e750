"""Samples with replacement, and the intervals that they give."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.statistics import (
    crossed_bootstrap,
    enough_units,
    intervals as module,
    percentile_interval,
    resampled_places,
    resampled_ratios,
)


def test_ratios_of_all_ones_are_means_of_samples() -> None:
    values = np.random.default_rng(0).normal(size=40)
    means = resampled_ratios(values, np.ones(40), draws=4000, seed=1)
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / 40**0.5, rel=0.05)


def test_several_ratios_share_their_samples() -> None:
    values = np.random.default_rng(0).random((3, 25))
    below = np.arange(1.0, 26.0)
    together = resampled_ratios(values, below, seed=3)
    apart = [resampled_ratios(row, below, seed=3) for row in values]
    assert together.shape == (2000, 3)
    np.testing.assert_allclose(together, np.stack(apart, axis=1))


def test_a_large_corpus_is_drawn_in_blocks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    over, below = np.random.default_rng(0).random((2, 50))
    at_once = resampled_ratios(over, below, draws=300, seed=5)
    monkeypatch.setattr(module, "_AT_ONCE", 7 * 50)
    np.testing.assert_allclose(resampled_ratios(over, below, draws=300, seed=5), at_once)


def test_a_sample_that_holds_nothing_below_is_divided_by_one() -> None:
    assert np.isfinite(resampled_ratios(np.array([2.0, 0.0]), np.array([1.0, 0.0]))).all()


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    inside = 0
    for seed in range(300):
        values = random.normal(size=60)
        low, high = percentile_interval(resampled_ratios(values, np.ones(60), draws=400, seed=seed), 0.9)
        inside += low < 0 < high
    assert 250 <= inside <= 288  # 270 on average; outside of that about once in a thousand


def test_further_axes_have_intervals_of_their_own() -> None:
    drawn = np.stack([np.linspace(0, 1, 1001), np.linspace(10, 20, 1001)], axis=1)
    low, high = percentile_interval(drawn, 0.8)
    np.testing.assert_allclose(low, [0.1, 11.0])
    np.testing.assert_allclose(high, [0.9, 19.0])


def test_places_are_of_the_units() -> None:
    places = resampled_places(7, draws=500, seed=2)
    assert places.shape == (500, 7)
    assert set(places.ravel()) == set(range(7))


def test_six_units_are_enough_at_95_percent() -> None:
    assert [enough_units(units, 0.95) for units in (5, 6)] == [False, True]


def test_a_table_with_a_difference_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="finite differences"):
        crossed_bootstrap([[1.0, float("nan")], [0.0, 1.0]])
