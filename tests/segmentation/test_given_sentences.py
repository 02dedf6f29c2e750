"""What is cut: the sentences of a text, its lines, or a list of one's own."""

from __future__ import annotations

import pytest

from shoal.errors import DataError
from shoal.segmentation import as_sentences, find_overlong, read_lines


def test_lines_are_sentences_where_they_are_said_to_be() -> None:
    assert read_lines("one\n\n two  words \nMr. X. came") == ["one", "two words", "Mr. X. came"]


@pytest.mark.parametrize("given", ["", " \n ", [], ["a", ""], ["a", 3], "\x00\x01\x02" * 9, ["fine", "\x00\x7f\x03"]])
def test_what_holds_no_text_is_refused(given: object) -> None:
    with pytest.raises(DataError):
        as_sentences(given)  # type: ignore[arg-type]


def test_long_texts_in_which_no_sentences_are_found_are_named() -> None:
    assert find_overlong(as_sentences("no mark at all\n" * 100)) == "1 sentence of 1,499 characters"
    assert find_overlong(as_sentences("It rained. " * 500)) is None
    assert find_overlong(as_sentences("a short one")) is None
