"""The language of a text."""

from __future__ import annotations

import pytest

from shoal.text import find_language, known_languages, rank_languages

ENGLISH = "The little dog ran over the hill and looked for its red ball. "
GERMAN = "Der kleine Hund lief über den Hügel und suchte seinen roten Ball. "


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de")])
def test_a_sentence_is_enough(text: str, code: str) -> None:
    assert find_language(text) == code


@pytest.mark.parametrize("text", ["", "Hello.", "x" * 19])
def test_a_text_that_is_too_short_has_no_language(text: str) -> None:
    assert find_language(text) is None


def test_the_probabilities_fall_and_sum_to_one() -> None:
    ranked = rank_languages(ENGLISH)
    probabilities = [probability for _, probability in ranked]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert {code for code, _ in ranked} == known_languages()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_long_text_is_read_at_its_beginning_middle_and_end(place: int) -> None:
    parts = [ENGLISH * 60] * 3
    parts[place] = GERMAN * 60
    mixed = rank_languages("".join(parts))
    assert [code for code, _ in mixed[:2]] in (["en", "de"], ["de", "en"])


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert find_language(ENGLISH + "\ud83d") == "en"
