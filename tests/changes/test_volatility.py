"""Volatility that comes and goes is a memory and no change; one that is another from some day on is a change."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.permutation import Decay


def returns(seed: int, length: int, lasting: float = 0.95, shock: float = 0.1) -> np.ndarray:
    """GARCH(1,1) of variance one."""
    noise = np.random.default_rng(seed).normal(size=length + 500)
    values, variance = np.empty(length + 500), 1.0
    for step in range(length + 500):
        values[step] = variance**0.5 * noise[step]
        variance = 1.0 - lasting + shock * values[step] ** 2 + (lasting - shock) * variance
    return values[500:]


@pytest.mark.parametrize("length", [500, 1000, 3000])
def test_stationary_volatility_is_seldom_a_change(length: int) -> None:
    assert sum(bool(change_points(returns(seed, length)).changes) for seed in range(25)) <= 5


@pytest.mark.parametrize("length", [1000, 3000])
def test_a_clear_change_of_volatility_is_found(length: int) -> None:
    half, right = length // 2, 0
    for seed in range(8):
        values = returns(seed, length) * np.repeat([1.0, 4.0], half)
        places = change_points(values).places
        right += len(places) == 1 and abs(places[0] - half) <= 40
    assert right >= 6


def test_the_correlation_of_blocks_is_that_of_their_memory() -> None:
    memory, values = Decay(1.0, 0.9), np.zeros(400_000)
    for step, noise in enumerate(np.random.default_rng(0).normal(size=400_000)):
        values[step] = 0.9 * values[step - 1] + noise
    sums = values.reshape(-1, 20).sum(axis=1)
    assert memory.between(20) == pytest.approx(float(np.corrcoef(sums[1:], sums[:-1])[0, 1]), abs=0.02)
    assert memory.steps == 123
