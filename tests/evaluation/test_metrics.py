from __future__ import annotations

import math

import pytest

from shoal.evaluation import bleu, chrf, sentence_bleus

WANTED = ["the cat sat on the mat today", "a dog ran over the hill"]


def test_bleu_of_the_very_text_is_100():
    assert bleu(WANTED, WANTED) == pytest.approx(100.0)
    assert sentence_bleus(WANTED, WANTED) == pytest.approx([100.0, 100.0])


def test_bleu_of_texts_without_a_common_word_is_0():
    assert bleu(["x y z u v w", "p q r s t o"], WANTED) == 0.0
    assert sentence_bleus(["x y z u v w"], WANTED[:1]) == [0.0]


def test_bleu_of_a_part_right_lies_between():
    assert 0 < bleu(["the cat sat on the hat today", WANTED[1]], WANTED) < 100


@pytest.mark.parametrize("words", [1, 2, 3, 4, 9])
def test_exact_answers_of_few_words_have_a_bleu_and_a_chrf_of_100(words):
    answers = [" ".join(f"w{place}{number}" for place in range(words)) for number in range(75)]

    assert bleu(answers, answers) == pytest.approx(100.0)
    assert chrf(answers, answers) == pytest.approx(100.0)


def test_the_order_is_4_where_one_text_is_long_enough():
    from sacrebleu.metrics import BLEU

    said, wanted = ["4", "the cat sat on a mat today"], ["4", "the cat sat on the mat today"]

    assert bleu(said, wanted) == pytest.approx(BLEU().corpus_score(said, [wanted]).score)


def test_half_of_the_single_words_right_is_a_bleu_of_50():
    assert bleu(["4", "5", "6", "x"], ["4", "5", "7", "8"]) == pytest.approx(50.0)


def test_chrf_is_that_of_sacrebleu_and_sees_a_letter_that_is_wrong():
    from sacrebleu.metrics import CHRF

    said, wanted = ["kitten", "四月"], ["sitten", "四月"]

    assert chrf(said, wanted) == pytest.approx(CHRF().corpus_score(said, [wanted]).score)
    assert 0 < chrf(said, wanted) < 100


@pytest.mark.parametrize("metric", [bleu, chrf])
def test_completions_without_a_word_have_no_score(metric):
    assert math.isnan(metric(["a", ""], ["", " "]))
