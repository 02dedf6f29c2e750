"""Missing values neither hide a change of what is known nor invent one; a long outage is found."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points, difference


def noise(seed: int, length: int = 2000) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=length)


def shifted(seed: int = 1) -> np.ndarray:
    return noise(seed) + np.repeat([0.0, 1.5], 1000)


@pytest.mark.parametrize("start", [0, 300, 1500, 1980])
@pytest.mark.parametrize("count", [None, 2])
def test_a_gap_does_not_hide_a_change(start: int, count: int | None) -> None:
    values = shifted()
    values[start : start + 20] = np.nan
    (place,) = change_points(values, process_count=count).places
    assert abs(place - 1000) <= 3


@pytest.mark.parametrize("start", [980, 1000])
def test_a_change_in_or_beside_a_gap_lies_in_the_gap(start: int) -> None:
    values = shifted()
    values[start : start + 20] = np.nan
    (place,) = change_points(values).places
    assert start - 3 <= place <= start + 23


def test_a_gap_of_another_coordinate_does_not_hide_a_change() -> None:
    table = np.column_stack([shifted(), noise(2)])
    table[300:320, 1] = np.nan
    (place,) = change_points(table).places
    assert abs(place - 1000) <= 3


def test_seasonal_differences_keep_their_changes() -> None:
    values = noise(3) * np.repeat([1.0, 3.0], 1000) + np.sin(2 * np.pi * np.arange(2000) / 24)
    (place,) = change_points(difference(values, lag=24)).places
    assert abs(place - 1000) <= 30


@pytest.mark.parametrize("step", [0, -1])
@pytest.mark.parametrize(("streams", "most"), [(4, 1), pytest.param(12, 2, marks=pytest.mark.slow)])
def test_one_missing_value_at_an_end_is_no_change(step: int, streams: int, most: int) -> None:
    found = 0
    for seed in range(streams):
        values = noise(seed, 3000)
        values[step] = np.nan
        found += bool(change_points(values).changes)
    assert found <= most


@pytest.mark.parametrize(("start", "length"), [(100, 20), (1000, 60), (0, 200), (1950, 50)])
@pytest.mark.parametrize(("streams", "most"), [(4, 1), pytest.param(10, 2, marks=pytest.mark.slow)])
def test_a_gap_is_no_change(start: int, length: int, streams: int, most: int) -> None:
    found = 0
    for seed in range(streams):
        values = noise(seed)
        values[start : start + length] = np.nan
        found += bool(change_points(values).changes)
    assert found <= most


@pytest.mark.parametrize("count", [None, 2])
def test_both_ends_of_an_outage_are_changes(count: int | None) -> None:
    values = noise(4, 1000)
    values[400:600] = np.nan
    found = change_points(values, process_count=count)
    assert found.places == [400, 600]
    assert all(change.p_value <= 0.05 for change in found.changes)


def test_an_outage_of_one_coordinate_or_at_the_end_is_found() -> None:
    table = noise(5).reshape(1000, 2)
    table[400:600, 1] = np.nan
    assert change_points(table).places == [400, 600]
    values = noise(6, 1000)
    values[800:] = np.nan
    assert change_points(values).places == [800]


def test_a_stream_that_is_missing_more_often_has_changed() -> None:
    values = noise(7)
    values[np.random.default_rng(7).random(2000) < np.repeat([0.02, 0.3], 1000)] = np.nan
    (place,) = change_points(values).places
    assert abs(place - 1000) < 60
