"""The test of a stretch: its size under the null, and what it believes early."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.generators import autoregressive, moving_average
from shoal.changes.permutation import Shuffler
from shoal.changes.quantization import known_channels
from shoal.changes.search import Search, prepare_search
from shoal.changes.selection import p_value_of_change, significant_places
from shoal.changes.validation import as_stream


def ready(values: np.ndarray, *, seed: int) -> Search:
    """A stream made ready with the settings that `change_points` has by default."""
    channels, margin = known_channels(as_stream(values)), max(1, len(values) // 20)
    return prepare_search(channels, len(values), margin=margin, alpha=0.05, confidence=0.95, seed=seed)


@pytest.mark.parametrize("kind", ["independent", "moving average", "autoregression"])
# A size of .05 exceeds either number three to six times in a thousand.
@pytest.mark.parametrize(("streams", "most"), [(15, 3), pytest.param(60, 8, marks=pytest.mark.slow)])
def test_the_size_of_the_test_is_near_its_level(kind: str, streams: int, most: int) -> None:
    found = 0
    for seed in range(streams):
        if kind == "moving average":
            values = moving_average((1500,), ((1.0, 0.8),), seed=seed).values
        else:
            values = autoregressive((1700,), (0.9 if kind == "autoregression" else 0.0,), seed=seed).values[200:]
        found += bool(change_points(values).changes)
    assert found <= most


def test_a_clear_change_takes_few_permutations() -> None:
    values = np.random.default_rng(0).normal(size=2000) + np.repeat([0.0, 2.0], 1000)
    search = ready(values, seed=0)
    stretch = search.stretch(0, 2000, shortest=search.long)
    assert p_value_of_change(search, [0, 1000, 2000], 1, 0.05) < 1e-6
    assert search.shuffler.drawn == 9 * stretch.blocks.count


def test_orders_are_permutations_and_as_likely_as_each_other() -> None:
    shuffler = Shuffler(-7)
    orders = [tuple(shuffler.permutation(4).tolist()) for _ in range(4800)]
    assert set(orders) == set(itertools.permutations(range(4)))
    counts = np.array([orders.count(order) for order in set(orders)])
    assert ((counts - 200.0) ** 2 / 200.0).sum() < 49.7  # chi-square of 23 degrees, one in a thousand
    assert np.array_equal(Shuffler(3).permutation(50), Shuffler(3).permutation(50))
    assert not np.array_equal(Shuffler(3).permutation(50), Shuffler(4).permutation(50))


@pytest.mark.parametrize(("streams", "share"), [(15, 0.2), pytest.param(40, 0.175, marks=pytest.mark.slow)])
def test_the_p_value_of_noise_is_no_small_one(streams: int, share: float) -> None:
    values = []
    for seed in range(streams):
        search = ready(np.random.default_rng(seed).random(700), seed=seed)
        values.append(p_value_of_change(search, [0, 350, 700], 1, 0.05))
    assert 0.3 < np.mean(values) < 0.7
    assert np.mean(np.array(values) <= 0.05) <= share  # exceeded once in a hundred or in a thousand


def test_a_place_that_owes_its_p_value_to_another_change_is_dropped() -> None:
    kept = 0
    for seed in range(12):
        values = np.random.default_rng(seed).normal(size=2000) + np.repeat([0.0, 2.0], 1000)
        search = ready(values, seed=0)
        believed = significant_places(search, [400, 1000, 1500])
        assert 1000 in believed
        kept += len(believed) - 1
    # Of 24 places where nothing changes a test at .05 keeps more than three once in a hundred times.
    assert kept <= 3


@pytest.mark.parametrize("told", [None, 2])
def test_many_short_pieces_do_not_hide_one_another(told: int | None) -> None:
    values = np.random.default_rng(0).normal(size=6000) + np.repeat([0.0, 2.0] * 6, 500)
    places = [change.place for change in change_points(values, process_count=told).changes]
    assert np.allclose(places, np.arange(500, 6000, 500), atol=10)


def test_an_answer_that_is_asked_for_again_is_the_same() -> None:
    search = ready(np.random.default_rng(1).random(700), seed=0)
    first = p_value_of_change(search, [0, 350, 700], 1, 0.05)
    drawn = search.shuffler.drawn
    assert p_value_of_change(search, [0, 350, 700], 1, 0.05) == first
    assert search.shuffler.drawn == drawn
