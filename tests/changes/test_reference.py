"""The fast engine computes what the papers say, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from shoal.changes import distance, list_estimator, reference
from shoal.changes.khaleghi_ryabko import profile_of, split_distances, weights_of
from shoal.changes.ngrams import NgramTable, ngram_tables
from shoal.changes.quantization import channels_of
from shoal.changes.validation import as_stream

few_symbols = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def plain(cells: list[NgramTable], values: list[float]) -> tuple[list[np.ndarray], list[tuple[int, int, float]]]:
    """The same cells and weights in the form of the reference."""
    channel = channels_of(as_stream(values))[0]
    symbols = [channel.at(digits).astype(int) for digits in range(1, channel.depth + 1)]
    weights = weights_of(cells)
    return symbols, [(cell.digits - 1, cell.length, weight) for cell, weight in zip(cells, weights, strict=True)]


@given(symbols=few_symbols, length=st.integers(1, 4))
def test_every_split_has_the_distance_of_the_definition(symbols: list[int], length: int) -> None:
    stream = np.array(symbols)
    words = np.zeros(max(len(stream) - length + 1, 0), dtype=np.int64)
    for lag in range(length):
        words = words * 4 + stream[lag : lag + len(words)]
    expected = [
        reference.distance([stream[:split]], [stream[split:]], [(0, length, 1.0)]) for split in range(len(stream) + 1)
    ]
    assert split_distances(words, length, len(stream)).tolist() == expected


@given(values=st.lists(st.integers(0, 9), min_size=24, max_size=70), share=st.floats(0.15, 0.9))
def test_the_list_estimator_is_the_one_of_the_paper(values: list[int], share: float) -> None:
    channels = channels_of(as_stream(values))
    cells = ngram_tables(channels, len(values))
    symbols, given_cells = plain(cells, values)
    expected = reference.list_estimator(symbols, given_cells, share)
    found = list_estimator(values, share)
    assert found.places == [place for place, _ in expected]
    np.testing.assert_allclose([change.score for change in found.changes], [score for _, score in expected])


def test_profiles_of_all_cells_are_those_of_the_reference() -> None:
    values = np.random.default_rng(3).random(90) ** np.repeat([1, 2], [40, 50])
    cells = ngram_tables(channels_of(as_stream(values)), 90)
    symbols, given_cells = plain(cells, values.tolist())
    expected = [
        reference.distance([level[5:at] for level in symbols], [level[at:80] for level in symbols], given_cells)
        for at in range(5, 81)
    ]
    np.testing.assert_allclose(profile_of(cells, weights_of(cells), 5, 80), expected, rtol=1e-12)


def test_known_processes_are_told_apart_by_farthest_points() -> None:
    zeros, ones = np.zeros(120, dtype=int), np.ones(120, dtype=int)
    symbols = [np.concatenate((zeros, ones, zeros))]
    places = reference.change_points(symbols, [(0, 1, 1.0)], 0.3, 2)
    assert len(places) == 2
    assert abs(places[0] - 120) <= 1
    assert abs(places[1] - 240) <= 1


@given(x=few_symbols, y=few_symbols)
def test_the_distance_is_a_symmetric_one_below_two(x: list[int], y: list[int]) -> None:
    assert distance(x, y) == distance(y, x)
    assert 0.0 <= distance(x, y) <= 2.0
    assert distance(x, x) == 0.0


def test_the_distance_grows_with_a_shift() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.random(2000), generator.random(2000)
    assert distance(x, y) < 0.12 < distance(x, y + 0.2) < distance(x, y + 0.6)


def test_symbols_of_both_samples_share_an_alphabet() -> None:
    assert distance("abab" * 30, "baba" * 30) < 0.05
    assert distance("abab" * 30, "cdcd" * 30) > 0.2
