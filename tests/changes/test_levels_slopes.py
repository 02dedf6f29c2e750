"""Levels and slopes under noise with memory: found where they change, and seldom where noise alone moves."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import ChangePointDetector, change_points
from shoal.changes.generators import autoregressive
from shoal.errors import UsageError


def noise(length: int, phi: float, seed: int) -> np.ndarray:
    return autoregressive((length,), (phi,), seed=seed).values


def kink(length: int, place: int, before: float, after: float) -> np.ndarray:
    return np.cumsum(np.where(np.arange(length) < place, before, after))


def levels(values: np.ndarray) -> list[int]:
    return list(change_points(values, model="levels"))


def slopes(values: np.ndarray) -> list[int]:
    return list(change_points(values, model="slopes"))


@pytest.mark.parametrize(("length", "place"), [(120, 70), (300, 100), (2000, 1301)])
def test_a_shift_under_strong_memory_is_found_at_its_place(length: int, place: int) -> None:
    values = noise(length, 0.8, 3)
    values[place:] += 7.0
    assert levels(values) == [place]


@pytest.mark.parametrize(("length", "place"), [(60, 25), (200, 120), (5000, 3100)])
def test_a_change_of_slope_is_found_near_its_place(length: int, place: int) -> None:
    found = slopes(kink(length, place, 0.5, -0.5) * 60 / length + noise(length, 0.5, 4))
    assert len(found) == 1
    assert abs(found[0] - place) <= length // 20


def test_a_change_of_drift_of_a_random_walk_is_found() -> None:
    (place,) = slopes(kink(300, 140, 1.0, -1.0) + noise(300, 0.0, 1).cumsum() * 0.7)
    assert abs(place - 140) <= 5


def test_a_rising_curve_is_no_straight_line_of_ranks() -> None:
    rising = kink(150, 80, 0.2, 2.0) + 0.5 * noise(150, 0.5, 2)
    (place,) = change_points(rising)
    assert abs(place - 80) <= 4


def test_places_are_the_same_under_a_change_of_unit_and_sign() -> None:
    values = noise(150, 0.7, 5)
    values[60:] += 8.0
    assert levels(values) == levels(1e6 * values - 3e7) == levels(-1e-9 * values) == [60]


def test_single_outliers_gaps_and_missing_ends_do_not_move_a_change() -> None:
    values = noise(150, 0.5, 3)
    values[70:] += 5.0
    (place,) = levels(values)
    spoilt = values.copy()
    spoilt[[20, 110]] = [1e3, -np.inf]
    spoilt[[10, 40, 41, 90]] = np.nan
    assert levels(spoilt) == [place]
    assert levels(np.concatenate([np.full(10, np.nan), values, np.full(5, np.nan)])) == [place + 10]


def test_all_coordinates_move_together() -> None:
    table = np.column_stack([noise(120, 0.6, seed) for seed in (1, 2)])
    table[60:] += [5.0, -5.0]
    assert levels(table) == [60]


def test_a_staircase_without_noise_is_found_exactly_and_a_constant_has_no_change() -> None:
    assert levels(np.repeat([0.0, 5.0, 1.0], 20)) == [20, 40]
    assert levels(np.full(50, 3.25)) == []
    assert slopes(np.arange(50.0)) == []


@pytest.mark.parametrize(("streams", "most"), [(5, (1, 1, 2)), pytest.param(10, (2, 1, 3), marks=pytest.mark.slow)])
def test_noise_of_any_memory_a_trend_and_a_random_walk_seldom_have_a_change(
    streams: int, most: tuple[int, int, int]
) -> None:
    for phi in (0.0, 0.5, 0.9):
        assert sum(bool(change_points(noise(120, phi, seed))) for seed in range(streams)) <= most[0]
    trends = [np.arange(120.0) / 10.0 + noise(120, 0.7, seed) for seed in range(streams)]
    assert sum(bool(change_points(trend)) for trend in trends) <= most[1]
    walks = [noise(120, 0.0, seed).cumsum() for seed in range(streams)]
    assert sum(bool(change_points(walk)) for walk in walks) <= most[2]


def test_the_model_is_chosen_where_memory_is_long_and_the_tests_elsewhere() -> None:
    assert change_points(noise(400, 0.0, 1)).model == "law"
    assert change_points(np.arange(300.0) / 5.0 + noise(300, 0.3, 1)).model == "slopes"
    shifted = noise(1000, 0.2, 1)
    shifted[500:] += 4.0
    assert change_points(shifted).model == "law"
    assert change_points(np.arange(300.0) / 5.0 + noise(300, 0.3, 1), model="law").model == "law"


def test_a_change_says_its_set_its_p_value_and_what_moved() -> None:
    values = noise(200, 0.6, 8)
    values[90:] += 5.0
    found = change_points(values, model="levels")
    assert found.model == "levels"
    for change in found.changes:
        assert change.low <= change.place <= change.high
        assert 0.0 < change.p_value <= 0.05
        assert change.features
    assert [piece.start for piece in found.pieces] == [0, *found]


def test_models_that_do_not_fit_are_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="'law', 'levels' or 'slopes'"):
        change_points([1.0, 2.0], model="mean")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="symbols have no levels"):
        change_points("abab", model="levels")
    with pytest.raises(UsageError, match="process_count"):
        change_points([1.0, 2.0] * 20, 0.2, 2, model="slopes")


def test_the_detector_takes_a_model() -> None:
    values = noise(120, 0.8, 3)
    values[70:] += 7.0
    assert ChangePointDetector(model="levels").fit_predict(values) == [70]


@pytest.mark.parametrize("length", range(1, 13))
def test_the_shortest_streams_do_not_fail(length: int) -> None:
    for model in (None, "levels", "slopes"):
        assert change_points(np.arange(float(length)), model=model).length == length
        assert list(change_points(np.full(length, np.nan), model=model)) == []
