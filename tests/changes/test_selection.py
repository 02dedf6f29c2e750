"""Which places are changes: by their score, and by tests whose parts are told apart here."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes.quantization import known_channels
from shoal.changes.search import Search, prepare_search
from shoal.changes.selection import (
    SCORE_THRESHOLD,
    p_value_of_change,
    select_by_score,
    select_by_tests,
    short_block_p_value,
    significant_places,
    split_by_partition,
    weakest_change,
)
from shoal.changes.validation import as_stream

LEVELS = np.repeat([0.0, 4.0, 1.0], [300, 300, 300])


def ready(values: np.ndarray, *, min_distance: float = 0.05, seed: int = 0) -> Search:
    """A stream made ready with the settings that `change_points` has by default."""
    channels, margin = known_channels(as_stream(values)), max(1, round(min_distance * len(values)))
    return prepare_search(channels, len(values), margin=margin, alpha=0.05, confidence=0.95, seed=seed)


def noisy(levels: np.ndarray, seed: int = 0) -> np.ndarray:
    return levels + np.random.default_rng(seed).normal(size=len(levels))


def test_scores_find_the_changes_and_name_the_weakest() -> None:
    search = ready(noisy(LEVELS))
    places = select_by_score(search, 2)
    assert {300, 600} <= {round(place, -1) for place in places}
    between = [place for place in places if abs(place - 300) <= 5 or abs(place - 600) <= 5]
    assert abs(weakest_change(search, between) - 600) <= 5  # four sigma at 300, three at 600


def test_more_places_than_changes_are_given_where_that_many_are_needed() -> None:
    search = ready(noisy(np.zeros(600)))
    assert len(select_by_score(search, 3)) >= 3
    assert search.stretch(0, 600).split is not None
    assert search.stretch(0, 600).split.score < SCORE_THRESHOLD


def test_a_stream_without_room_for_a_split_has_no_places() -> None:
    assert select_by_score(ready(noisy(np.zeros(40)), min_distance=0.6), 2) == []
    assert select_by_tests(ready(noisy(np.zeros(40)), min_distance=0.6)) == []


def test_tests_find_both_changes_and_believe_them() -> None:
    search = ready(noisy(LEVELS))
    places = select_by_tests(search)
    assert np.allclose(places, [300, 600], atol=5)
    assert significant_places(search, places) == places


def test_places_that_are_given_keep_their_p_values() -> None:
    search = ready(noisy(np.zeros(400)))._replace(given={200: 1e-9})
    assert p_value_of_change(search, [0, 200, 400], 1, 0.05) == 1e-9
    assert select_by_tests(search) == [200]


def test_the_partition_cuts_where_levels_change_and_nowhere_in_noise() -> None:
    levels = np.repeat([0.0, 3.0] * 4, 100)
    places = split_by_partition(ready(noisy(levels), min_distance=0.02), 0, 800, 0.05)
    assert np.allclose(places, range(100, 800, 100), atol=3)
    assert split_by_partition(ready(noisy(np.zeros(400), seed=3)), 0, 400, 0.001) == []


def test_short_blocks_tell_a_real_place_from_one_in_the_middle_of_a_piece() -> None:
    levels = np.repeat([0.0, 3.0, 0.0, 3.0], 200)
    search = ready(noisy(levels), min_distance=0.02)
    edges = [0, 100, 200, 400, 600, 800]
    assert short_block_p_value(search, edges, 2, 0.05) < 0.01
    assert short_block_p_value(search, edges, 1, 0.05) > 0.05


@pytest.mark.parametrize("size", [4, 10])
def test_short_blocks_of_a_few_steps_say_nothing(size: int) -> None:
    search = ready(noisy(np.zeros(400)))
    assert short_block_p_value(search, [0, size // 2, size], 1, 0.05) == 1.0
