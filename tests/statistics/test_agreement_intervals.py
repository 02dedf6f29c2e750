"""Intervals of agreement: none of units that are too few or all alike."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import DataError
from shoal.statistics import accuracy, calibration_error, cohen_kappa, percentile_ends, resample_confusion


@pytest.mark.parametrize(("items", "groups"), [(40, None), (5, None), (40, [place // 8 for place in range(40)])])
def test_answers_that_all_agree_give_no_interval(items, groups):
    labels = np.arange(items) % 2
    found = resample_confusion(labels, labels, classes=2, groups=groups)
    for measure in (accuracy, cohen_kappa):
        estimate = found.estimate(measure)
        assert (estimate.value, estimate.low, estimate.high) == (1.0, None, None)
        assert f"{estimate:.3f}" == "1.000 (no interval)"
    assert calibration_error(labels.astype(float), labels, groups=groups).low is None


def test_groups_and_not_items_are_the_units_of_an_interval():
    labels, guesses = np.arange(40) % 2, np.arange(40) // 3 % 2
    alone = resample_confusion(labels, guesses, classes=2).estimate(accuracy)
    assert alone.units == 40
    assert alone.low is not None
    assert alone.high is not None
    assert alone.low < alone.value < alone.high
    five = resample_confusion(labels, guesses, classes=2, groups=[place // 8 for place in range(40)]).estimate(accuracy)
    assert (five.units, five.low) == (5, None)


def test_ends_that_differ_by_rounding_are_no_interval():
    assert percentile_ends(np.array([0.1 + 0.2, 0.3, 0.3]), units=9, confidence=0.95) == (None, None)
    rounded = 1.6323646 + 1e-8 * np.arange(5)
    assert percentile_ends(rounded, units=9, confidence=0.95) == (None, None)
    assert percentile_ends(1 + 1e-5 * np.arange(41.0), units=9, confidence=0.95) != (None, None)
    assert percentile_ends(np.array([]), units=9, confidence=0.95) == (None, None)
    assert percentile_ends(np.arange(41.0), units=9, confidence=0.95) == pytest.approx((1.0, 39.0))


def test_the_interval_of_a_calibration_error_holds_the_error_and_its_estimate():
    """Percentiles of the samples' errors hold this true error in none of the cases: all of them are too large."""
    held = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        forecasts = random.random(300)
        chances = np.clip(forecasts + 0.05 * np.sin(6 * forecasts), 0, 1)
        found = calibration_error(forecasts, (random.random(300) < chances).astype(int), draws=200, seed=seed)
        assert 0 <= found.low <= found.value <= found.high <= 1
        held.append(found.low <= 0.032 <= found.high)
    assert np.mean(held) > 0.75


@pytest.mark.parametrize("forecast", [-0.1, 1.1, np.nan])
def test_a_forecast_that_is_no_probability_is_refused(forecast):
    with pytest.raises(DataError, match="outside of 0 to 1"):
        calibration_error(np.array([0.5, forecast]), np.array([0, 1]))
