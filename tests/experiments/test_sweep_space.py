"""The points of a sweep: grids counted and numbered, ranges with their steps, keys of corpora told apart."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from shoal.errors import ExperimentFileError
from shoal.experiments.sweeps.space import (
    check_comparable,
    flat_settings,
    grid_point,
    grid_size,
    grid_values,
    split_settings,
)
from shoal.experiments.sweeps.sweep import PruningTable, RangeTable, Sweep


def sweep(keys: dict[str, Any], **changes: Any) -> Sweep:
    return Sweep.model_validate({"name": "s", "keys": keys} | changes)


@pytest.mark.parametrize(
    ("given_range", "values"),
    [
        ({"low": 1, "high": 5, "step": 2}, (1, 3, 5)),
        ({"low": 1, "high": 6, "step": 2}, (1, 3, 5)),
        ({"low": -2, "high": 2, "step": 1}, (-2, -1, 0, 1, 2)),
        ({"low": 0, "high": 1, "step": 2}, (0,)),
        # Rounding puts the last step just beyond the end.
        ({"low": 0.1, "high": 0.3, "step": 0.1}, (0.1, 0.2, 0.3)),
        ({"low": 0.0, "high": 1.0, "step": 0.25}, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ({"low": 0.0, "high": 0.9, "step": 0.2}, (0.0, 0.2, 0.4, 0.6, 0.8)),
        ({"low": 1e-5, "high": 3e-5, "step": 1e-5}, (1e-5, 2e-5, 3e-5)),
    ],
)
def test_a_range_goes_by_its_steps(given_range: dict[str, Any], values: tuple[float, ...]) -> None:
    found = grid_values(RangeTable.model_validate(given_range))
    assert found == pytest.approx(values)
    assert len(found) == len(values)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 200), st.integers(1, 20))
def test_a_range_of_tenths_has_as_many_values_as_one_of_whole_numbers(low: int, width: int, step: int) -> None:
    whole = grid_values(RangeTable(low=low, high=low + width, step=step))
    tenths = grid_values(RangeTable(low=low / 10, high=(low + width) / 10, step=step / 10))
    assert len(tenths) == len(whole) == width // step + 1
    assert whole == tuple(range(low, low + width + 1, step))


@pytest.mark.parametrize(
    ("given_range", "whole"),
    [
        ({"low": 1, "high": 4}, True),
        ({"low": 1, "high": 4, "step": 1}, True),
        ({"low": 1, "high": 4, "step": 0.5}, False),
        ({"low": 1.0, "high": 4}, False),
        ({"low": 1, "high": 4.0}, False),
    ],
)
def test_a_range_is_of_whole_numbers_where_all_its_numbers_are(given_range: dict[str, Any], whole: bool) -> None:
    assert RangeTable.model_validate(given_range).whole is whole


@pytest.mark.parametrize(
    ("given_range", "message"),
    [
        ({"low": 2, "high": 2}, "goes from low to a higher high, not from 2 to 2"),
        ({"low": 3, "high": 2}, "not from 3 to 2"),
        ({"low": float("nan"), "high": 2}, "from nan to 2"),
        ({"low": 0, "high": float("inf")}, "from 0 to inf"),
        ({"low": 0, "high": 1, "log": True}, "with log = true begins above 0, not at 0"),
        ({"low": 1, "high": 9, "log": True, "step": 2}, "has either log or step; give one of them"),
        ({"low": 1, "high": 9, "step": 0}, "step"),
        ({"low": 1, "high": 9, "step": -1}, "step"),
        ({"low": 1}, "high"),
        ({"low": "1", "high": 2}, "low"),
        ({"low": 1, "high": 2, "steps": 1}, "steps"),
    ],
)
def test_a_range_that_cannot_be_drawn_is_refused(given_range: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RangeTable.model_validate(given_range)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_points_of_a_grid_are_the_product_of_its_values(sizes: list[int]) -> None:
    keys = {f"k{place}": [f"{place}-{value}" for value in range(size)] for place, size in enumerate(sizes)}
    one = sweep(keys)
    points = [grid_point(one, number) for number in range(grid_size(one))]
    assert [tuple(point.values()) for point in points] == list(itertools.product(*keys.values()))
    assert all(list(point) == sorted(keys) for point in points)


@pytest.mark.parametrize(
    ("choice", "flat"),
    [
        ({}, {}),
        ({"model.width": 8}, {"model.width": 8}),
        ({"model.width, model.heads": (8, 2)}, {"model.width": 8, "model.heads": 2}),
        ({" a ,b,  c ": (1, "x", True)}, {"a": 1, "b": "x", "c": True}),
        ({"a": 1, "b,c": (2, 3)}, {"a": 1, "b": 2, "c": 3}),
    ],
)
def test_keys_that_are_set_together_come_apart(choice: Any, flat: dict[str, Any]) -> None:
    assert flat_settings(choice) == flat


@pytest.mark.parametrize(
    ("found", "changes", "corruption"),
    [
        ({"model.width": 8}, {"model.width": 8}, {}),
        ({"corpus.tales.noise": 0.1}, {}, {"tales": {"noise": 0.1}}),
        (
            {"corpus.tales.noise": 0.1, "corpus.tales.kept": 0.5, "corpus.news.repeats": 0.2},
            {},
            {"tales": {"noise": 0.1, "kept": 0.5}, "news": {"repeats": 0.2}},
        ),
        # The name of a corpus may hold dots; the last part is the key.
        ({"corpus.a.b.kept": 0.5}, {}, {"a.b": {"kept": 0.5}}),
        ({"corpus.tales.weight": 2.0}, {"corpus.tales.weight": 2.0}, {}),
        # None of these is a key of a corpus.
        ({"corpus.noise": 0.1}, {"corpus.noise": 0.1}, {}),
        ({"model.corpus.noise": 0.1}, {"model.corpus.noise": 0.1}, {}),
        ({"noise": 0.1}, {"noise": 0.1}, {}),
    ],
)
def test_what_is_done_to_a_corpus_is_no_key_of_the_recipe(
    found: dict[str, Any], changes: dict[str, Any], corruption: dict[str, Any]
) -> None:
    assert split_settings(found) == (changes, corruption)


@pytest.mark.parametrize(
    ("keys", "objective", "refused"),
    [
        ({"corpus.tales.seed": [1, 2]}, "bits_per_byte", True),
        ({"corpus.tales.seed": [1, 2]}, "bits_per_byte.tales", True),
        ({"corpus.tales.seed": [1, 2]}, "bits_per_byte.news", False),
        ({"corpus.tales.seed": [1, 2]}, "scores.py:own", False),
        ({"model.width, corpus.tales.held_out": [[8, 0.1], [16, 0.2]]}, "bits_per_byte", True),
        ({"corpus.tales.kept": [0.5, 1.0]}, "bits_per_byte", False),
        ({"corpus.tales.weight": [1.0, 2.0]}, "bits_per_byte", False),
        ({"model.width": [8, 16]}, "bits_per_byte", False),
    ],
)
def test_trials_are_scored_on_the_same_documents(keys: dict[str, Any], objective: str, refused: bool) -> None:
    one = sweep(keys, objective=objective)
    if refused:
        with pytest.raises(ExperimentFileError, match=r"s\.toml: 'corpus\.tales\.\w+' changes which documents of 'tal"):
            check_comparable(one, "s.toml")
    else:
        check_comparable(one, "s.toml")


@pytest.mark.parametrize(("seeds", "found"), [(1, (0,)), (3, (0, 1, 2)), ([5], (5,)), ([2, 0], (2, 0))])
def test_a_number_of_seeds_counts_from_zero(seeds: Any, found: tuple[int, ...]) -> None:
    assert sweep({"a": [1]}, seeds=seeds).seeds == found


@pytest.mark.parametrize("seeds", [0, -1, True, [], [-1], ["1"], 1.0, None])
def test_what_is_no_number_of_seeds_is_refused(seeds: Any) -> None:
    with pytest.raises(ValidationError, match="seeds"):
        sweep({"a": [1]}, seeds=seeds)


@pytest.mark.parametrize(
    ("keys", "changes", "message"),
    [
        ({"a,": [[1, 2]]}, {}, "names nothing at one place"),
        ({",": [[1, 2]]}, {}, "names nothing at one place"),
        ({"a, a": [[1, 2]]}, {}, "'a' is swept twice"),
        ({"a": [1], "a, b": [[1, 2]]}, {}, "'a' is swept twice"),
        ({"a, seed": [[1, 2]]}, {}, "the seed is the sweep's"),
        ({"a": [1, 2, 1]}, {}, "a value stands twice"),
        ({"a": [1, 2]}, {"seeds": [0, 3, 0]}, "a seed stands twice in seeds"),
        ({"a": [[1, 2]]}, {}, "holds 2 values for 1 keys"),
        ({"a, b": [1]}, {}, "holds 1 values for 2 keys"),
        ({"a, b": {"low": 1, "high": 2}}, {"sampler": "random", "trials": 2}, "need a list of lists"),
        ({"a": {"low": 1, "high": 2}}, {}, "a grid needs a list of values or a step"),
        ({"a": [1]}, {"sampler": "tpe"}, "needs a number of trials"),
        ({"a": "abc"}, {}, "a = 'abc': give a list of values"),
        ({"a": None}, {}, "a = None: give a list of values"),
        ({}, {}, "keys"),
        ({"a": [1]}, {"gpus": -0.5}, "gpus"),
        ({"a": [1]}, {"at_once": 0}, "at_once"),
    ],
)
def test_a_sweep_that_cannot_be_drawn_is_refused(keys: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        sweep(keys, **changes)


def test_keys_are_sorted_so_that_trials_have_the_same_numbers() -> None:
    one, two = sweep({"b": [1, 2], "a": [3, 4]}), sweep({"a": [3, 4], "b": [1, 2]})
    assert list(one.keys) == ["a", "b"]
    assert [grid_point(one, number) for number in range(4)] == [grid_point(two, number) for number in range(4)]


@pytest.mark.parametrize(
    "changes", [{"after": 1}, {"at": []}, {"at": [0.0]}, {"at": [1.0]}, {"at": [0.5, 1.5]}, {"at": 0.5}, {"when": 1}]
)
def test_pruning_that_never_happens_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PruningTable.model_validate(changes)


def test_a_sweep_survives_json() -> None:
    one = sweep(
        {"a": [1, 2.5, "x", False], "b, c": [[1, "y"], [2, "z"]], "d": {"low": 0.1, "high": 0.2, "log": True}},
        sampler="tpe", trials=3, seeds=2, pruning={"after": 5, "at": [0.5]},
    )  # fmt: skip
    assert Sweep.model_validate_json(one.model_dump_json()) == one
    assert Sweep.model_validate(one.model_dump()) == one


def test_the_steps_of_a_range_are_the_decimals_that_a_file_would_write() -> None:
    assert grid_values(RangeTable(low=0.1, high=0.8, step=0.1)) == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    assert grid_values(RangeTable(low=1e-4, high=4e-4, step=1e-4)) == (1e-4, 2e-4, 3e-4, 4e-4)
    whole = grid_values(RangeTable(low=1, high=7, step=3))
    assert (whole, {type(value) for value in whole}) == ((1, 4, 7), {int})
