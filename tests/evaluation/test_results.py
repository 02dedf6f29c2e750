"""What an evaluation returns can be printed, written and put into a frame."""

from __future__ import annotations

import json
import math

import pytest

from architectures import letter_tokenizer, letters, tiny_model
from shoal.evaluation import evaluate, evaluate_by_generation
from shoal.evaluation.results import bits_per_byte, perplexity
from shoal.tasks import Example
from shoal.text import encode_pairs

TOKENIZER = letter_tokenizer()
EXAMPLES = [
    Example(prompt=letters([5, 6, 7]), completion=letters([8, 9, 10])),
    Example(prompt=letters([11]), completion=letters([12]), ends=False),
]


@pytest.fixture(scope="module")
def model():
    return tiny_model("Llama")


def test_an_item_carries_the_ids_of_its_target(model):
    pairs = encode_pairs(TOKENIZER, [(one.prompt, one.completion, one.ends) for one in EXAMPLES])
    for scores in (evaluate(model, TOKENIZER, EXAMPLES), evaluate_by_generation(model, TOKENIZER, EXAMPLES)):
        assert [item.target_ids for item in scores.items] == [pair.target for pair in pairs]
        assert [len(item.target_ids) for item in scores.items] == [item.tokens for item in scores.items]


def test_the_dictionary_is_ready_for_json_and_has_no_ids(model):
    scores = evaluate(model, TOKENIZER, EXAMPLES)
    plain = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert plain["exact_matches"] == scores.exact_matches
    assert plain["accuracy"] == scores.accuracy
    assert plain["perplexity"] == scores.perplexity
    assert "target_ids" not in plain["items"][0]
    assert plain["items"][0]["token_margins"] == list(scores.items[0].token_margins)


def test_the_frame_has_a_row_an_item(model):
    scores = evaluate(model, TOKENIZER, EXAMPLES)
    frame = scores.to_frame()
    assert list(frame["index"]) == [0, 1]
    assert list(frame["log_likelihood"]) == [item.log_likelihood for item in scores.items]


def test_it_prints_the_summary_and_what_was_not_clear(model):
    scores = evaluate(model, TOKENIZER, EXAMPLES)
    assert str(scores) == f"exact match: 0 of 2 (0.0%); perplexity {scores.perplexity:.4g}"
    tied = tiny_model("Llama")
    for parameter in tied.parameters():
        parameter.data.zero_()
    assert str(evaluate(tied, TOKENIZER, EXAMPLES)).splitlines()[1] == "decided by: tie 2"


def test_no_examples_have_a_summary_too(model):
    scores = evaluate(model, TOKENIZER, [])
    assert str(scores) == "no items"
    assert scores.to_dict()["accuracy"] is scores.to_dict()["perplexity"] is None
    assert scores.to_frame().empty


def test_an_early_exit_leaves_the_perplexity_open(model):
    assert math.isnan(evaluate(model, TOKENIZER, EXAMPLES, early_exit=True).perplexity)


def test_perplexity_is_the_exponential_of_the_mean():
    assert perplexity(-3 * math.log(7), 3) == pytest.approx(7.0)
    assert perplexity(-1e6, 2) == math.inf


def test_the_end_token_counts_as_one_byte():
    assert bits_per_byte(-math.log(2) * 6, "né", ends=True) == pytest.approx(1.5)
    assert bits_per_byte(-math.log(2) * 6, "né", ends=False) == pytest.approx(2.0)
