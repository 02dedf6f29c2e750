"""Answers read off generated text: greedy decoding up to a stop string, and a pattern searched in what it gives."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.evaluation.evaluator import scoring_mode
from shoal.models import decode_greedily
from shoal.text import decode_continuation, end_token_id, opening_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification.generation import GenerationItem


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScore:
    """What a model generated, and the answer that is read off it."""

    text: str
    """What was generated before the first stop string."""

    answer: str | None
    """None where the pattern is not found."""

    correct: bool
    """Whether the answer is the target, as text."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)


def score_answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, items: Sequence[GenerationItem]
) -> list[AnswerScore]:
    """Generate greedily, and read the answers off the texts.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: the model's.
        items: prompts, with what stops the generation and what is searched in the text.
    """
    opening = opening_ids(tokenizer)
    prompts = tokenizer([item.prompt for item in items], add_special_tokens=False)["input_ids"] if items else []
    prefixes = [[*opening, *ids] for ids in prompts]
    with scoring_mode(model):
        generated = decode_greedily(model, prefixes, [item.max_tokens for item in items], end_token_id(tokenizer))
    scores = []
    for item, prefix, ids in zip(items, prefixes, generated, strict=True):
        text = cut_at_stop(decode_continuation(tokenizer, prefix, ids), item.until)
        answer = read_answer(text, item.pattern, last=item.take == "last")
        scores.append(AnswerScore(text=text, answer=answer, correct=answer == item.target))
    return scores


def cut_at_stop(text: str, until: Sequence[str]) -> str:
    """What stands before the earliest stop string.

    Args:
        text: generated.
        until: the stop strings.
    """
    return min((text.split(stop, 1)[0] for stop in until), key=len, default=text)


def read_answer(text: str, pattern: str | None, *, last: bool = False) -> str | None:
    """The answer in a text: the match of a pattern, or the whole text, stripped, where there is no pattern.

    Args:
        text: generated.
        pattern: a regular expression. The first of its groups that took part in the match is the answer.
        last: take the last match, and not the first.
    """
    if pattern is None:
        return text.strip()
    matches = list(re.finditer(pattern, text))
    if not matches:
        return None
    match = matches[-1 if last else 0]
    groups = match.groups() if match.re.groups else (match[0],)
    return next((group for group in groups if group is not None), None)
