from __future__ import annotations

from shoal.corpora import clean_text, drop_counting


def test_typographic_signs_become_plain_ones_and_spaces_single() -> None:
    assert clean_text("\u201cOh \u2013 it\u2019s  so\u2026\u201d \r\n\r\n\n she said") == '"Oh - it\'s so..."\nshe said'


def test_composed_letters_are_one_character() -> None:
    assert clean_text("cafe\u0301") == "caf\u00e9"


def test_only_the_paragraph_that_counts_up_is_dropped() -> None:
    kept, dropped = drop_counting(["One day.\nOne, two, three!\nThe end.", "A dog."])
    assert kept == ["One day.\nThe end.", "A dog."]
    assert dropped == 1


def test_a_text_that_counts_up_across_paragraphs_is_dropped_whole() -> None:
    assert drop_counting(["1.\n2.\n3."]) == ([], 3)
