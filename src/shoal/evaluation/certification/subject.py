"""A dummy, the examples that it is asked, and the scores that are right for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.models.dummies import GroundTruth, ground_truth
from shoal.text import decode_continuation, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.models.dummies import DummyForCausalLM
    from shoal.tasks import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an evaluator is given, and what it must say."""

    model: DummyForCausalLM
    tokenizer: PreTrainedTokenizerFast
    examples: Sequence[Example]
    truths: Sequence[Mapping[str, Any]]
    """By example: field to right value; a field on which the right value is open is left out."""


def as_pairs(examples: Sequence[Example]) -> list[tuple[str, str, bool]]:
    """Examples as a tokenizer's encoder takes them."""
    return [(example.prompt, example.completion, example.ends) for example in examples]


def right_scores(
    model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example]
) -> list[Mapping[str, Any]]:
    """The right records of a dummy, read off its script.

    Raises:
        ValueError: the dummy has learned nothing.
    """
    if model.context_tree is None:
        raise ValueError("a dummy that has learned nothing has no right scores")
    end_id = int(tokenizer.eos_token_id)
    scores = []
    for example, item in zip(examples, encode_pairs(tokenizer, as_pairs(examples)), strict=True):
        truth = ground_truth(model.context_tree, item.prompt, item.target, end_id, model.config.twins)
        text = decode_continuation(tokenizer, item.prompt, truth.greedy)
        scores.append(_record(truth, example, text, special=set(tokenizer.all_special_ids) - {end_id}))
    return scores


def _record(truth: GroundTruth, example: Example, text: str, special: set[int]) -> Mapping[str, Any]:
    record: dict[str, Any] = {
        "exact_match": truth.exact_match,
        "first_divergence": truth.first_divergence,
        "tokens": truth.tokens,
        "token_accuracy": truth.token_accuracy,
    }
    if math.isnan(truth.log_likelihood):
        return record
    record |= {
        "divergence": truth.divergence,
        "margin": truth.margin,
        "token_margins": truth.token_margins,
        "log_likelihood": truth.log_likelihood,
        "bits_per_byte": -truth.log_likelihood / math.log(2) / (len(example.completion.encode()) + example.ends),
        "greedy_text": text,
        "greedy_ends": truth.greedy_ends,
    }
    # Whether special tokens inside a text count as text is a matter of taste.
    if not special.intersection(truth.greedy) and "<" not in example.completion:
        record["string_match"] = text == example.completion and truth.greedy_ends == example.ends
    return record
