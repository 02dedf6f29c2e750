"""What the answer of the engine does not depend on: units, direction of axes, names, order of columns, containers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.changes import Changes, change_points, distance, list_estimator
from shoal.changes.generators import markov
from shoal.errors import DataError

SHIFT = np.random.default_rng(0).normal(size=240) + np.repeat([0.0, 2.5], [100, 140])


def bare(found: Changes) -> list[tuple[Any, ...]]:
    return [(c.place, c.low, c.high, c.p_value, c.score) for c in found.changes]


@pytest.mark.parametrize("model", ["law", "levels", None])
def test_a_stream_upside_down_changes_at_the_same_places(model: Any) -> None:
    assert change_points(-SHIFT, model=model).places == change_points(SHIFT, model=model).places != []


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_read_backwards_changes_at_the_mirrored_places(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=300) + np.repeat([0.0, 5.0, 0.0], 100)
    forward, backward = change_points(values), change_points(values[::-1])
    mirrored = sorted(300 - place for place in backward.places)
    assert len(mirrored) == len(forward.places) == 2
    assert max(abs(a - b) for a, b in zip(mirrored, forward.places, strict=True)) <= 1


@given(names=st.permutations("abc"))
@settings(max_examples=6)
def test_the_names_of_symbols_do_not_matter(names: list[str]) -> None:
    codes = np.concatenate(
        [np.random.default_rng(1).choice(3, size=150, p=p) for p in ([0.7, 0.2, 0.1], [0.1, 0.2, 0.7])]
    )
    plain = change_points([f"w{code}" for code in codes])
    renamed = change_points([f"w{'abc'.index(names[code])}" for code in codes])
    assert [c.place for c in renamed.changes] == [c.place for c in plain.changes]
    assert len(plain) == 1
    assert abs(plain[0] - 150) <= 12


def test_symbols_may_be_of_any_writing() -> None:
    words = ["猫", "كلب", "ёж", "naïve", "🦊", ""]
    codes = np.concatenate([np.random.default_rng(2).integers(0, 3, 200), np.random.default_rng(3).integers(3, 6, 200)])
    found = change_points([words[code] for code in codes])
    assert found.places == [200]
    shown = {part.symbol for part in found.pieces[0].symbols}
    assert shown == set(words[:3])
    assert any(word in feature.word for feature in found.changes[0].features for word in map(repr, words))


def test_the_order_of_columns_does_not_move_a_change() -> None:
    table = np.random.default_rng(4).normal(size=(300, 3))
    table[160:, 1] += 2.5
    places = change_points(table).places
    assert len(places) == 1
    for order in ([1, 0, 2], [2, 1, 0]):
        (place,) = change_points(table[:, order]).places
        assert abs(place - places[0]) <= 3


@pytest.mark.parametrize("as_given", [list, tuple, np.asarray, np.float32, iter, lambda x: np.asarray(x)[:, None]])
def test_the_container_does_not_matter(as_given: Any) -> None:
    rounded = np.round(SHIFT, 2).astype(np.float32).astype(float)
    assert bare(change_points(as_given(rounded))) == bare(change_points(rounded))


def test_a_stream_that_is_not_contiguous_in_memory_is_read_as_it_is() -> None:
    wide = np.zeros((240, 4))
    wide[:, 2] = SHIFT
    assert bare(change_points(wide[:, 2])) == bare(change_points(SHIFT))
    doubled = np.repeat(SHIFT, 2)
    assert bare(change_points(doubled[::2])) == bare(change_points(SHIFT))


def test_the_stream_that_was_given_is_left_as_it_was() -> None:
    values = SHIFT.copy()
    values[7] = np.nan
    before = values.copy()
    for model in ("law", "levels", "slopes"):
        change_points(values, model=model)
    list_estimator(values, 0.2)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), True + 2, 3 + 2**64])
def test_whole_numbers_of_any_type_are_seeds(seed: Any) -> None:
    assert bare(change_points(SHIFT, seed=seed)) == bare(change_points(SHIFT, seed=3))


def test_the_seed_moves_p_values_alone() -> None:
    first, second = change_points(SHIFT, seed=1), change_points(SHIFT, seed=2)
    assert first.places == second.places == change_points(SHIFT, seed=-5).places
    assert [c.score for c in first.changes] == [c.score for c in second.changes]


def test_a_lower_level_finds_no_more() -> None:
    values = np.random.default_rng(5).normal(size=240) + np.repeat([0.0, 0.8, 0.0, 3.0], 60)
    counts = [len(change_points(values, alpha=alpha)) for alpha in (0.5, 0.05, 1e-9)]
    assert counts == sorted(counts, reverse=True)


def test_a_higher_confidence_gives_sets_that_hold_those_of_a_lower_one() -> None:
    values = np.random.default_rng(6).normal(size=300) + np.repeat([0.0, 1.2], 150)
    sets = [(c.low, c.high) for conf in (0.5, 0.9, 0.99) for c in change_points(values, confidence=conf).changes]
    assert len(sets) == 3
    assert sets[0][0] >= sets[1][0] >= sets[2][0]
    assert sets[0][1] <= sets[1][1] <= sets[2][1]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_no_two_changes_are_nearer_than_the_smallest_distance(share: float) -> None:
    values = np.random.default_rng(7).normal(size=300) + np.repeat([0.0, 4.0, 0.0, 4.0, 0.0], 60)
    for found in (change_points(values, share), list_estimator(values, share)):
        apart = np.diff(sorted(found.places))
        assert len(found)
        assert apart.min(initial=300) >= share * 300 / 2


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30),
    st.lists(st.integers(0, 4), min_size=1, max_size=30),
)
@settings(max_examples=40)
def test_the_distance_sees_ranks_alone(first: list[int], second: list[int]) -> None:
    x, y = np.array(first, float), np.array(second, float)
    plain = distance(x, y)
    assert distance(3.0 * x - 1.0, 3.0 * y - 1.0) == plain
    assert distance(np.exp(x), np.exp(y)) == plain
    assert distance([f"s{value}" for value in first], [f"s{value}" for value in first]) == 0.0


def test_the_distance_sees_pairs_whose_single_symbols_are_alike() -> None:
    sticky, restless = (
        markov((800,), (matrix,), seed=1).values for matrix in (((0.8, 0.2), (0.2, 0.8)), ((0.2, 0.8), (0.8, 0.2)))
    )
    again = markov((800,), (((0.8, 0.2), (0.2, 0.8)),), seed=2).values
    assert distance(sticky, restless) > 3 * distance(sticky, again)


@pytest.mark.parametrize(
    ("x", "y"), [([1.0, 2.0], "ab"), (np.zeros((4, 2)), np.zeros((4, 3))), ("ab", np.zeros((3, 2)))]
)
def test_samples_that_cannot_be_compared_are_refused(x: Any, y: Any) -> None:
    with pytest.raises(DataError, match="both be numbers with as many coordinates, or both be symbols"):
        distance(x, y)


def test_a_list_estimator_orders_its_places_by_score_and_makes_no_test() -> None:
    values = np.random.default_rng(1).normal(size=600) + np.repeat([0.0, 3.0], 300)
    found = list_estimator(values, 0.2)
    scores = [change.score for change in found.changes]
    assert scores == sorted(scores, reverse=True)
    assert abs(found[0] - 300) <= 10
    assert all(np.isnan(change.p_value) for change in found.changes)
    assert all(change.low <= change.place <= change.high for change in found.changes)
    assert [piece.start for piece in found.pieces] == [0, *sorted(found.places)]
