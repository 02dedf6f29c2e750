"""What a model answers, and how probable it finds the answers that the explanations would give."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.evaluation import ScoringRow, encode_rows, evaluate, log_likelihoods, scoring_mode
from shoal.models import context_of, decode_greedily
from shoal.models.fast import FastModel
from shoal.progress import no_progress
from shoal.tasks import Example
from shoal.text import decode_continuation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.candidates import CandidateTable
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

_MORE_TOKENS = 8
"""How many tokens more than the longest candidate an answer may have, so that one that runs on is seen to do so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswer:
    """What a model says to one item."""

    prompt: str
    expected: str
    """The right completion."""

    answer: str
    """What the model generates by greedy decoding, up to its end token."""

    ends: bool
    """Whether it reached the end token within a few tokens more than the longest candidate has."""

    log_probs: Mapping[str, float]
    """Log p in nats, given the prompt, of each candidate as a whole answer (end token included) and of the answer.
    Empty where only the answer is known."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; minus infinity becomes None."""
        probable = {text: nats if math.isfinite(nats) else None for text, nats in self.log_probs.items()}
        return asdict(self) | {"log_probs": probable}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ItemAnswer:
        """The answer that `to_dict` wrote."""
        probable = {text: -math.inf if nats is None else nats for text, nats in record["log_probs"].items()}
        return cls(**{**record, "log_probs": probable})


def ask_model(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    table: CandidateTable,
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> tuple[ItemAnswer, ...]:
    """Ask a model every item of a table, and score all candidates of each.

    A candidate that exact match calls right is the greedy answer, which is proved without generating; only the other
    items are decoded.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        table: the items and their candidates.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        TooLongError: a prompt leaves no room in the model's context.
        DataError: a prompt cannot be encoded.
    """
    report = progress or no_progress
    items = [
        # A text that several explanations give is scored once; the right one also where the table has no rule.
        _Item(prompt, tuple(dict.fromkeys(text for text in (expected, *row) if text is not None)))
        for prompt, expected, row in zip(table.prompts, table.expected, table.answers, strict=True)
    ]
    _score_candidates(model, tokenizer, items, token_budget, report)
    _decode_open(model, tokenizer, [item for item in items if item.answer is None], token_budget, report)
    return tuple(
        ItemAnswer(
            prompt=item.prompt,
            expected=expected,
            # No item is without an answer here: what scoring did not prove was decoded.
            answer=item.answer or "",
            ends=item.ends,
            log_probs=item.log_probs,
        )
        for item, expected in zip(items, table.expected, strict=True)
    )


@dataclass(slots=True)
class _Item:
    """One item while it is asked."""

    prompt: str
    candidates: tuple[str, ...]
    log_probs: dict[str, float] = field(default_factory=dict)
    answer: str | None = None
    """The greedy answer, as soon as it is known."""

    ends: bool = True
    limit: int = _MORE_TOKENS
    """Tokens that are decoded at most."""

    def add(self, text: str, nats: float) -> None:
        """One text may be written with several rows of tokens: the most probable one counts."""
        self.log_probs[text] = max(nats, self.log_probs.get(text, -math.inf))


def _score_candidates(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    items: Sequence[_Item],
    token_budget: int,
    report: Progress,
) -> None:
    """Log p of all candidates; the answer of items whose greedy answer is one of them."""
    asked = [(item, Example(prompt=item.prompt, completion=text)) for item in items for text in item.candidates]
    try:
        rows = encode_rows(model, tokenizer, [example for _, example in asked])
    except DataError:
        # At least one cannot be written: only one by one it shows which.
        writable = [(pair, row) for pair in asked if (row := _row(model, tokenizer, *pair)) is not None]
        asked, rows = [pair for pair, _ in writable], [row for _, row in writable]
    scores = evaluate(
        model,
        tokenizer,
        [example for _, example in asked],
        token_budget=token_budget,
        # What a model says in place of a wrong candidate is decoded later, once per item and with room to run on.
        greedy_text=False,
        progress=lambda _, done, total: report("candidates scored", done, total),
    )
    for (item, example), row, score in zip(asked, rows, scores.items, strict=True):
        assert score.log_likelihood is not None  # every target is scored whole
        item.limit = max(item.limit, row.stop + _MORE_TOKENS)
        item.add(example.completion, score.log_likelihood)
        if score.exact_match:
            item.answer = example.completion


def _row(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    item: _Item,
    example: Example,
) -> ScoringRow | None:
    """The row of one candidate; None where the model cannot write it, and then its log p is minus infinity."""
    try:
        return encode_rows(model, tokenizer, [example])[0]
    except DataError:
        # A token that spans prompt and candidate, a letter that has no token, a text beyond the context.
        item.add(example.completion, -math.inf)
        return None


def _decode_open(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    items: Sequence[_Item],
    token_budget: int,
    report: Progress,
) -> None:
    """The greedy answers that are none of the candidates, with their log p."""
    if not items:
        return
    # An end token alone as the completion: what is left is the prompt, encoded as everywhere.
    prompts = [
        row.ids[: row.boundary]
        for row in encode_rows(model, tokenizer, [Example(prompt=item.prompt, completion="") for item in items])
    ]
    context = model.context if isinstance(model, FastModel) else context_of(model)
    limits = [
        # The last token that is generated is never read, so that it may lie one beyond the context.
        item.limit if context is None else min(item.limit, context + 1 - len(prompt))
        for item, prompt in zip(items, prompts, strict=True)
    ]
    with scoring_mode(model):
        report("answers", 0, len(items))
        answers = decode_greedily(model, prompts, limits, tokenizer.eos_token_id)
        report("answers", len(items), len(items))
    rows = [
        ScoringRow(place, (*prompt, *answer), len(prompt), 0, len(answer))
        for place, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]
    probable = log_likelihoods(model, rows, token_budget=token_budget)
    for item, prompt, answer, nats in zip(items, prompts, answers, probable, strict=True):
        item.answer = decode_continuation(tokenizer, prompt, answer)
        item.ends = tokenizer.eos_token_id in answer
        item.add(item.answer, nats)
