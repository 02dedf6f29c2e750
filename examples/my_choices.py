"""Evaluators of your own for choices and for generated answers, as short as they can be.

shoal certify examples/my_choices.py:choose --evaluator-kind choices
shoal certify examples/my_choices.py:answer --evaluator-kind generation
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification import ChoiceItem, GenerationItem


def choose(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, items: Sequence[ChoiceItem]
) -> list[list[float]]:
    """The log-likelihood of each choice of each item, one pass a choice."""
    return [[_log_likelihood(model, tokenizer, item.context, choice) for choice in item.choices] for item in items]


def answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, items: Sequence[GenerationItem]
) -> list[str | None]:
    """What is read off each generated text."""
    return [_answer(model, tokenizer, item) for item in items]


def _log_likelihood(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, context: str, choice: str) -> float:
    whole = tokenizer(context + choice, return_offsets_mapping=True)
    ends = [end for _, end in whole["offset_mapping"]]
    last = max(place for place, end in enumerate(ends) if end)  # a closing token of the tokenizer's goes
    ids = whole["input_ids"][: last + 1]
    first = next(place for place in range(last + 1) if ends[place] > len(context))
    with torch.inference_mode():
        logs_LV = model(torch.tensor([ids])).logits[0, first - 1 : -1].log_softmax(-1)
    return float(logs_LV.gather(1, torch.tensor(ids[first:])[:, None]).sum())


def _answer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, item: GenerationItem) -> str | None:
    ids = tokenizer(item.prompt, return_tensors="pt")["input_ids"]
    settings = {"do_sample": False, "pad_token_id": tokenizer.pad_token_id, "attention_mask": torch.ones_like(ids)}
    generated = model.generate(ids, max_new_tokens=item.max_tokens, **settings)[0, ids.shape[1] :]
    text = tokenizer.decode(generated, skip_special_tokens=True)
    for stop in item.until:
        text = text.split(stop)[0]
    if item.pattern is None:
        return text.strip()
    matches = list(re.finditer(item.pattern, text))
    if not matches:
        return None
    match = matches[0 if item.take == "first" else -1]
    return next((group for group in match.groups() if group is not None), match.group())
