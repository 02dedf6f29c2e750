"""Features of style: alike in running text and in set-apart tokens, and without open-class words."""

from __future__ import annotations

import pytest

from shoal.segmentation.sentence_features import phrase_features, style_features


@pytest.mark.parametrize(
    ("running", "apart"),
    [
        ("\u201cYou don\u2019t know,\u201d he said.", "`` You do n't know , '' he said ."),
        ("It's 1961 (not 12.5)!", "It 's 1961 ( not 12.5 ) !"),
    ],
)
def test_text_with_tokens_set_apart_reads_as_running_text(running: str, apart: str) -> None:
    assert style_features(running) == style_features(apart)


def test_open_class_words_are_no_features() -> None:
    assert style_features("The cat sat there.") == style_features("The dog ran there.")


def test_shares_are_of_the_tokens() -> None:
    found = style_features("You saw me, and I saw you.")
    assert found["you"] == pytest.approx(2 / 9)
    assert found["saw"] == pytest.approx(2 / 9)
    assert found["sentence of 6 to 11 tokens"] == 1


@pytest.mark.parametrize("sentence", ["", " ", "\u200b", "漢字だけ。", "🙂🙂", "'''", "_", "\x00", "½ ² ①"])
def test_strange_sentences_are_read(sentence: str) -> None:
    assert all(0 < share <= 1 for share in style_features(sentence).values())
    assert all(0 < share <= 1 for share in phrase_features(sentence).values())


def test_phrases_are_words_pairs_and_marks() -> None:
    found = phrase_features("I am SO happyyyyy!!!")
    assert {"i", "am", "i am", "^ i", "happyy", "!!"} <= set(found)
    assert sum(found.values()) == pytest.approx(1)
