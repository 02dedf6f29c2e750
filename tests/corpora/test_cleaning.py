"""Wild documents become usable, and sound ones stay as they are."""

from __future__ import annotations

import pytest

from shoal.corpora import Cleaning, clean_text, read_stories, repair_text, strip_boilerplate
from shoal.errors import UnknownNameError
from shoal.text import find_language

pytest.importorskip("ftfy")
pytest.importorskip("py3langid")

BOOK = """The Project Gutenberg EBook of Tales, by Nobody

Title: Tales

*** START OF THIS PROJECT GUTENBERG EBOOK TALES ***

Produced by A. Person and
the proofreaders

CHAPTER I

Once there was a fox.

[Illustration: The fox]

12

It ran.

*** END OF THIS PROJECT GUTENBERG EBOOK TALES ***

Updated editions will replace the previous one."""

SPEECH = {
    "en": "The little girl went to the garden and saw a big red flower near the old wall.",
    "de": "Das kleine Mädchen ging in den Garten und sah eine große rote Blume an der alten Mauer.",
    "fr": "La petite fille est allée dans le jardin et a vu une grande fleur rouge près du vieux mur.",
    "es": "La niña pequeña fue al jardín y vio una gran flor roja cerca de la vieja pared.",
    "it": "La bambina è andata in giardino e ha visto un grande fiore rosso vicino al vecchio muro.",
    "nl": "Het kleine meisje ging naar de tuin en zag een grote rode bloem bij de oude muur.",
}


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("cafÃ©", "café"),
        ("itâ€™s", "it\u2019s"),
        ("a\x00b\u200bc", "abc"),
        ("e\u0301", "\u00e9"),
        ("1 < 2 & 3", "1 < 2 & 3"),
    ],
)
def test_wrong_decodings_are_undone(broken, whole):
    assert repair_text(broken) == whole


def test_a_books_header_credits_licence_and_page_numbers_are_cut_off():
    assert Cleaning().apply_to_one(BOOK) == "CHAPTER I\nOnce there was a fox.\nIt ran."


def test_sound_stories_pass_unchanged(data_folder):
    stories = read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")[:300]
    assert [strip_boilerplate(repair_text(story)) for story in stories] == stories


@pytest.mark.parametrize("code", SPEECH)
def test_languages_are_told(code):
    assert find_language(SPEECH[code]) == code


def test_stories_are_english(data_folder):
    stories = read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")[:500]
    assert sum(find_language(story) == "en" for story in stories) >= 498


def test_cleaning_counts_what_it_did():
    cleaning = Cleaning(language="en")
    kept = list(cleaning.apply([SPEECH["en"], SPEECH["de"], " \n ", "cafÃ©", "Hi."]))
    assert kept == [SPEECH["en"], "café", "Hi."]
    assert dict(cleaning.counts) == {
        "read": 5,
        "repaired": 1,
        "cut": 0,
        "of another language": 1,
        "emptied": 1,
        "kept": 3,
    }


def test_a_language_that_no_document_could_be_of_is_refused():
    with pytest.raises(UnknownNameError, match="unknown language 'eng'; did you mean 'en'"):
        Cleaning(language="eng")


def test_typographic_signs_become_plain_ones_and_spaces_single() -> None:
    assert clean_text("\u201cOh \u2013 it\u2019s  so\u2026\u201d \r\n\r\n\n she said") == '"Oh - it\'s so..."\nshe said'


def test_composed_letters_are_one_character() -> None:
    assert clean_text("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize("text", ["می‌خواهم بروم", "क्‍ष और क्ष", "The 👨‍👩‍👧 went home."])
def test_joiners_that_words_are_spelt_with_stay(text: str) -> None:
    cleaning = Cleaning()
    assert list(cleaning.apply([f"\u200b{text}\u200e"])) == [text]
