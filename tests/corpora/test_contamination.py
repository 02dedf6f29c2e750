"""Held-out items are found where they stand in a corpus."""

from __future__ import annotations

import pytest

from shoal.corpora.contamination import find_contamination
from shoal.errors import DataError, UsageError

ITEM = "Please count up in unary starting at two and stopping at nine now"


def test_a_copied_stretch_is_found_with_its_place_and_share():
    text = "It rained. PLEASE count up, in unary: starting at two and -- stopping"
    found = find_contamination(["nothing here", text], [ITEM, "a wholly different thing that stands nowhere at all"])
    (overlap,) = found.overlaps
    assert found.contaminated == (0,)
    assert (overlap.item, overlap.document, overlap.start) == (0, 1, 11)
    assert overlap.text == text[11:]
    assert overlap.share == pytest.approx(3 / 6)
    assert found.documents == 2


def test_a_stretch_one_word_too_short_is_no_copy():
    assert find_contamination(["count up in unary starting at two"], [ITEM]).overlaps == ()
    assert len(find_contamination(["count up in unary starting at two"], [ITEM], run=7).overlaps) == 1


def test_a_short_item_must_stand_there_whole():
    items = ["red ball rolls far", "one two"]
    found = find_contamination(["a red ball rolls", "the red ball rolls far away"], items)
    assert [(one.item, one.document) for one in found.overlaps] == [(0, 1)]
    assert (found.items, found.checked) == (2, 1)


@pytest.mark.parametrize(
    ("item", "document", "stretch"),
    [
        ("x = a - b + c", "so x = a - b + c;", "x = a - b + c"),
        (
            "\u4eca\u5929\u5929\u6c14",
            "\u4ed6\u8bf4\u4eca\u5929\u5929\u6c14\u5f88\u597d",
            "\u4eca\u5929\u5929\u6c14",
        ),  # Chinese
        ("\U0001f600\U0001f603\U0001f604", "see \U0001f600\U0001f603\U0001f604!", "\U0001f600\U0001f603\U0001f604"),
    ],
)
def test_items_of_signs_and_of_scripts_without_blanks_are_found(item, document, stretch):
    assert [one.text for one in find_contamination([document], [item]).overlaps] == [stretch]


@pytest.mark.parametrize(("item", "document"), [("x = a - b + c", "x = a + b + c"), ("f(a, b) == c", "f[a]: b != c")])
def test_what_differs_by_signs_is_no_copy(item, document):
    assert find_contamination([document], [item]).overlaps == ()


def test_two_items_with_a_common_stretch_are_both_named():
    found = find_contamination([ITEM], [ITEM, "Please count up in unary starting at two and stop there, please"])
    assert found.contaminated == (0, 1)


def test_items_without_words_and_tiny_runs_are_refused():
    with pytest.raises(DataError, match="none of the 1 items has 3 words"):
        find_contamination(["a"], ["one two"])
    with pytest.raises(UsageError, match="stand everywhere"):
        find_contamination(["a"], [ITEM], run=2)


def test_the_largest_overlaps_are_printed_and_all_are_in_the_frame():
    items = [" ".join(f"word{number}of{place}" for place in range(7)) for number in range(12)]
    found = find_contamination([". ".join(items[:11]), items[0]], items, run=5)
    lines = str(found).splitlines()
    assert lines[0] == "11 of 12 items share a run of 5 words (or all of theirs) with one of 2 documents"
    assert len(lines) == 12
    assert lines[-1] == f"  and {len(found.overlaps) - 10} more; --json gives all"
    frame = found.to_frame()
    assert list(frame.columns) == ["item", "document", "start", "text", "share"]
    assert len(frame) == len(found.overlaps)
    assert find_contamination(["nothing at all"], items).to_frame().empty


def test_items_too_short_to_be_checked_are_named():
    found = find_contamination([ITEM], ["two words", ITEM, "one"])
    assert (found.checked, found.unchecked, found.contaminated) == (1, (0, 2), (1,))
    assert found.to_dict()["unchecked"] == [0, 2]
