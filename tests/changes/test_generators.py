"""Each generator draws what its docstring says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from shoal.changes.generators import (
    BETAS,
    autoregressive,
    bernoulli,
    hidden_parity,
    hidden_rotation,
    markov,
    moving_average,
    rotation,
    uniform_pieces,
)
from shoal.errors import UsageError

ALL = (autoregressive, bernoulli, hidden_parity, hidden_rotation, markov, moving_average, rotation, uniform_pieces)


@pytest.mark.parametrize("generator", ALL)
def test_a_seed_gives_the_same_stream_and_another_seed_another(generator) -> None:
    one, again, other = generator(seed=3), generator(seed=3), generator(seed=4)
    np.testing.assert_array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)
    assert len(one.values) > one.places[-1] > 0
    assert len(one.processes) == len(one.places) + 1


def test_equal_settings_are_one_process() -> None:
    assert uniform_pieces().processes == (0, 1, 0)
    assert uniform_pieces().places == (2000, 6500)


def test_a_rotation_turns_by_its_angle() -> None:
    sample = rotation((100, 100), seed=1)
    steps = np.diff(sample.values) % 1.0
    np.testing.assert_allclose(steps[:99], BETAS[0], atol=1e-9)
    np.testing.assert_allclose(steps[100:], BETAS[1], atol=1e-9)


def test_a_hidden_rotation_has_the_same_marginal_on_both_sides() -> None:
    values = hidden_rotation((20_000, 20_000), seed=1).values
    first, second = np.sort(values[:20_000]), np.sort(values[20_000:])
    assert np.abs(first - second).max() < 0.05
    assert 0.0 <= values.min() < values.max() < 1.9


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_parity_is_hidden_from_words_up_to_its_lag_and_seen_by_the_next(lag: int) -> None:
    bits = (hidden_parity(lag, (20_000, 40_000), seed=1).values[20_000:] >= 0.5).astype(int)

    def spread(length: int) -> float:
        words = Counter(tuple(bits[k : k + length]) for k in range(len(bits) - length + 1))
        shares = np.array([words.get(word, 0) for word in np.ndindex(*(2,) * length)]) / words.total()
        return float(np.abs(shares * 2**length - 1.0).max())

    assert spread(lag) < 0.15
    assert spread(lag + 1) > 0.6


def test_linear_processes_have_unit_variance_and_their_memory() -> None:
    values = autoregressive((50_000,), (0.7,), seed=1).values
    assert values.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.7, abs=0.02)
    average = moving_average((50_000,), ((1.0, 1.0),), seed=1).values
    assert average.std() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(average[1:], average[:-1])[0, 1] == pytest.approx(0.5, abs=0.02)


def test_a_chain_follows_its_matrix_and_starts_in_its_stationary_law() -> None:
    matrix = ((0.9, 0.1), (0.3, 0.7))
    values = markov((50_000,), (matrix,), seed=1).values
    after_one = values[1:][values[:-1] == 1]
    assert after_one.mean() == pytest.approx(0.7, abs=0.02)
    starts = [int(markov((1,), (matrix,), seed=seed).values[0]) for seed in range(600)]
    assert np.mean(starts) == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: uniform_pieces((0, 5), (0.0, 0.1)), "positive"),
        (lambda: uniform_pieces((), ()), "positive"),
        (lambda: uniform_pieces((5, 5), (0.0,)), "2 lengths but 1 settings"),
        (lambda: bernoulli((5,), (1.5,)), "from 0 to 1"),
        (lambda: hidden_parity(0), "at least 1"),
        (lambda: hidden_parity(1, (5,), (2.0,)), "from 0 to 1"),
        (lambda: autoregressive((5,), (1.0,)), "between -1 and 1"),
        (lambda: moving_average((5,), ((0.0,),)), "not zero"),
        (lambda: markov((5,), (((0.5, 0.6), (0.5, 0.5)),)), "adds up to 1"),
    ],
)
def test_settings_that_make_no_process_are_refused(call, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call()
