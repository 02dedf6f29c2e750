"""The likelihood of a document is that of its tokens, in one window or in many."""

from __future__ import annotations

import math

import pytest

from shoal.evaluation import document_likelihoods, log_likelihoods
from shoal.evaluation.likelihoods import encode_texts
from shoal.evaluation.windows import cut_windows
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


def test_every_token_of_a_long_document_is_predicted_once() -> None:
    ids = tuple(range(1000))
    for context in (7, 8, 100, 998, 999, 1000, None):
        stride = None if context is None else context + 1 - (context + 1) // 2
        windows = cut_windows(ids, 1, context=context, stride=stride, full=True)
        scored = [one for window, start in windows for one in window[start:]]
        assert scored == list(ids[1:])
        assert all(context is None or len(window) <= context + 1 for window, _ in windows)
        assert all(start >= len(window) // 2 or len(windows[-1][0]) == len(window) for window, start in windows[1:-1])
