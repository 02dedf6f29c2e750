"""The likelihood of a document is that of its tokens, in one window or in many."""

from __future__ import annotations

import math

import pytest

from shoal.evaluation import document_likelihoods, log_likelihoods
from shoal.evaluation.likelihoods import encode_texts
from shoal.models import ScoringModel, load_for_scoring


@pytest.fixture(scope="module")
def stories() -> ScoringModel:
    return load_for_scoring("bundled:stories", device="cpu")


def test_a_short_document_has_the_likelihood_of_its_row(stories: ScoringModel) -> None:
    texts = ["Once upon a time there was a cat.", "The dog ran."]
    found = document_likelihoods(stories.model, stories.tokenizer, texts)
    rows = encode_texts(stories.model, stories.tokenizer, texts)
    assert [one.log_likelihood for one in found] == pytest.approx(log_likelihoods(stories.model, rows))
    assert [one.perplexity for one in found] == pytest.approx(
        [math.exp(-one.log_likelihood / one.tokens) for one in found]
    )


def test_every_token_of_a_long_document_is_scored_once(stories: ScoringModel) -> None:
    sentence = "The little dog ran to the park to play with his friend. "
    short, long = document_likelihoods(stories.model, stories.tokenizer, [sentence, sentence * 60])
    assert long.tokens == pytest.approx(60 * short.tokens, rel=0.1)
    # What is repeated is easy to predict, in every window; a window that was lost or counted twice would show.
    assert 0 < -long.log_likelihood / long.tokens < -short.log_likelihood / short.tokens
