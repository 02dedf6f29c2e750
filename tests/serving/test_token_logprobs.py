"""Log-probabilities are the log-softmax of the logits, in float64, with the texts of the tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from shoal.serving.logprobs import LogProbs, token_bytes
from shoal.text import train_tokenizer
from tiny_models import byte_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return byte_tokenizer()


def logits_of(rows, *, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(scale=4, size=(rows, 260)), dtype=torch.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 260, 999])
def test_a_token_has_its_log_probability_and_those_of_the_likeliest(tokenizer, count):
    (row,) = logits_of(1)
    wanted = log_softmax(row.double().numpy())
    found = LogProbs(tokenizer, count).of_token(65, row)
    assert found.logprob == pytest.approx(wanted[65], abs=1e-12)
    order = np.argsort(-wanted, kind="stable")[: min(count, 260)]
    assert [id_ for id_, _, _ in found.top] == order.tolist()
    assert [value for _, _, value in found.top] == pytest.approx(wanted[order].tolist(), abs=1e-12)


def test_of_equal_tokens_the_lowest_id_comes_first(tokenizer):
    logits = torch.zeros(260)
    assert [id_ for id_, _, _ in LogProbs(tokenizer, 3).of_token(9, logits).top] == [0, 1, 2]
    assert [id_ for id_, _, _ in LogProbs(tokenizer, 1).of_token(9, logits).top] == [0]
    assert LogProbs(tokenizer, 0).of_token(9, logits).logprob == pytest.approx(-np.log(260))


def test_large_logits_keep_their_differences(tokenizer):
    # In float32 the log-softmax of these would lose the difference of the small ones.
    logits = torch.full((260,), -1e4)
    logits[3], logits[4] = 1e4, 1e4 - 20
    found = LogProbs(tokenizer, 2).of_token(4, logits)
    assert found.logprob == pytest.approx(-20 - np.log1p(np.exp(-20)), abs=1e-9)
    assert found.top[0][0] == 3


@pytest.mark.parametrize(("text", "shown"), [("a", "a"), (" ", " "), ("\n", "\n")])
def test_a_token_is_shown_by_its_text(tokenizer, text, shown):
    (id_,) = tokenizer.encode(text)
    assert LogProbs(tokenizer, 0).text(id_) == shown


def test_a_token_that_is_no_whole_character_is_shown_as_bytes(tokenizer):
    first, second = tokenizer.encode("é")
    texts = [LogProbs(tokenizer, 0).text(id_) for id_ in (first, second)]
    assert all(text.startswith("bytes:") for text in texts)
    assert len(set(texts)) == 2


WORDS = ["sun", "moon", "ran", "walk", "tree", "house", "river", "blue", "green"]
STORIES = [" ".join(word * (1 + place % 3) for word in WORDS) + f" the {place} é" for place in range(100)]


@pytest.mark.parametrize("kind", ["bpe", "unigram", "sentencepiece-bpe"])
def test_texts_of_tokens_are_the_text_and_their_bytes_its_bytes(kind):
    tokenizer = train_tokenizer(STORIES, kind=kind, vocabulary=306)
    known = LogProbs(tokenizer, 0)
    for text in ("the river ran\n the sun  7", "ran, 日 é"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        # SentencePiece puts a blank of its own before a text.
        assert b"".join(bytes(token_bytes(tokenizer, id_) or ()) for id_ in ids).decode().lstrip() == text
        if text.isascii():
            assert "".join(known.text(id_) for id_ in ids).lstrip() == text


class _Read:
    """A row of ids with its logits, as a decoder gives it."""

    def __init__(self, ids, logits):
        self.ids = ids
        self._logits = logits

    def logits(self, start, stop):
        return self._logits[start:stop]


@pytest.mark.parametrize("length", [1, 2, 64, 65, 66, 130])
def test_every_token_of_a_prompt_is_given_those_before_it(tokenizer, length):
    ids = np.random.default_rng(length).integers(0, 256, size=length).tolist()
    logits = logits_of(length, seed=length)
    found = list(LogProbs(tokenizer, 1).of_prompt(_Read(ids, logits)))
    assert [token.id for token in found] == ids
    assert found[0].logprob is None
    assert found[0].top == ()
    wanted = log_softmax(logits.double().numpy(), axis=-1)
    for place, token in enumerate(found[1:]):
        assert token.logprob == pytest.approx(wanted[place, ids[place + 1]], abs=1e-12)
        assert token.top[0][0] == int(wanted[place].argmax())
