from __future__ import annotations

import math

import pytest

from shoal.evaluation import bleu, sentence_bleus
from shoal.evaluation.metrics import bits_per_byte, perplexity

WANTED = ["the cat sat on the mat today", "a dog ran over the hill"]


def test_bleu_of_the_very_text_is_100():
    assert bleu(WANTED, WANTED) == pytest.approx(100.0)
    assert sentence_bleus(WANTED, WANTED) == pytest.approx([100.0, 100.0])


def test_bleu_of_texts_without_a_common_word_is_0():
    assert bleu(["x y z u v w", "p q r s t o"], WANTED) == 0.0
    assert sentence_bleus(["x y z u v w"], WANTED[:1]) == [0.0]


def test_bleu_of_a_part_right_lies_between():
    assert 0 < bleu(["the cat sat on the hat today", WANTED[1]], WANTED) < 100


def test_perplexity_is_the_exponential_of_the_mean():
    assert perplexity(-3 * math.log(7), 3) == pytest.approx(7.0)
    assert perplexity(-1e6, 2) == math.inf


def test_the_end_token_counts_as_one_byte():
    assert bits_per_byte(-math.log(2) * 6, "né", ends=True) == pytest.approx(1.5)
    assert bits_per_byte(-math.log(2) * 6, "né", ends=False) == pytest.approx(2.0)
