"""The measures of found places against their definitions, written out step by step."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, strategies as st

from shoal.changes import covering, f1_with_margin, mean_error
from shoal.errors import UsageError

LENGTH = 40
PLACES = st.lists(st.integers(1, LENGTH - 1), max_size=6, unique=True)
ANNOTATORS = st.lists(PLACES, min_size=1, max_size=3)


def hits(true: set[int], found: set[int], margin: int) -> int:
    """How many true places are found, as van den Burg and Williams match them: each takes the nearest left."""
    left, count = set(found), 0
    for place in sorted(true):
        near = sorted((abs(place - other), other) for other in left if abs(place - other) <= margin)
        if near:
            left.remove(near[0][1])
            count += 1
    return count


def pieces(places: list[int]) -> list[set[int]]:
    """The steps of each piece."""
    edges = [0, *sorted(places), LENGTH]
    return [set(range(a, b)) for a, b in itertools.pairwise(edges)]


@given(true=ANNOTATORS, found=PLACES, margin=st.integers(0, 8))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(true: list[list[int]], found: list[int], margin: int) -> None:
    everyone = {0}.union(*true)
    precision = hits(everyone, {0, *found}, margin) / (len(found) + 1)
    recall = sum(hits({0, *places}, {0, *found}, margin) / (len(places) + 1) for places in true) / len(true)
    expected = 2 / (1 / precision + 1 / recall)
    assert f1_with_margin(true, found, margin=margin) == pytest.approx(expected)


@given(true=ANNOTATORS, found=PLACES)
def test_covering_is_the_weighted_mean_of_the_best_overlaps(true: list[list[int]], found: list[int]) -> None:
    total = 0.0
    for places in true:
        for piece in pieces(places):
            best = max(len(piece & other) / len(piece | other) for other in pieces(found))
            total += len(piece) / LENGTH * best / len(true)
    assert covering(true, found, length=LENGTH) == pytest.approx(total)


@given(places=PLACES, margin=st.integers(0, 8))
def test_the_truth_itself_scores_one_and_more_margin_never_less(places: list[int], margin: int) -> None:
    assert f1_with_margin([places], places, margin=margin) == 1.0
    assert covering([places], places, length=LENGTH) == pytest.approx(1.0)
    assert mean_error(places, places) == 0.0


@given(true=ANNOTATORS, found=PLACES)
def test_scores_lie_between_zero_and_one_and_do_not_know_the_order(true: list[list[int]], found: list[int]) -> None:
    for score in (f1_with_margin(true, found), covering(true, found, length=LENGTH)):
        assert 0.0 < score <= 1.0 + 1e-12
    assert f1_with_margin(true[::-1], found[::-1]) == pytest.approx(f1_with_margin(true, found))
    assert covering(true[::-1], found[::-1], length=LENGTH) == pytest.approx(covering(true, found, length=LENGTH))


@given(true=PLACES, found=PLACES)
def test_covering_of_a_stream_read_backwards_is_the_same(true: list[int], found: list[int]) -> None:
    back = covering([[LENGTH - place for place in true]], [LENGTH - place for place in found], length=LENGTH)
    assert back == pytest.approx(covering([true], found, length=LENGTH))


@given(true=PLACES, found=PLACES, moved=st.integers(-100, 100))
def test_the_mean_error_is_of_differences_alone(true: list[int], found: list[int], moved: int) -> None:
    shifted = mean_error([place + moved for place in true], [place + moved for place in found])
    assert shifted == mean_error(true, found)
    if true and found:
        assert shifted == pytest.approx(sum(min(abs(a - b) for b in found) for a in true) / len(true))
    assert mean_error(true, []) == (math.inf if true else 0.0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: f1_with_margin([], [1]), "f1_with_margin needs the places of at least one annotator"),
        (lambda: covering([], [1], length=5), "covering needs the places of at least one annotator"),
        (lambda: f1_with_margin([3, 7], [3]), r"give \[places\] for one truth; got \[3, 7\]"),  # type: ignore[list-item]
        (lambda: covering([3], [3], length=9), r"give \[places\] for one truth; got \[3\]"),  # type: ignore[list-item]
        (lambda: f1_with_margin([[3]], [3], margin=-1), "margin is a number of steps from 0; got -1"),
        (lambda: covering([[]], [], length=0), "length is the number of steps of the stream, from 1; got 0"),
        (lambda: covering([[3]], [-2], length=9), "from 0 to 9, the length of the stream; got -2 to -2"),
        (lambda: covering([[3, 11]], [2], length=9), "from 0 to 9, the length of the stream; got 3 to 11"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(call, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
