"""F1 with margin and covering on cases that can be reckoned by hand."""

from __future__ import annotations

import math

import pytest

from shoal.changes import covering, f1_with_margin, mean_error
from shoal.errors import UsageError


def test_the_truth_scores_one() -> None:
    assert f1_with_margin([[30, 60]], [30, 60]) == 1.0
    assert covering([[30, 60]], [30, 60], length=90) == 1.0


def test_no_change_where_there_is_none_scores_one() -> None:
    assert f1_with_margin([[], []], []) == 1.0
    assert covering([[], []], [], length=50) == 1.0


def test_a_place_inside_the_margin_counts_and_one_beyond_does_not() -> None:
    assert f1_with_margin([[30]], [35], margin=5) == 1.0
    # Of {0, 36} the start alone is right, of {0, 30} the start alone is found.
    assert f1_with_margin([[30]], [36], margin=5) == pytest.approx(0.5)


def test_a_found_place_serves_one_true_place_only() -> None:
    # True {0, 30, 32}, found {0, 31}: precision 2/2, recall 2/3.
    assert f1_with_margin([[30, 32]], [31]) == pytest.approx(2 * (2 / 3) / (1 + 2 / 3))


def test_precision_is_against_all_annotators_together_and_recall_the_mean_over_them() -> None:
    # Found {0, 30}: both are someone's, so precision 1; recall 2/2 of the first, 1/2 of the second.
    assert f1_with_margin([[30], [70]], [30]) == pytest.approx(2 * 0.75 / 1.75)


def test_covering_is_weighted_by_the_length_of_true_pieces() -> None:
    # True [0, 40) [40, 100), found one piece: .4 * 40/100 + .6 * 60/100.
    assert covering([[40]], [], length=100) == pytest.approx(0.52)
    # One true piece, found halves: the best Jaccard index is one half.
    assert covering([[]], [50], length=100) == pytest.approx(0.5)


def test_mean_error_takes_the_nearest_found_place() -> None:
    assert mean_error([100, 200], [90, 203, 400]) == pytest.approx(6.5)
    assert mean_error([], [5]) == 0.0
    assert mean_error([5], []) == math.inf


def test_places_outside_the_stream_and_no_annotator_are_refused() -> None:
    with pytest.raises(UsageError, match="from 0 to 10"):
        covering([[12]], [], length=10)
    with pytest.raises(UsageError, match="annotator"):
        covering([], [], length=10)
    with pytest.raises(UsageError, match="annotator"):
        f1_with_margin([], [])
