"""What the pieces are like, and results used as lists of places."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from shoal.changes import change_points, describe_pieces, known_number, list_estimator

RANDOM = np.random.default_rng(0)
SHIFT = np.concatenate([RANDOM.normal(size=300), RANDOM.normal(3.0, 2.0, size=300)])


def test_each_piece_has_the_mean_and_the_spread_of_its_own_values() -> None:
    found = change_points(SHIFT)
    (place,) = found.places
    assert [(piece.start, piece.stop, piece.process) for piece in found.pieces] == [(0, place, 0), (place, 600, 1)]
    for piece in found.pieces:
        (only,) = piece.coordinates
        values = SHIFT[piece.start : piece.stop]
        assert only.mean == pytest.approx(values.mean())
        assert only.sd == pytest.approx(values.std(ddof=1))
        assert only.count == len(values)


def test_missing_and_infinite_values_are_left_out_of_mean_and_spread() -> None:
    (piece,) = change_points([1.0, np.nan, 3.0, np.inf]).pieces
    assert (piece.coordinates[0].mean, piece.coordinates[0].count) == (2.0, 2)
    assert piece.coordinates[0].sd == pytest.approx(2.0**0.5)
    (empty,) = change_points([np.nan] * 4).pieces
    assert (empty.coordinates[0].mean, empty.coordinates[0].sd, empty.coordinates[0].count) == (None, None, 0)
    assert change_points([5.0]).pieces[0].coordinates[0].sd is None


def test_of_vectors_only_coordinates_that_moved_are_described_the_clearest_first() -> None:
    table = np.random.default_rng(1).normal(size=(600, 12))
    table[300:, 7] += 3.0
    table[300:, 2] *= 6.0
    found = change_points(table)
    names = [part.name for part in found.pieces[0].coordinates]
    assert names[:2] in (["x7", "x2"], ["x2", "x7"])
    assert len(names) <= 3
    assert [part.name for part in found.pieces[1].coordinates] == names
    assert "x7 mean" in describe_pieces(found)


def test_of_symbols_the_commonest_have_their_shares() -> None:
    found = change_points("ab" * 200 + "cccd" * 100)
    first, second = found.pieces[0], found.pieces[-1]
    assert [part.symbol for part in first.symbols[:2]] == ["a", "b"]
    assert first.symbols[0].share == pytest.approx(0.5, abs=0.01)
    assert (second.symbols[0].symbol, second.symbols[0].share) == ("c", pytest.approx(0.75, abs=0.01))
    assert "c 75" in describe_pieces(found)


def test_every_search_describes_its_pieces_in_order_of_time() -> None:
    for found in (known_number(SHIFT, 1), list_estimator(SHIFT, 0.2), change_points(SHIFT, 0.2, 2)):
        edges = [0, *sorted(found.places), 600]
        assert [(piece.start, piece.stop) for piece in found.pieces] == list(itertools.pairwise(edges))
    assert json.loads(json.dumps(found.to_dict()))["pieces"][0]["coordinates"][0]["count"] > 0


def test_a_result_is_the_list_of_its_places() -> None:
    found = change_points(SHIFT)
    (place,) = found.places
    assert list(found) == [place] == found.places
    assert found == [place]
    assert found != [place + 1]
    assert (len(found), found[0], found[-1], found[:1], place in found) == (1, place, place, [place], True)
    assert type(found[0]) is int
    assert np.asarray(found).tolist() == [place]
    assert found.changes[0].place == place
    with pytest.raises(IndexError):
        found[1]


def test_a_result_without_changes_is_an_empty_list() -> None:
    found = change_points(np.random.default_rng(3).normal(size=200))
    assert list(found) == []
    assert not found
    assert found == []


def test_equal_searches_have_equal_results_and_other_settings_others() -> None:
    assert change_points(SHIFT) == change_points(SHIFT)
    assert hash(change_points(SHIFT)) == hash(change_points(SHIFT))
    assert change_points(SHIFT) != change_points(SHIFT, alpha=0.01)


def test_numbers_near_the_largest_float_have_their_mean() -> None:
    found = change_points(np.repeat([-1.7e308, 1.7e308], 50))
    means = [piece.coordinates[0].mean for piece in found.pieces]
    assert means == [pytest.approx(-1.7e308), pytest.approx(1.7e308)]
    assert [piece.coordinates[0].sd for piece in found.pieces] == [0.0, 0.0]
