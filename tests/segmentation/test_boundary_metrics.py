"""The measures of segmentations are segeval's, on any two segmentations of a text."""

from __future__ import annotations

import pytest
import segeval
from hypothesis import given, settings, strategies as st

from shoal.errors import UsageError
from shoal.segmentation import boundary_similarity, pk, window_diff


@st.composite
def two_segmentations(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    size = draw(st.integers(3, 40))  # below 3 segeval divides by nothing
    return _lengths(draw, size), _lengths(draw, size)


def _lengths(draw: st.DrawFn, size: int) -> list[int]:
    cuts = sorted(draw(st.sets(st.integers(1, size - 1))))
    return [stop - start for start, stop in zip([0, *cuts], [*cuts, size], strict=True)]


@settings(max_examples=300, deadline=None)
@given(two_segmentations())
def test_the_measures_are_those_of_segeval(pair: tuple[list[int], list[int]]) -> None:
    true, found = pair
    assert pk(true, found) == pytest.approx(float(segeval.pk(found, true)), abs=1e-12)
    assert window_diff(true, found) == pytest.approx(float(segeval.window_diff(found, true)), abs=1e-12)
    if len(true) + len(found) > 2:  # segeval knows no answer where neither has a boundary; here it is 1
        expected = float(segeval.boundary_similarity(found, true))
        assert boundary_similarity(true, found) == pytest.approx(expected, abs=1e-12)
    else:
        assert boundary_similarity(true, found) == 1.0


def test_the_window_may_be_given() -> None:
    assert pk([4, 4], [8], window=4) == 1.0
    assert window_diff([4, 4], [4, 4], window=1) == 0.0
    assert pk([1], [1], window=1) == 0.0


@pytest.mark.parametrize("window", [0, 8, 9])
def test_a_window_that_no_pair_of_sentences_spans_is_refused(window: int) -> None:
    for measure in (pk, window_diff):
        with pytest.raises(UsageError, match=f"the window is {window}; expected at least 1 sentence, and fewer than"):
            measure([4, 4], [1, 7], window=window)


@pytest.mark.parametrize(("true", "found"), [([3, 3], [3, 4]), ([], []), ([0, 4], [4]), ([4], [-1, 5])])
def test_lengths_that_are_no_two_segmentations_of_one_text_are_refused(true: list[int], found: list[int]) -> None:
    with pytest.raises(UsageError):
        pk(true, found)
    with pytest.raises(UsageError):
        boundary_similarity(true, found)
