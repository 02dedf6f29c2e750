"""Pieces by least squares against regressions and against all partitions: errors, whitening, places, resampling."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.changes.noise_models import (
    DRIFTS,
    FAMILIES,
    GRID,
    LEVELS,
    MAX_CHANGES,
    SLOPES,
    Family,
    best_places,
    errors_of_splits,
    grid_of,
    p_value_of_stretch,
    refined_places,
    sums_of,
    whitened,
)
from shoal.changes.permutation import Shuffler

SMALL = st.lists(st.integers(-9, 9), min_size=6, max_size=10)


def regressed(piece: np.ndarray, family: Family) -> float:
    """The squared error of a piece by the regression of NumPy."""
    steps = np.arange(len(piece), dtype=float)
    design = np.column_stack([np.ones(len(piece)), steps][: family.width])
    return float(((piece - design @ np.linalg.lstsq(design, piece, rcond=None)[0]) ** 2).sum())


def best_of_all(series: np.ndarray, family: Family, count: int, min_size: int) -> float:
    """The least error of so many changes, over all of their places."""
    errors = []
    for cuts in itertools.combinations(range(1, len(series)), count):
        edges = (0, *cuts, len(series))
        if min(np.diff(edges)) >= min_size:
            errors.append(sum(regressed(series[a:b], family) for a, b in itertools.pairwise(edges)))
    return min(errors)


@pytest.mark.parametrize("family", [LEVELS, SLOPES])
def test_the_error_of_every_piece_is_that_of_a_regression(family: Family) -> None:
    series = np.random.default_rng(0).normal(3.0, 2.0, size=(14, 2))
    sums = sums_of(series, family)
    starts, stops = np.triu_indices(15, 1)
    expected = [regressed(series[a:b], family) for a, b in zip(starts, stops, strict=True)]
    np.testing.assert_allclose(sums.errors(starts, stops), expected, atol=1e-9)


def test_an_error_is_never_below_zero_however_large_the_numbers() -> None:
    series = np.full((50, 1), 1e8) + np.arange(50)[:, None] % 2 * 1e-9
    starts, stops = np.triu_indices(51, 1)
    assert (sums_of(series, LEVELS).errors(starts, stops) >= 0.0).all()
    assert (sums_of(series, SLOPES).errors(starts, stops) >= 0.0).all()


@given(values=SMALL, min_size=st.integers(1, 3), family=st.sampled_from([LEVELS, SLOPES]))
@settings(max_examples=25)
def test_the_places_of_least_squares_are_the_best_of_all(values: list[int], min_size: int, family: Family) -> None:
    series = np.array(values, dtype=float)[:, None]
    sums = sums_of(series, family)
    found = best_places(sums, grid_of(len(values)), min_size)
    for count, (places, error) in enumerate(found[:3]):
        assert len(places) == count
        assert min(np.diff([0, *places, len(values)])) >= (min_size if count else 0)
        assert error == pytest.approx(best_of_all(series, family, count, min_size if count else 1), abs=1e-8)
        edges = np.array([0, *places, len(values)])
        assert error == pytest.approx(float(sums.errors(edges[:-1], edges[1:]).sum()), abs=1e-8)


@given(values=SMALL)
def test_every_further_change_leaves_no_more_error(values: list[int]) -> None:
    errors = [
        error for _, error in best_places(sums_of(np.array(values, float)[:, None], LEVELS), grid_of(len(values)), 1)
    ]
    assert len(errors) == len(values)
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(errors))
    assert errors[-1] == pytest.approx(0.0, abs=1e-9)


def test_no_more_changes_are_tried_than_there_may_be() -> None:
    series = np.arange(60.0)[:, None] % 2
    assert len(best_places(sums_of(series, LEVELS), grid_of(60), 1)) == MAX_CHANGES + 1
    assert [places for places, _ in best_places(sums_of(series, LEVELS), grid_of(60), 31)] == [[]]
    assert len(best_places(sums_of(series, LEVELS), grid_of(60), 30)) == 2


@pytest.mark.parametrize("length", [1, 2, GRID - 1, GRID, GRID + 1, 10 * GRID + 7])
def test_a_grid_goes_from_the_first_step_to_the_end_in_even_parts(length: int) -> None:
    grid = grid_of(length)
    assert (grid[0], grid[-1]) == (0, length)
    assert len(grid) == min(length, GRID) + 1
    assert set(np.diff(grid)) <= {length // min(length, GRID), -(-length // min(length, GRID))}


def test_places_of_a_coarse_grid_are_moved_to_their_steps() -> None:
    series = np.repeat([0.0, 4.0, 1.0], [1234, 700, 1066])[:, None]
    sums, grid = sums_of(series, LEVELS), grid_of(3000)
    coarse = best_places(sums, grid, 30)[2][0]
    assert set(coarse) <= set(grid.tolist())
    assert refined_places(sums, coarse, 3000, 30) == [1234, 1934]


def test_places_of_a_short_stream_stay_where_they_are() -> None:
    series = np.random.default_rng(1).normal(size=(40, 1))
    assert refined_places(sums_of(series, LEVELS), [11, 30], 40, 3) == [11, 30]


def test_a_window_split_at_each_place_has_the_errors_of_both_parts() -> None:
    series = np.random.default_rng(2).normal(size=(20, 2))
    tried = np.arange(6, 14)
    found = errors_of_splits(sums_of(series, SLOPES), 3, 18, tried)
    expected = [regressed(series[3:at], SLOPES) + regressed(series[at:18], SLOPES) for at in tried]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("phi", [0.3, 0.9])
def test_whitening_leaves_the_noise_of_an_autoregression(phi: float) -> None:
    noise = np.random.default_rng(3).normal(size=(30, 1))
    series = noise.copy()
    for step in range(1, 30):
        series[step] += phi * series[step - 1]
    left = whitened(series, LEVELS, phi)
    np.testing.assert_allclose(left[1:], noise[1:], atol=1e-12)
    assert left[0, 0] == pytest.approx(float(noise[1:].mean()))


def test_whitening_a_walk_leaves_its_steps() -> None:
    steps = np.random.default_rng(4).normal(size=(25, 1))
    left = whitened(np.cumsum(steps, axis=0), DRIFTS, 0.0)
    np.testing.assert_allclose(left[1:], steps[1:], atol=1e-12)
    twice = whitened(np.cumsum(steps, axis=0), DRIFTS, 0.5)
    np.testing.assert_allclose(twice[2:], steps[2:] - 0.5 * steps[1:-1], atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_whitening_changes_nothing_that_it_is_given(family: Family) -> None:
    series = np.random.default_rng(5).normal(size=(12, 2))
    before = series.copy()
    for phi in (0.0, 0.7):
        whitened(series, family, phi)
    np.testing.assert_array_equal(series, before)


def test_a_clear_shift_gains_more_than_noise_does_and_noise_does_not() -> None:
    noise = np.random.default_rng(6).normal(size=(60, 1))
    shifted = noise + np.repeat([0.0, 4.0], 30)[:, None]
    assert p_value_of_stretch(shifted, LEVELS, 0.0, 5, Shuffler(0), alpha=0.05) < 0.001
    assert p_value_of_stretch(noise, LEVELS, 0.0, 5, Shuffler(0), alpha=0.05) > 0.05


def test_a_stretch_without_room_for_two_pieces_says_nothing() -> None:
    assert p_value_of_stretch(np.arange(9.0)[:, None], LEVELS, 0.0, 5, Shuffler(0), alpha=0.05) == 1.0


@pytest.mark.parametrize("factor", [1e-6, -2.0, 1e6])
def test_the_p_value_does_not_know_the_unit(factor: float) -> None:
    series = np.random.default_rng(7).normal(size=(40, 1)) + np.repeat([0.0, 1.0], 20)[:, None]
    series -= series.mean()
    plain = p_value_of_stretch(series, LEVELS, 0.3, 4, Shuffler(1), alpha=0.05)
    # Errors below 1e-12 are taken for that, so the unit is not below a millionth here.
    assert p_value_of_stretch(factor * series, LEVELS, 0.3, 4, Shuffler(1), alpha=0.05) == pytest.approx(
        plain, rel=1e-6
    )
