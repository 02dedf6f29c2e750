"""Streams of a few states, with hardly any noise, change where their state does."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points


@pytest.mark.parametrize("length", [50, 75, 100, 167, 170, 250, 333, 500, 1000])
def test_clean_states_change_where_they_do(length: int) -> None:
    numbers = np.repeat([20.0, 20.5, 20.0], length)
    inside = [length, 2 * length]
    assert change_points("a" * length + "b" * length + "a" * length).places == inside
    assert change_points(numbers).places == inside
    assert change_points(np.column_stack([numbers, np.ones(3 * length)])).places == inside


@pytest.mark.parametrize("length", [60, 200, 600])
@pytest.mark.parametrize("states", ["abcab", "abcdefg", "ab"])
def test_any_number_of_states(length: int, states: str) -> None:
    stream = "".join(state * length for state in states)
    assert change_points(stream).places == [length * k for k in range(1, len(states))]
    steps = np.repeat(np.arange(len(states)) * 1.0, length)
    assert change_points(steps).places == [length * k for k in range(1, len(states))]


@pytest.mark.parametrize("length", [100, 250, 400])
@pytest.mark.parametrize(("streams", "least"), [(3, 5), pytest.param(6, 10, marks=pytest.mark.slow)])
def test_a_little_noise_and_rare_flips_hide_nothing(length: int, streams: int, least: int) -> None:
    right = 0
    for seed in range(streams):
        generator = np.random.default_rng(seed)
        noisy = np.repeat([20.0, 20.5, 20.0], length) + 0.01 * generator.normal(size=3 * length)
        flips = np.repeat([0, 1, 0], length) ^ (generator.random(3 * length) < 0.01)
        for stream in (noisy, flips):
            places = change_points(stream).places
            right += len(places) == 2 and max(abs(np.array(places) - [length, 2 * length])) <= 2
    assert right >= least


def test_a_chain_that_only_stays_long_is_no_row_of_states() -> None:
    found = 0
    for seed in range(10):
        moves = np.random.default_rng(seed).random(2000) < 0.1
        found += bool(change_points((np.cumsum(moves) % 2).astype(float)).changes)
    assert found <= 2
