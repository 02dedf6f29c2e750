"""Places of the engine beside those of exact least squares, as ruptures' dynamic programming gives them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.changes import change_points, known_number, single_change_point


def optimal(values: np.ndarray, count: int) -> list[int]:
    """The places of so many changes of level with the least squared error, by dynamic programming."""
    n = len(values)
    sums, squares = (np.concatenate(([0.0], np.cumsum(row))) for row in (values, values**2))

    def cost(start: int, stop: int) -> float:
        return squares[stop] - squares[start] - (sums[stop] - sums[start]) ** 2 / (stop - start)

    best = {0: (0.0, [])} | {stop: (cost(0, stop), [0]) for stop in range(1, n + 1)}
    for _ in range(count):
        best = {
            stop: min(
                (best[place][0] + cost(place, stop), [*best[place][1], place])
                for place in range(1, stop)
                if place in best
            )
            for stop in range(2, n + 1)
            if any(place in best for place in range(1, stop))
        }
    return best[n][1][1:]


def levels(sizes: list[int], heights: list[float], seed: int, noise: float = 1.0) -> np.ndarray:
    return np.repeat(heights, sizes) + noise * np.random.default_rng(seed).normal(size=sum(sizes))


def test_the_oracle_finds_clean_levels() -> None:
    assert optimal(np.repeat([0.0, 2.0, 1.0], [5, 3, 4]), 2) == [5, 8]


@pytest.mark.parametrize("seed", range(6))
def test_one_clear_change_is_where_least_squares_have_it(seed: int) -> None:
    values = levels([70, 50], [0.0, 5.0], seed)
    assert abs(single_change_point(values).places[0] - optimal(values, 1)[0]) <= 1


@pytest.mark.parametrize(
    ("sizes", "heights"),
    [([40, 40, 40], [0.0, 6.0, 0.0]), ([30, 60, 30], [0.0, 6.0, 12.0]), ([50, 30, 40, 30], [0.0, 7.0, -7.0, 7.0])],
)
def test_a_known_number_of_levels_is_where_least_squares_have_them(sizes: list[int], heights: list[float]) -> None:
    for seed in range(2):
        values = levels(sizes, heights, seed)
        found, expected = known_number(values, len(sizes) - 1).places, optimal(values, len(sizes) - 1)
        assert len(found) == len(expected)
        assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_model_of_levels_is_least_squares_where_noise_is_small(count: int) -> None:
    heights = [0.0, 5.0, 1.0, 8.0][: count + 1]
    values = levels([25] * (count + 1), heights, count, noise=0.1)
    assert (
        change_points(values, model="levels").places == optimal(values, count) == [25 * k for k in range(1, count + 1)]
    )


def test_both_see_a_shift_that_a_single_outlier_does_not_hide_from_ranks() -> None:
    values = levels([60, 60], [0.0, 6.0], 3)
    spoilt = values.copy()
    spoilt[10] = 500.0
    assert optimal(spoilt, 1) != [60]  # least squares go to the outlier
    assert single_change_point(spoilt).places == single_change_point(values).places == [60]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_more_changes_are_given_than_were_named(count: int) -> None:
    found = known_number(levels([50, 50], [0.0, 4.0], 5), count, 0.1)
    assert 1 <= len(found) <= count
    assert min(abs(place - 50) for place in found) <= 2
    edges = [0, *found, 100]
    assert all(after - before >= 10 for before, after in itertools.pairwise(edges))


def test_fewer_places_than_were_named_come_where_there_is_no_room() -> None:
    assert len(known_number(levels([30, 30], [0.0, 3.0], 6), 9, 0.3)) <= 2
