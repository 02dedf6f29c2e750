"""Stems and lemmas, on the words that every speaker knows and on the published gold."""

from __future__ import annotations

import gzip

import pytest

from shoal.errors import UnknownNameError
from shoal.text.word_forms import lemmatize, lemmatize_all, stem, stem_all


@pytest.mark.parametrize("name", ["english", "porter"])
def test_stems_are_those_of_the_published_lists(data_folder, name):
    def read(part):
        return gzip.open(data_folder / "snowball-english" / f"{name}_{part}.txt.gz", "rt").read().splitlines()

    words, wanted = read("voc"), read("output")
    assert len(words) > 20_000
    assert stem_all(words, name) == wanted


def test_related_words_share_a_stem():
    assert {stem(word) for word in ("jump", "Jumps", "jumped", "jumping")} == {"jump"}


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("eating", "eat"), ("eats", "eat"), ("eaten", "eat"), ("ate", "eat"), ("Eaten", "eat"), ("better", "good"),
        ("best", "good"), ("worse", "bad"), ("bigger", "big"), ("mice", "mouse"), ("children", "child"),
        ("was", "be"), ("went", "go"), ("leaves", "leave"), ("xyzzy", "xyzzy"),
    ],
)  # fmt: skip
def test_lemmas_of_common_words(word, lemma):
    pytest.importorskip("simplemma")
    assert lemmatize(word) == lemma


def test_lemmas_of_verb_forms_are_mostly_the_gold(data_folder):
    pytest.importorskip("simplemma")
    with gzip.open(data_folder / "unimorph-eng" / "eng.args.gz", "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][::10]
    lemmas = lemmatize_all(form for _, form, _ in rows)
    share = sum(found == lemma for found, (lemma, _, _) in zip(lemmas, rows, strict=True)) / len(rows)
    assert share > 0.98


def test_other_languages_have_stems_and_lemmas():
    assert stem("kleinen", "german") == "klein"
    pytest.importorskip("simplemma")
    assert lemmatize("ging", "de") == "gehen"


def test_an_unknown_language_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'english'"):
        stem("cat", "englisch")
    pytest.importorskip("simplemma")
    with pytest.raises(UnknownNameError, match="unknown language 'xx'"):
        lemmatize("cat", "xx")


def test_the_lemma_of_nothing_is_nothing():
    assert lemmatize_all(["", "cats"]) == ["", "cat"]
    assert (lemmatize("", "de"), lemmatize("", word_class="noun"), stem("")) == ("", "", "")
