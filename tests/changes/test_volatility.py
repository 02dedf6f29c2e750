"""Volatility that comes and goes is a memory and no change; one that is another from some day on is a change."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.permutation import NO_MEMORY, Decay, LinearBootstrap
from shoal.changes.volatility import volatility


def returns(seed: int, length: int, lasting: float = 0.95, shock: float = 0.1) -> np.ndarray:
    """GARCH(1,1) of variance one."""
    noise = np.random.default_rng(seed).normal(size=length + 500)
    values, variance = np.empty(length + 500), 1.0
    for step in range(length + 500):
        values[step] = variance**0.5 * noise[step]
        variance = 1.0 - lasting + shock * values[step] ** 2 + (lasting - shock) * variance
    return values[500:]


@pytest.mark.parametrize("length", [500, 1000, 3000])
@pytest.mark.parametrize(("streams", "most"), [(8, 2), pytest.param(25, 5, marks=pytest.mark.slow)])
def test_stationary_volatility_is_seldom_a_change(length: int, streams: int, most: int) -> None:
    assert sum(bool(change_points(returns(seed, length)).changes) for seed in range(streams)) <= most


@pytest.mark.parametrize("length", [1000, 3000])
@pytest.mark.parametrize(("streams", "least"), [(4, 3), pytest.param(8, 6, marks=pytest.mark.slow)])
def test_a_clear_change_of_volatility_is_found(length: int, streams: int, least: int) -> None:
    half, right = length // 2, 0
    for seed in range(streams):
        values = returns(seed, length) * np.repeat([1.0, 4.0], half)
        places = change_points(values).places
        right += len(places) == 1 and abs(places[0] - half) <= 40
    assert right >= least


def test_the_correlation_of_blocks_is_that_of_their_memory() -> None:
    memory, values = Decay(1.0, 0.9), np.zeros(400_000)
    for step, noise in enumerate(np.random.default_rng(0).normal(size=400_000)):
        values[step] = 0.9 * values[step - 1] + noise
    sums = values.reshape(-1, 20).sum(axis=1)
    assert memory.between(20) == pytest.approx(float(np.corrcoef(sums[1:], sums[:-1])[0, 1]), abs=0.02)
    assert memory.steps == 123


def spreads(seed: int, sizes: list[int], factor: float = 2.0) -> np.ndarray:
    """Normal values of one spread and another in turns."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.normal(0.0, factor ** (number % 2), size) for number, size in enumerate(sizes)])


def test_the_memory_of_volatility_is_that_of_its_model() -> None:
    found = [volatility([returns(seed, 3000)], 150).believed for seed in range(9)]
    assert np.median([one.decay for one in found]) == pytest.approx(0.94, abs=0.025)  # bounded scores shorten it
    assert np.median([one.share for one in found]) == pytest.approx(0.19, abs=0.06)


def test_volatility_is_not_missed_in_five_hundred_steps() -> None:
    assert sum(volatility([returns(seed, 500)], 25).longest.steps > 25 for seed in range(20)) >= 18


def test_noise_seldom_has_volatility() -> None:
    generator = np.random.default_rng(0)
    assert sum(volatility([generator.normal(size=500)], 25).longest != NO_MEMORY for _ in range(40)) <= 9


def test_pieces_of_one_spread_each_leave_no_memory() -> None:
    assert sum(volatility([spreads(seed, [150] * 8)], 60).longest == NO_MEMORY for seed in range(10)) >= 8
    assert all(volatility([spreads(seed, [300, 300])], 30).longest == NO_MEMORY for seed in range(10))


def test_levels_are_no_volatility_where_they_are_known() -> None:
    generator = np.random.default_rng(1)
    pieces = [generator.normal(level, size=200) for level in (0.0, 4.0, 0.0, 4.0)]
    assert volatility(pieces, 40).longest == NO_MEMORY


def test_an_autoregression_has_no_volatility() -> None:
    values = np.zeros(3000)
    for step, noise in enumerate(np.random.default_rng(4).normal(size=3000)):
        values[step] = 0.9 * values[step - 1] + noise
    assert volatility([values], 150).longest.steps < 123


def test_spreads_in_turns_are_found_with_nothing_told() -> None:
    right = [len(change_points(spreads(seed, [150] * 8)).places) == 7 for seed in range(2)]
    assert all(right)


def test_blocks_in_their_own_order_are_as_they_were() -> None:
    sums = np.random.default_rng(2).normal(size=30)
    grams = np.outer(sums, sums)[:, :, None].astype(np.float32)
    colour = LinearBootstrap(grams, 10, Decay(0.5, 0.95), of_stream=1.0)
    assert colour.ordered(np.arange(30)) == pytest.approx(grams, abs=1e-4)
