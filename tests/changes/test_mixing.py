"""How long a stream remembers, and that levels which change are not taken for memory."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes.generators import autoregressive
from shoal.changes.mixing import DependenceLength, dependence_length
from shoal.changes.quantization import channels_of
from shoal.changes.validation import as_stream


def _memory(values: np.ndarray) -> DependenceLength:
    return dependence_length(channels_of(as_stream(values)))


@pytest.mark.parametrize(("coefficient", "steps"), [(0.0, 3), (0.5, 17), (0.9, 123)])
def test_the_memory_of_an_autoregression_is_that_of_its_coefficient(coefficient: float, steps: int) -> None:
    found = [_memory(autoregressive((4000,), (coefficient,), seed=seed).values).steps for seed in range(9)]
    assert np.median(found) == pytest.approx(steps, rel=0.15)


@pytest.mark.parametrize("length", [60, 130, 170])
def test_levels_that_change_are_no_memory(length: int) -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(size=10 * length)
        found = _memory(np.repeat(np.arange(10) % 2 * 5.0, length) + noise)
        assert found.steps <= 4 < found.apparent


def test_levels_with_a_memory_keep_that() -> None:
    noise = autoregressive((3000,), (0.5,), seed=0).values
    found = _memory(np.repeat([0.0, 12.0, 0.0, 12.0, 0.0, 12.0], 500) + noise)
    assert 12 <= found.steps <= 24


def test_short_streams_are_taken_as_they_appear() -> None:
    found = _memory(np.repeat(np.arange(10) % 2 * 5.0, 40) + np.random.default_rng(0).normal(size=400))
    assert found.steps > found.apparent > 10


def test_a_constant_has_no_memory() -> None:
    assert _memory(np.zeros(1000))[:2] == (1, 1)
