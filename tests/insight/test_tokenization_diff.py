"""The diff of two tokenizations of one text, on tokenizations written by hand."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import UsageError
from shoal.insight import TokenPiece, TokenReading, compare_tokenizations

TEXT = "abcdefghij"


def reading(boundaries: list[int], name: str = "one", text: str = TEXT) -> TokenReading:
    """A reading whose tokens end at the given places."""
    ends = [0, *sorted(set(boundaries) - {0, len(text)}), len(text)]
    pieces = tuple(
        TokenPiece(id=place, token=text[start:stop], text=text[start:stop], start=start, stop=stop, kind="text")
        for place, (start, stop) in enumerate(pairwise(ends))
    )
    return TokenReading(model=name, text=text, pieces=pieces, named={}, vocabulary=99, decoded=text)


boundaries = st.lists(st.integers(1, len(TEXT) - 1), max_size=9)


def test_boundaries_are_counted_and_differences_are_as_short_as_can_be() -> None:
    found = compare_tokenizations(reading([2, 4, 7], "A"), reading([2, 5, 7, 8], "B"))
    assert (found.first, found.second) == ("A", "B")
    assert (found.shared, found.only_first, found.only_second) == (2, 1, 2)
    assert found.agreement == pytest.approx(2 / 5)
    assert [(span.start, span.stop, span.text) for span in found.spans] == [(2, 7, "cdefg"), (7, 10, "hij")]
    assert (found.spans[0].first, found.spans[0].second) == (("cd", "efg"), ("cde", "fg"))
    assert (found.spans[1].first, found.spans[1].second) == (("hij",), ("h", "ij"))


def test_a_finer_tokenization_differs_where_it_divides() -> None:
    found = compare_tokenizations(reading([5]), reading([1, 2, 3, 4, 5]))
    assert found.only_first == 0
    assert [(span.start, span.stop) for span in found.spans] == [(0, 5)]


def test_without_any_boundary_the_two_agree() -> None:
    found = compare_tokenizations(reading([]), reading([]))
    assert (found.agreement, found.spans) == (1.0, ())
    assert compare_tokenizations(reading([]), reading([4])).agreement == 0.0


@given(boundaries, boundaries)
@settings(max_examples=150, deadline=None)
def test_the_diff_is_symmetric_and_its_spans_rebuild_both_texts(one: list[int], other: list[int]) -> None:
    first, second = reading(one, "A"), reading(other, "B")
    found, back = compare_tokenizations(first, second), compare_tokenizations(second, first)
    assert found.agreement == back.agreement
    assert (found.only_first, found.only_second) == (back.only_second, back.only_first)
    assert [span.text for span in found.spans] == [span.text for span in back.spans]
    for span, mirrored in zip(found.spans, back.spans, strict=True):
        assert "".join(span.first) == "".join(span.second) == span.text == TEXT[span.start : span.stop]
        assert (span.first, span.second) == (mirrored.second, mirrored.first)
    assert found.shared == len(set(one) & set(other))
    assert (not found.spans) == (set(one) == set(other))


@given(boundaries, boundaries)
@settings(max_examples=100, deadline=None)
def test_outside_of_the_spans_the_tokens_are_the_same(one: list[int], other: list[int]) -> None:
    first, second = reading(one), reading(other)
    found = compare_tokenizations(first, second)
    inside = {place for span in found.spans for place in range(span.start, span.stop)}
    kept = [[piece.text for piece in each.pieces if piece.start not in inside] for each in (first, second)]
    assert kept[0] == kept[1]


def test_readings_of_different_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="of different texts"):
        compare_tokenizations(reading([1]), reading([1], text="abcdefghik"))


def test_a_diff_is_printed_tabulated_and_written_as_json() -> None:
    found = compare_tokenizations(reading([2, 4], "A"), reading([2, 5], "B"))
    assert str(found).splitlines() == [
        "A and B share 1 boundaries, 1 are of the first alone and 1 of the second alone (agreement 0.33)",
        "      2  'cdefghij': 'cd' 'efghij' | 'cde' 'fghij'",
    ]
    assert found.to_frame().to_dict("records") == [
        {"start": 2, "stop": 10, "text": "cdefghij", "first": ("cd", "efghij"), "second": ("cde", "fghij")}
    ]
    assert json.loads(json.dumps(found.to_dict()))["agreement"] == pytest.approx(1 / 3)
