"""English lemmas by part of speech, and the tagger that finds it."""

from __future__ import annotations

import gzip

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.text import lemmatize, tag_alone, tag_sentence

pytest.importorskip("simplemma")


@pytest.mark.parametrize(
    ("word_class", "forms"),
    [
        ("noun", "saw saw, leaves leaf, meeting meeting, mice mouse, teeth tooth, criteria criterion, knives knife"),
        ("noun", "news news, species species, politics politics, atlas atlas, buses bus, walks walk, glasses glass"),
        ("verb", "saw see, leaves leave, meeting meet, accounting account, bring bring, need need, miss miss"),
        ("verb", "left leave, felt feel, thought think, bent bend, drunk drink"),
        ("adjective", "better good, bigger big, nicest nice, happiest happy, clever clever, tired tired, worse bad"),
        (
            "adjective",
            "honest honest, proper proper, bitter bitter, inner inner, closer close, flatter flat, older old",
        ),
        ("adverb", "better well, quickly quickly, worst badly"),
        ("proper noun", "Paris Paris"),
    ],
)
def test_a_word_has_the_lemma_of_its_class(word_class: str, forms: str) -> None:
    pairs = [pair.split() for pair in forms.split(",")]
    assert [(form, lemmatize(form, word_class=word_class)) for form, _ in pairs] == [tuple(pair) for pair in pairs]


def test_lemmas_of_verbs_by_class_are_as_good_as_those_of_the_tables(data_folder) -> None:
    with gzip.open(data_folder / "unimorph-eng" / "eng.args.gz", "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][::20]
    right = [sum(lemmatize(form, word_class=kind) == lemma for lemma, form, _ in rows) for kind in (None, "verb")]
    assert right[1] >= right[0]
    assert right[1] / len(rows) > 0.985


def test_a_part_of_speech_of_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="there for English, not for 'de'"):
        lemmatize("ging", "de", word_class="verb")


def test_a_tagger_reads_the_sentence_around_a_word() -> None:
    pytest.importorskip("HanTa")
    found = tag_sentence(["I", "saw", "a", "saw", "."])
    assert [(each.word_class, each.lemma) for each in found] == [
        ("pronoun", "I"), ("verb", "see"), ("determiner", "a"), ("noun", "saw"), ("punctuation", "."),
    ]  # fmt: skip
    assert tag_sentence([]) == []
    assert tag_alone("saw", word_class="noun").lemma == "saw"
    assert tag_alone("obliquing", word_class="verb").lemma == "oblique"
    with pytest.raises(UnknownNameError, match="language of the tagger 'fr'"):
        tag_sentence(["un"], "fr")


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_a_word_of_any_length_is_tagged_by_its_end_and_its_own_lemma(language):
    pytest.importorskip("HanTa")
    word = "ab" * 1500 + "ungen"
    (found,) = tag_sentence([word], language)
    assert (found.word, found.lemma, found.tag) == (word, word, tag_sentence([word[-60:]], language)[0].tag)
    assert tag_alone(word, language).lemma == word


def test_an_empty_word_has_no_part_of_speech():
    pytest.importorskip("HanTa")
    with pytest.raises(UsageError, match="word 2 of 3 is empty"):
        tag_sentence(["a", "", "b"])
    with pytest.raises(UsageError, match="the word is empty"):
        tag_alone("")
