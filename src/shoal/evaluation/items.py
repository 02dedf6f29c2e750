"""What scoring found of an item, as the record that is kept of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.evaluation.metrics import bits_per_byte
from shoal.evaluation.scores import Divergence, ItemScore
from shoal.text import decode_continuation

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.scoring import Stretch
    from shoal.tasks import Example


def item_score(
    stretch: Stretch,
    example: Example,
    tokenizer: PreTrainedTokenizerFast,
    said: tuple[int, ...] | None,
    *,
    early_exit: bool,
) -> ItemScore:
    """The record of one item.

    Args:
        stretch: the verdict on its target, or on its part up to the first wrong token.
        example: the item itself.
        tokenizer: the model's.
        said: the greedy continuation as ids; None where it was not asked for.
        early_exit: leave out what an early exit cannot know, even where it is known.
    """
    row, wrong_at = stretch.row, stretch.wrong_at
    prompt, target = row.ids[: row.boundary], row.ids[row.boundary :]
    cut = early_exit and wrong_at is not None
    decisive = stretch.margins[: None if wrong_at is None else wrong_at + 1]
    likelihood = None if cut else stretch.log_likelihood
    text, ends, string_match = None, None, None
    if said is not None:
        text, ends = decode_continuation(tokenizer, prompt, said), tokenizer.eos_token_id in said
        string_match = ends == example.ends and text == decode_continuation(tokenizer, prompt, target)
    return ItemScore(
        index=row.item,
        exact_match=wrong_at is None,
        string_match=string_match,
        first_divergence=wrong_at,
        divergence=_divergence(stretch.greedy_id, target, wrong_at, tokenizer.eos_token_id),
        margin=math.nan if any(map(math.isnan, decisive)) else min(decisive),
        token_margins=decisive if cut else stretch.margins,
        tokens=len(target),
        token_accuracy=None if cut else stretch.right / len(target),
        log_likelihood=likelihood,
        bits_per_byte=None if likelihood is None else bits_per_byte(likelihood, example.completion, ends=example.ends),
        greedy_text=text,
        greedy_ends=ends,
        status=stretch.status,
    )


def _divergence(
    said: int | None, target: tuple[int, ...], wrong_at: int | None, end_id: int | None
) -> Divergence | None:
    """How the continuation left the target."""
    if wrong_at is None:
        return None
    if said is not None and said == end_id:
        return "ended-early"
    return "went-on" if target[wrong_at] == end_id else "other"
