"""N-grams of words and signs as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.corpora import Shingler, jaccard, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The dog's BONE, 3 cats!", ["the", "dog's", "bone", "3", "cats"]),
        ("Caf\u00e9 cafe\u0301 CAFE", ["caf\u00e9", "caf\u00e9", "cafe"]),
        ("it\u2019s", ["it's"]),
        ("\uff21\uff22\uff23", ["abc"]),
        ("\u732b\u304c\u597d\u304d", ["\u732b", "\u304c", "\u597d", "\u304d"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("x = a + b", ["x", "a", "b"]),
        ("... \u2014 !", []),
    ],
)
def test_words_are_letters_digits_and_their_marks(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_grams_are_as_many_as_places_for_them() -> None:
    shingler = Shingler(3)
    assert [len(shingler.grams("a " * count)) for count in (1, 2, 3, 4, 10)] == [1, 1, 1, 2, 8]


def test_the_set_of_shingles_is_sorted_and_each_stands_once() -> None:
    found = Shingler(2).shingles("a b a b c")
    assert len(found) == 3
    assert (np.diff(found.astype(object)) > 0).all()


def test_one_shingler_gives_equal_grams_equal_numbers() -> None:
    shingler = Shingler(2)
    first, second = shingler.grams("red ball blue box"), shingler.grams("a red BALL, blue. Box")
    assert set(first.tolist()) < set(second.tolist())


def test_words_and_signs_are_located_to_the_character() -> None:
    text = "One, two: a + b"
    _, spans = Shingler(2).located(text)
    assert [text[start:stop] for start, stop in spans] == ["One", "two", "a", "+", "b"]


@pytest.mark.parametrize(
    ("first", "second", "index"),
    [([], [], 1.0), ([1], [], 0.0), ([1, 2, 3], [2, 3, 4], 0.5), ([1, 2], [1, 2], 1.0), ([1], [2], 0.0)],
)
def test_the_jaccard_index_is_shared_over_all(first: list[int], second: list[int], index: float) -> None:
    assert jaccard(np.array(first, dtype=np.uint64), np.array(second, dtype=np.uint64)) == index
