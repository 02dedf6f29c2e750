"""Where sentences end."""

from __future__ import annotations

import pytest

from shoal.errors import DataError
from shoal.segmentation import read_lines, split_sentences
from shoal.segmentation.sentences import as_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rained. We stayed in.", ["It rained.", "We stayed in."]),
        ("Mr. Brown met Dr. A. Smith. They spoke.", ["Mr. Brown met Dr. A. Smith.", "They spoke."]),
        ("See e.g. Fig. 3 on p. 4. It is red.", ["See e.g. Fig. 3 on p. 4.", "It is red."]),
        ('"Stop!" he said. She did.', ['"Stop!" he said.', "She did."]),
        ('"Why?" She ran. "Come back!" He ran too.', ['"Why?"', "She ran.", '"Come back!"', "He ran too."]),
        ("It cost 3.50 in all. Cheap!", ["It cost 3.50 in all.", "Cheap!"]),
        ("A heading\n\nand a paragraph\nof two lines.", ["A heading", "and a paragraph of two lines."]),
        ("1. Wash it. 2. Dry it.", ["1. Wash it.", "2. Dry it."]),
        ("So do I. You too?", ["So do I.", "You too?"]),
        ("雨が降った。家にいた。", ["雨が降った。", "家にいた。"]),
        ("  \n\n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_lines_are_sentences_where_they_are_said_to_be() -> None:
    assert read_lines("one\n\n two  words \nMr. X. came") == ["one", "two words", "Mr. X. came"]


@pytest.mark.parametrize("given", ["", " \n ", [], ["a", ""], ["a", 3], "\x00\x01\x02" * 9, ["fine", "\x00\x7f\x03"]])
def test_what_holds_no_text_is_refused(given: object) -> None:
    with pytest.raises(DataError):
        as_sentences(given)  # type: ignore[arg-type]
