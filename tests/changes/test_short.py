"""Short series of long memory: changes of level are found, and noise alone gives none."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.generators import autoregressive
from shoal.changes.input import as_stream
from shoal.changes.short import is_short, short_changes


def found(values: np.ndarray, margin: int = 5) -> list[int]:
    return [change.place for change in short_changes(as_stream(values), margin=margin, alpha=0.05, confidence=0.95)]


def test_a_shift_under_strong_memory_is_found_at_its_place() -> None:
    values = autoregressive((120,), (0.8,), seed=3).values
    values[70:] += 6.0
    assert found(values) == [70]


def test_places_are_the_same_under_a_change_of_scale_and_sign() -> None:
    values = autoregressive((150,), (0.9,), seed=5).values
    values[60:] += 5.0
    assert found(values) == found(1e6 * values - 3e7) == found(-1e-9 * values)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_noise_of_any_memory_seldom_has_a_change_of_level(memory: float) -> None:
    noises = [autoregressive((200,), (memory,), seed=seed).values for seed in range(40)]
    assert sum(bool(found(noise, 10)) for noise in noises) <= 3


def test_a_change_of_slope_is_found_where_no_level_changes() -> None:
    steps = np.arange(200.0)
    noise = autoregressive((200,), (0.3,), seed=4).values
    (place,) = found(np.minimum(steps, 200.0 - steps) + 5.0 * noise, 10)
    assert abs(place - 100) <= 10


def test_a_random_walk_or_a_trend_seldom_has_a_change() -> None:
    walks = [np.random.default_rng(seed).normal(size=200).cumsum() for seed in range(20)]
    trends = [np.arange(200.0) / 20.0 + autoregressive((200,), (0.7,), seed=seed).values for seed in range(20)]
    assert sum(bool(found(walk, 10)) for walk in walks) <= 3
    assert sum(bool(found(trend, 10)) for trend in trends) <= 3


def test_a_staircase_without_noise_is_found_exactly_and_a_constant_has_no_change() -> None:
    assert found(np.repeat([0.0, 5.0, 1.0], 20)) == [20, 40]
    assert found(np.full(50, 3.25)) == []


def test_missing_values_are_bridged() -> None:
    values = autoregressive((120,), (0.8,), seed=3).values
    values[70:] += 6.0
    values[[10, 40, 41, 90]] = np.nan
    assert found(values) == [70]


def test_all_coordinates_move_together() -> None:
    table = np.column_stack([autoregressive((120,), (0.8,), seed=seed).values for seed in (1, 2)])
    table[60:] += [3.0, -3.0]
    assert found(table) == [60]


def test_the_confidence_set_holds_the_place_and_p_values_are_small() -> None:
    values = autoregressive((200,), (0.6,), seed=8).values
    values[90:] += 2.5
    for change in short_changes(as_stream(values), margin=10, alpha=0.05, confidence=0.95):
        assert change.low <= change.place <= change.high
        assert 0.0 <= change.p_value <= 0.05


def test_long_or_forgetful_streams_and_symbols_are_left_to_the_tests() -> None:
    def short(given: object, memory: int = 100) -> bool:
        return is_short(as_stream(given), memory=memory, margin=20)

    assert short(np.arange(400.0))
    assert not short(np.arange(2000.0))
    assert not short(np.arange(400.0), memory=19)
    assert not short("ab" * 50)
    assert short([1.0, np.inf] * 20)
    assert not short(np.full(40, np.nan))


@pytest.mark.parametrize("length", range(1, 9))
def test_the_shortest_streams_do_not_fail(length: int) -> None:
    assert change_points(np.arange(float(length))).length == length
