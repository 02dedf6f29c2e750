"""Change points from end to end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from shoal.changes import Changes, change_points, known_number, single_change_point
from shoal.changes.generators import bernoulli, hidden_parity, hidden_rotation, moving_average, rotation, uniform_pieces
from shoal.changes.ngrams import ngram_tables
from shoal.changes.points import group_pieces
from shoal.changes.quantization import channels_of
from shoal.changes.validation import as_stream
from shoal.errors import DataError, ShoalError, UsageError

anything = st.one_of(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=120),
    st.lists(st.integers(-3, 3), max_size=200),
    st.lists(st.sampled_from(["a", "b", "", "é"]), max_size=120),
    st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 1)).map(list), max_size=60),
    st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).normal(size=300).cumsum()),
)


def bare(found: Changes) -> list[tuple[Any, ...]]:
    """All but the words, which are in the data's units."""
    return [(c.place, c.low, c.high, c.p_value, c.score) for c in found.changes]


@pytest.mark.parametrize(
    ("sample", "error"),
    [
        (hidden_rotation(seed=11), 8),
        (uniform_pieces(seed=11), 25),
        (hidden_parity(2, seed=12), 30),
        (hidden_parity(3, seed=11), 30),
        (hidden_parity(4, seed=11), 30),
        (rotation(seed=11), 2),
        (bernoulli((1500, 2500, 1000), (0.8, 0.5, 0.8), seed=11), 40),
    ],
    ids=["hidden rotation", "uniform", "parity 2", "parity 3", "parity 4", "rotation", "coins"],
)
@pytest.mark.parametrize("count", [2, None])
def test_changes_of_law_are_found_where_they_are(sample: Any, error: int, count: int | None) -> None:
    found = change_points(sample.values, process_count=count)
    assert len(found.places) == len(sample.places)
    assert max(abs(a - b) for a, b in zip(found.places, sample.places, strict=True)) <= error
    assert all(change.low <= change.place <= change.high for change in found.changes)
    assert all(change.p_value <= 0.05 for change in found.changes)


def test_pieces_of_the_same_process_share_a_group() -> None:
    found = change_points(uniform_pieces(seed=4).values, process_count=2)
    assert found.processes == (0, 1, 0)
    assert change_points(uniform_pieces(seed=4).values, process_count=1).changes == ()


def test_increasing_transforms_change_nothing() -> None:
    for values in (
        hidden_rotation((400, 800), seed=2).values,
        np.round(uniform_pieces((600, 600), (0, 0.4)).values, 1),
    ):
        for count in (2, None):
            plain = bare(change_points(values, process_count=count))
            assert plain
            assert bare(change_points(3.7 * values - 11.0, process_count=count)) == plain
            assert bare(change_points(np.exp(values), process_count=count)) == plain


def test_a_known_number_of_changes_is_found() -> None:
    values = uniform_pieces((500, 700, 600, 400), (0.0, 0.5, 0.0, 1.0), seed=3).values
    assert [round(place, -2) for place in known_number(values, 3).places] == [500, 1200, 1800]
    assert abs(single_change_point(values[:1200]).places[0] - 500) < 15


def test_a_change_of_dependence_between_coordinates_is_seen() -> None:
    table = np.random.default_rng(0).normal(size=(2000, 2))
    table[1000:, 1] = 0.8 * table[1000:, 0] + 0.6 * table[1000:, 1]
    found = change_points(table)
    assert len(found.places) == 1
    assert abs(found.places[0] - 1000) < 30
    assert " and " in found.changes[0].features[0].word


def test_missing_values_are_a_symbol_of_their_own() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=2000)
    values[generator.random(2000) < np.repeat([0.02, 0.3], 1000)] = np.nan
    found = change_points(values)
    assert len(found.places) == 1
    assert abs(found.places[0] - 1000) < 60
    assert "present" in found.changes[0].features[0].word


def test_symbols_are_read_as_they_are() -> None:
    generator = np.random.default_rng(2)
    letters = [*generator.choice(list("abcdef"), 1000, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])]
    letters += [*generator.choice(list("abcdef"), 1000, p=[0.1, 0.1, 0.1, 0.2, 0.2, 0.3])]
    found = change_points([str(letter) for letter in letters])
    assert len(found.places) == 1
    assert abs(found.places[0] - 1000) < 40
    moved = found.changes[0].features[0]
    assert moved.word in ("'a'", "'f'")
    assert abs(moved.before - moved.after) == pytest.approx(0.2, abs=0.05)


def test_rare_words_of_a_large_vocabulary_are_no_change() -> None:
    ranks = np.minimum(np.random.default_rng(0).zipf(1.3, 3000), 5000)
    assert change_points([f"w{rank}" for rank in ranks]).changes == ()


@pytest.mark.parametrize("values", [np.ones(400), [1.0], [2.0, 1.0], np.full(60, np.nan), [np.inf, -np.inf] * 40])
def test_a_stream_that_does_not_change_has_no_change(values: Any) -> None:
    assert change_points(values).changes == ()
    assert change_points(values, process_count=1).processes == (0,)


@pytest.mark.parametrize("period", ["ab", "aab", "abcab"])
def test_a_regular_stream_changes_only_where_its_period_does(period: str) -> None:
    assert change_points(period * 200).changes == ()
    (place,) = change_points("ab" * 200 + "aab" * 200).places
    assert 398 <= place <= 400  # "ab" before "aab" belongs to either piece


def test_a_clean_step_is_found_exactly() -> None:
    step = np.repeat([0.0, 1.0], [70, 130])
    assert change_points(step).places == [70]
    assert change_points(step, process_count=2).places == [70]


def test_the_seed_decides_the_permutations() -> None:
    values = moving_average((800,), ((1.0, 0.8),), seed=1).values
    assert change_points(values, seed=3) == change_points(values, seed=3)


@pytest.mark.parametrize(("name", "value"), [("min_distance", 0.0), ("min_distance", 1.0), ("process_count", 0)])
def test_settings_outside_their_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name):
        change_points([1.0, 2.0, 3.0], **{name: value})


def test_an_empty_stream_is_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        change_points([])


def test_a_long_stream_is_searched_with_many_steps_between() -> None:
    sample = uniform_pieces((60_000, 140_000), (0.0, 0.05), seed=1)
    found = change_points(sample.values)
    assert len(found.places) == 1
    assert abs(found.places[0] - 60_000) < 150


def check_sane(x: Any, min_distance: float, count: int | None) -> None:
    """What holds of every answer, if there is one."""
    try:
        found = change_points(x, min_distance, count)
    except ShoalError:
        return
    places = found.places
    assert places == sorted(set(places))
    assert all(0 < place < found.length for place in places)
    assert all(c.low <= c.place <= c.high and 0.0 <= c.p_value <= 1.0 and np.isfinite(c.score) for c in found.changes)
    assert len(found.processes) == len(places) + 1
    assert all(before != after for before, after in zip(found.processes, found.processes[1:], strict=False))
    if count is not None:
        assert len(set(found.processes)) <= count


@given(x=anything, min_distance=st.floats(0.001, 0.999), count=st.none() | st.integers(1, 5))
@example(x=[1.0, 0.0, 1.0], min_distance=0.5, count=None)
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_stream_breaks_it(x: Any, min_distance: float, count: int | None) -> None:
    check_sane(x, min_distance, count)


@pytest.mark.slow
@given(x=anything, min_distance=st.floats(0.001, 0.999), count=st.none() | st.integers(1, 5))
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_ten_thousand_streams_do_not_break_it(x: Any, min_distance: float, count: int | None) -> None:
    check_sane(x, min_distance, count)


counted = st.one_of(
    st.lists(st.integers(-30, 30), min_size=4, max_size=150),
    st.tuples(st.integers(0, 2**32), st.integers(4, 400), st.integers(1, 60)).map(
        lambda seeds: np.random.default_rng(seeds[0]).integers(-seeds[2], seeds[2], seeds[1], endpoint=True).tolist()
    ),
)


def check_invariant(values: list[int], min_distance: float, count: int | None) -> None:
    """Increasing transformations leave all but the words as it is."""
    array = np.array(values) / 10.0
    plain = change_points(array, min_distance, count, model="law")
    for moved in (3.7 * array - 11.0, np.exp(array)):
        assert bare(change_points(moved, min_distance, count, model="law")) == bare(plain)


@given(values=counted, min_distance=st.floats(0.02, 0.4), count=st.none() | st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_any_stream_keeps_its_changes_under_exp(values: list[int], min_distance: float, count: int | None) -> None:
    check_invariant(values, min_distance, count)


@pytest.mark.slow
@given(values=counted, min_distance=st.floats(0.001, 0.999), count=st.none() | st.integers(1, 5))
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_ten_thousand_streams_keep_their_changes(values: list[int], min_distance: float, count: int | None) -> None:
    check_invariant(values, min_distance, count)


def test_pieces_of_two_laws_are_grouped_by_law() -> None:
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.normal(size=200) + level for level in (0.0, 3.0, 0.0, 3.0, 0.0)])
    tables = ngram_tables(channels_of(as_stream(values)), len(values))
    edges = [0, 200, 400, 600, 800, 1000]
    assert group_pieces(tables, edges, 2) == [0, 1, 0, 1, 0]
    assert group_pieces(tables, edges, 1) == [0] * 5
    assert group_pieces(tables, edges, 9) == [0, 1, 2, 3, 4]


def test_the_closest_groups_are_joined_first() -> None:
    generator = np.random.default_rng(1)
    values = np.concatenate([generator.normal(size=300) + level for level in (0.0, 5.0, 0.3)])
    tables = ngram_tables(channels_of(as_stream(values)), len(values))
    assert group_pieces(tables, [0, 300, 600, 900], 2) == [0, 1, 0]
