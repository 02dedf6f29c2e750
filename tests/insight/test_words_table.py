"""The words of a text: tokens, stems, lemmas by part of speech, counts, and what a language lacks."""

from __future__ import annotations

import sys

import pytest

from shoal.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from shoal.insight.words import WordRow, split_text, words
from shoal.models import load_tokenizer

pytest.importorskip("simplemma")

TEXT = "She eats and is eating. They've eaten. The better saw isn't good. He saw the leaves."


def row_of(rows: tuple[WordRow, ...], text: str) -> WordRow:
    return next(row for row in rows if row.text == text)


@pytest.fixture(scope="module")
def table():
    pytest.importorskip("HanTa")
    return words(TEXT, tokenizers={"stories": load_tokenizer("bundled:stories")})


def test_forms_of_a_word_have_one_lemma_and_better_is_good(table) -> None:
    assert {row_of(table.rows, form).lemma for form in ("eats", "eating", "eaten")} == {"eat"}
    assert row_of(table.rows, "better").lemma == "good"
    assert row_of(table.rows, "better").stem == "better"
    assert row_of(table.rows, "eaten").stem == "eaten"
    assert row_of(table.rows, "n't").lemma == "not"
    assert row_of(table.rows, "leaves").lemma == "leaf"


def test_a_word_has_a_lemma_for_each_of_its_parts_of_speech(table) -> None:
    saws = [(row.word_class, row.lemma) for row in table.rows if row.text == "saw"]
    assert saws == [("noun", "saw"), ("verb", "see")]
    verbs = {each.lemma: dict(each.forms) for each in table.counts.frequent if each.word_class == "verb"}
    assert verbs["see"] == {"saw": 1}
    assert verbs["eat"] == {"eats": 1, "eating": 1, "eaten": 1}


def test_words_types_and_tokens_are_counted(table) -> None:
    found = table.counts
    every = [row.text.lower() for row in table.rows if row.is_word]
    assert (found.words, found.types) == (len(every), len(set(every)))
    assert found.ratio == len(set(every)) / len(every)
    assert found.tokens["stories"] == sum(len(row.tokens["stories"]) for row in table.rows if row.is_word)
    assert found.moving_ratio is None
    assert [each.lemma for each in found.divided_by_stems][:1] == ["eat"]
    assert sum(found.classes.values()) == found.words


def test_tokens_of_a_word_are_its_letters(table) -> None:
    for row in table.rows:
        assert "".join(row.tokens["stories"]) == row.text
        assert TEXT[row.start : row.stop] == row.text


def test_the_moving_ratio_is_the_mean_over_windows() -> None:
    text = " ".join(f"w{'abcdefghijklmnopqrst'[(place * place) % 20]}" for place in range(150))
    every = text.split()
    windows = [len(set(every[start : start + 100])) / 100 for start in range(51)]
    assert words(text, tagger="none").counts.moving_ratio == pytest.approx(sum(windows) / 51)


def test_clitics_and_elided_words_are_words_of_their_own() -> None:
    def split(text: str, language: str) -> list[str]:
        return [span.text for sentence in split_text(text, language) for span in sentence]

    assert split("I can\u2019t; she'll go, O'Hara's well-known.", "en") == [
        *("I", "ca", "n't", ";", "she", "'ll", "go", ",", "O'Hara", "'s", "well-known", "."),
    ]
    assert split("L'homme qu'il voit aujourd'hui.", "fr") == ["L'", "homme", "qu'", "il", "voit", "aujourd'hui", "."]
    assert split("3.5 и Ёлка…", "ru") == ["3.5", "и", "Ёлка", "…"]


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("यह हिन्दी है।", "hi", ["यह", "हिन्दी", "है", "।"]),
        ("אַ ייִד האָט", "yi", ["אַ", "ייִד", "האָט"]),
        ("كِتَابٌ جديد", "ar", ["كِتَابٌ", "جديد"]),
        ("می\u200cرود بد", "fa", ["می\u200cرود", "بد"]),
        ("vis-a\u0300-vis l'e\u0301te\u0301", "fr", ["vis-a\u0300-vis", "l'", "e\u0301te\u0301"]),
    ],
)
def test_marks_belong_to_their_letters_in_every_script(text: str, language: str, wanted: list[str]) -> None:
    assert [span.text for sentence in split_text(text, language) for span in sentence] == wanted


def test_other_languages_have_what_their_libraries_have() -> None:
    french = words("Les enfants mangeaient les pommes.", language="fr")
    assert row_of(french.rows, "mangeaient").lemma == "manger"
    assert row_of(french.rows, "mangeaient").word_class is None
    assert "there is no tagger of 'fr'" in str(french)
    ukrainian = words("Діти їли яблука.", language="uk")
    assert row_of(ukrainian.rows, "їли").lemma == "їсти"
    assert ukrainian.counts.stems is None
    assert "stem" not in ukrainian.columns()


def test_german_lemmas_are_those_of_the_tagger() -> None:
    pytest.importorskip("HanTa")
    german = words("Die Kinder aßen die besseren Äpfel.", language="de")
    assert [row.lemma for row in german.rows][:6] == ["der", "Kind", "essen", "der", "gut", "Apfel"]


def test_a_language_is_found_and_a_wrong_one_is_noted() -> None:
    text = "Les enfants mangeaient les pommes dans le jardin, et ensuite ils sont rentrés à la maison avec leur mère."
    assert words(text, language="auto").language == "fr"
    assert "reads like 'fr'" in "".join(words(text, tagger="none").notes)


def test_without_the_tagger_the_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "HanTa.HanoverTagger", None)
    table = words("He saw eaten apples.")
    assert "pip install 'shoal[tagger]'" in "".join(table.notes)
    assert row_of(table.rows, "eaten").lemma == "eat"
    assert "tag" not in table.columns()
    with pytest.raises(MissingExtraError, match="tagger"):
        words("He ran.", tagger="hanta")


@pytest.mark.parametrize(
    ("text", "options", "kind", "message"),
    [
        ("...", {}, DataError, "no word in the text"),
        ([], {}, DataError, "no word"),
        ("a cat", {"language": "english"}, UnknownNameError, "unknown language 'english'"),
        ("ab", {"language": "auto"}, DataError, "too short"),
        ("un chat", {"language": "fr", "tagger": "hanta"}, UsageError, "the tagger knows en, de, nl"),
    ],
)
def test_bad_input_is_named(text, options, kind, message) -> None:
    with pytest.raises(kind, match=message):
        words(text, **options)
