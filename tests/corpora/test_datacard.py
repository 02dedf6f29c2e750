"""The card of a corpus counts what it says."""

from __future__ import annotations

import json

import pytest

from shoal.corpora import describe_corpus, distinct_n
from shoal.errors import DataError

pytest.importorskip("rensa")
TEXTS = ["A cat sat on the mat.", "A cat sat on the mat.", "The dog's bone, the dog\u2019s bed: café!"]


def test_every_figure_is_counted():
    card = describe_corpus(TEXTS, name="pets", licence="CC0")
    assert (card.documents, card.words, card.vocabulary) == (3, 19, 10)
    assert card.bytes == sum(len(text.encode()) for text in TEXTS)
    assert card.characters == sum(map(len, TEXTS))
    assert card.type_token == pytest.approx(10 / 19)
    assert (card.exact_duplicates, card.near_duplicates) == (1, 0)
    assert card.words_per_document["50%"] == 6
    assert card.common_words[0] == ("the", 4)


def test_distinct_n_counts_no_gram_across_documents():
    assert distinct_n([["a", "b"], ["b", "a", "b"]], 1) == 2 / 5
    assert distinct_n([["a", "b"], ["b", "a", "b"]], 2) == 2 / 3
    assert distinct_n([["a"], ["b"]], 2) == 0


def test_json_and_markdown_say_the_same():
    card = describe_corpus(TEXTS, name="pets", licence="CC0")
    assert json.loads(card.to_json())["licence"] == "CC0"
    text = card.to_markdown()
    assert "| licence | CC0 |" in text
    assert "| exact duplicates | 1 (33.33%) |" in text


def test_no_words_are_an_error_and_one_document_is_not():
    with pytest.raises(DataError, match="holds no words"):
        describe_corpus(["..."])
    assert describe_corpus(["One word."]).documents == 1


def test_a_card_prints_as_markdown_and_gives_its_common_words_as_a_frame():
    card = describe_corpus(TEXTS, name="pets")
    assert str(card) == card.to_markdown()
    frame = card.to_frame()
    assert list(frame.columns) == ["word", "count", "share"]
    assert frame.iloc[0].tolist() == ["the", 4, pytest.approx(4 / 19)]


def test_near_duplicates_are_counted_at_the_given_threshold():
    texts = ["a b c d e f g h i j k l", "a b c d e f g h i j k m", "p q r s t u"]
    assert describe_corpus(texts, threshold=0.7).near_duplicates == 1
    card = describe_corpus(texts, threshold=0.9)
    assert (card.near_duplicates, card.near_threshold) == (0, 0.9)
    assert "Jaccard above 0.9" in str(card)
