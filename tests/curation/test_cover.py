"""Chosen documents cover the others, and no better choice is far better."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shoal.curation import farthest_first, find_cover
from shoal.errors import UnknownNameError, UsageError


def radius(points: np.ndarray, places: tuple[int, ...]) -> float:
    return float(np.linalg.norm(points[:, None] - points[list(places)][None], axis=2).min(axis=1).max())


@given(st.integers(0, 1000), st.integers(1, 4))
def test_the_radius_is_at_most_twice_the_best(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(size=(9, 2))
    found = find_cover(points, count, seed=seed)
    best = min(radius(points, places) for places in combinations(range(9), count))
    assert found.radius == pytest.approx(radius(points, found.places))
    assert best - 1e-9 <= found.radius <= 2 * best + 1e-9
    assert len(set(found.places)) == count


@given(st.integers(0, 1000), st.integers(1, 4))
def test_facility_location_gains_at_least_its_share_of_the_best(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(size=(9, 2))

    def gain(places: tuple[int, ...]) -> float:
        distances = np.linalg.norm(points[:, None] - points[list(places)][None], axis=2)
        return float((1 / (1 + distances)).max(axis=1).sum())

    found = find_cover(points, count, method="facility")
    assert gain(found.places) >= (1 - 1 / np.e) * max(gain(one) for one in combinations(range(9), count)) - 1e-6


def test_a_cover_is_closer_than_a_random_choice() -> None:
    clusters = np.concatenate([np.random.default_rng(k).normal(10 * k, 0.1, (50, 3)) for k in range(6)])
    found = find_cover(clusters, 6)
    assert found.radius < 1 < found.random_radius
    assert "cover radius" in str(found)


def test_equal_documents_are_chosen_last_and_none_twice() -> None:
    points = np.array([[0.0], [0.0], [1.0]])
    assert len(set(farthest_first(points, 3))) == 3
    assert farthest_first(points, 1, start=np.array([[0.0]])) == [2]


def test_documents_without_doubt_are_chosen_last_and_none_twice() -> None:
    points = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert sorted(farthest_first(points, 4, weights_N=np.zeros(4))) == [0, 1, 2, 3]
    chosen = farthest_first(points, 4, start=np.array([[0.0]]), weights_N=np.array([0.0, 0.0, 1.0, 0.0]))
    assert chosen[0] == 2
    assert sorted(chosen) == [0, 1, 2, 3]


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(UsageError, match="give 1 to 3"):
        find_cover(np.eye(3), 4)
    with pytest.raises(UnknownNameError, match="farthest"):
        find_cover(np.eye(3), 1, method="nearest")  # type: ignore[arg-type]
