"""What is taken off a series, and that places stay where they are."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points, deseasonalize, difference, preprocess, robust_ranks
from shoal.changes.validation import as_stream
from shoal.errors import DataError, UsageError


def test_differences_make_a_trend_a_level_and_keep_the_length() -> None:
    result = difference(np.arange(10.0) * 3.0)
    assert np.isnan(result[0])
    assert result[1:].tolist() == [3.0] * 9
    assert np.isnan(difference(np.arange(24.0), lag=12)[:12]).all()


def test_a_change_of_slope_is_found_in_the_differences_at_its_place() -> None:
    slope = np.where(np.arange(1000) < 400, 0.0, 1.5)
    series = np.cumsum(slope + np.random.default_rng(1).normal(size=1000))
    found = change_points(difference(series))
    assert len(found.places) == 1
    assert abs(found.places[0] - 400) <= 5


def test_a_season_is_taken_off_and_a_shift_is_kept() -> None:
    steps = np.arange(240)
    shift = np.where(steps < 120, 0.0, 5.0)
    result = deseasonalize(10.0 * np.sin(2 * np.pi * steps / 12) + shift, 12)
    np.testing.assert_allclose(result, shift + result[0], atol=1e-9)


def test_running_median_ranks_drop_a_single_outlier_and_keep_gaps() -> None:
    values = np.concatenate([np.zeros(20), np.ones(20)])
    spoilt = values.copy()
    spoilt[7] = 1e9
    np.testing.assert_array_equal(robust_ranks(spoilt), robust_ranks(values))
    assert robust_ranks(values)[19] < robust_ranks(values)[20]
    gapped = values.copy()
    gapped[3] = np.nan
    assert np.isnan(robust_ranks(gapped)).tolist() == np.isnan(gapped).tolist()


def test_tables_are_prepared_column_by_column() -> None:
    table = np.random.default_rng(0).normal(size=(40, 2))
    for function in (difference, robust_ranks, lambda x: deseasonalize(x, 4)):
        np.testing.assert_allclose(function(table)[:, 1], function(table[:, 1]))


def test_what_holds_no_numbers_is_refused_in_one_line() -> None:
    for function in (difference, robust_ranks, lambda x: deseasonalize(x, 2)):
        with pytest.raises(DataError, match="symbols"):
            function(["a", "b", "c", "d"])


def test_infinities_and_lists_with_none_are_taken() -> None:
    np.testing.assert_array_equal(difference([1.0, np.inf, np.inf, None, 2.0])[1:2], [np.inf])
    assert np.isnan(difference([1.0, np.inf, np.inf, None, 2.0])[2:]).all()


def test_a_stream_is_prepared_with_its_labels_and_says_what_it_has_become() -> None:
    stream = as_stream(np.arange(48.0), index=np.arange(1900, 1948))
    made = preprocess(stream, lag=12, period=4)
    np.testing.assert_array_equal(made.values[:, 0], difference(deseasonalize(np.arange(48.0), 4), lag=12))
    assert made.names == ("diff(deseason(x, 4), 12)",)
    assert made.index is stream.index
    assert preprocess(stream) is stream
    with pytest.raises(UsageError, match="symbols"):
        preprocess(as_stream("abab"), lag=1)


def test_settings_that_do_not_fit_the_series_are_refused() -> None:
    with pytest.raises(UsageError, match="lag"):
        difference([1.0, 2.0], lag=2)
    with pytest.raises(UsageError, match="period"):
        deseasonalize(np.zeros(10), 6)
    with pytest.raises(UsageError, match="odd"):
        robust_ranks(np.zeros(10), window=4)
