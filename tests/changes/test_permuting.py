"""The test of a stretch: its size under the null, and what it believes early."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.generators import autoregressive, moving_average
from shoal.changes.input import as_stream
from shoal.changes.search import prepare


@pytest.mark.parametrize("kind", ["independent", "moving average", "autoregression"])
def test_the_size_of_the_test_is_near_its_level(kind: str) -> None:
    found = 0
    for seed in range(60):
        if kind == "moving average":
            values = moving_average((1500,), ((1.0, 0.8),), seed=seed).values
        else:
            values = autoregressive((1700,), (0.9 if kind == "autoregression" else 0.0,), seed=seed).values[200:]
        found += bool(change_points(values).changes)
    assert found <= 8  # exceeded three times in a thousand at a size of .05


def test_a_clear_change_takes_few_permutations() -> None:
    values = np.random.default_rng(0).normal(size=2000) + np.repeat([0.0, 2.0], 1000)
    search = prepare(as_stream(values), 0.05, 0.05, seed=0)
    stretch = search.stretch(0, 2000)
    before = search.generator.bit_generator.state["state"]["state"]
    assert search.p_value(stretch, 0.05) < 1e-6
    other = np.random.default_rng(0)
    for _ in range(19):
        other.permutation(stretch.blocks.count)
    assert before != search.generator.bit_generator.state["state"]["state"]
    assert search.generator.bit_generator.state["state"]["state"] == other.bit_generator.state["state"]["state"]


def test_the_p_value_of_noise_is_no_small_one() -> None:
    values = []
    for seed in range(40):
        search = prepare(as_stream(np.random.default_rng(seed).random(700)), 0.05, 0.05, seed=seed)
        values.append(search.p_value(search.stretch(0, 700), 0.05))
    assert 0.3 < np.mean(values) < 0.7
