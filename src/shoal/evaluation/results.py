"""What an evaluation returns: one record per item, and their summary."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.text import decode_continuation

if TYPE_CHECKING:
    import pandas
    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.scoring import SpanScore
    from shoal.tasks import Divergence, Example


Status = Literal["clear", "tie", "near-tie", "nan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """How the model did on one example. Positions count completion tokens from 0, the end token included."""

    index: int
    """The example's place in the list that was given."""

    target_ids: tuple[int, ...]
    """The token ids of the completion as the model's tokenizer encodes it behind the prompt, end token included."""

    exact_match: bool
    """The greedy continuation equals the completion, end token included (token match)."""

    string_match: bool | None
    """The decoded greedy continuation equals the completion as text; None where the greedy text was left out."""

    first_divergence: int | None
    """The first position where greedy decoding leaves the target; None where it never does."""

    divergence: Divergence | None
    """How: the end token came too early, another token stood where the end was due, or a wrong token otherwise."""

    margin: float
    """The least of target logit minus best other logit up to and including the first divergence (natural logits)."""

    token_margins: tuple[float, ...]
    """Target logit minus best other logit at each position, given the gold prefix; negative where the argmax is not
    the target, 0 at a tie. After an early exit it ends with the first negative one."""

    tokens: int
    """Completion tokens that were to be predicted, the end token included."""

    token_accuracy: float | None
    """Share of positions whose argmax is the target, given the gold prefix; None after an early exit."""

    log_likelihood: float | None
    """Sum of log p(target) in nats over the completion, end token included; None after an early exit."""

    bits_per_byte: float | None
    """-log_likelihood / ln 2 / the completion's bytes in UTF-8 (an end token counts as one byte)."""

    greedy_text: str | None
    """What the model generates by greedy decoding, special tokens left out: up to its end token, at most as many tokens
    as the target has."""

    greedy_ends: bool | None
    """Whether the greedy continuation reached the end token within as many tokens as the target has."""

    status: Status
    """``tie``: two equal logits decided; ``near-tie``: closer than rounding, so decided in float64; ``nan``."""

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values, as ``shoal score --out`` writes it: all but the ids of the target."""
        return {name: value for name, value in asdict(self).items() if name != "target_ids"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The items, in the order of the examples, and their summary."""

    items: tuple[ItemScore, ...]

    tokenizer_policy: str
    """How the prompts were encoded: which tokens the tokenizer adds at the beginning and what ends a completion."""

    settings: dict[str, str | int | float | bool]
    """Device, dtype, attention kernel, token budget, early exit, and the path taken (factored or full logits)."""

    @property
    def exact_matches(self) -> int:
        """How many items match exactly."""
        return sum(item.exact_match for item in self.items)

    @property
    def accuracy(self) -> float:
        """The share of items that match exactly; of no items, it is an error to ask."""
        return self.exact_matches / len(self.items)

    @property
    def perplexity(self) -> float:
        """The exponential of the mean negative log-likelihood of a completion token, over all tokens of all items.

        Not a number where an early exit left a likelihood out.
        """
        total = 0.0
        for item in self.items:
            if item.log_likelihood is None:
                return math.nan
            total += item.log_likelihood
        return perplexity(total, sum(item.tokens for item in self.items))

    def to_dict(self) -> dict[str, Any]:
        """The summary and the items as plain values; accuracy and perplexity are None where there are no items."""
        return {
            "exact_matches": self.exact_matches,
            "accuracy": self.accuracy if self.items else None,
            "perplexity": self.perplexity if self.items else None,
            "tokenizer_policy": self.tokenizer_policy,
            "settings": dict(self.settings),
            "items": [item.to_dict() for item in self.items],
        }

    def to_frame(self) -> pandas.DataFrame:
        """One row per item."""
        import pandas

        return pandas.DataFrame([item.to_dict() for item in self.items])

    def __str__(self) -> str:
        """The summary in a line or two."""
        if not self.items:
            return "no items"
        unclear = Counter(item.status for item in self.items if item.status != "clear")
        right = f"{self.exact_matches} of {len(self.items)} ({self.accuracy:.1%})"
        lines = [f"exact match: {right}; perplexity {self.perplexity:.4g}"]
        if unclear:
            lines.append("decided by: " + ", ".join(f"{status} {count}" for status, count in sorted(unclear.items())))
        return "\n".join(lines)


def item_score(
    span: SpanScore,
    example: Example,
    tokenizer: PreTrainedTokenizerFast,
    continuation: tuple[int, ...] | None,
    *,
    early_exit: bool,
) -> ItemScore:
    """The record of one item.

    Args:
        span: the verdict on its target, or on its part up to the first wrong token.
        example: the item itself.
        tokenizer: the model's.
        continuation: the greedy continuation as ids; None where it was left out.
        early_exit: leave out what an early exit cannot know, even where it is known.
    """
    row, wrong_at = span.row, span.wrong_at
    prompt, target = row.ids[: row.boundary], row.ids[row.boundary :]
    cut = early_exit and wrong_at is not None
    # What comes behind the first wrong token was read under the gold prefix, and says nothing of the model's own text.
    decisive = span.margins[: None if wrong_at is None else wrong_at + 1]
    likelihood = None if cut else span.log_likelihood
    text, ends, string_match = None, None, None
    if continuation is not None:
        text, ends = decode_continuation(tokenizer, prompt, continuation), tokenizer.eos_token_id in continuation
        # The target is decoded too: a tokenizer may change a text on the way to ids and back, here in both alike.
        string_match = ends == example.ends and text == decode_continuation(tokenizer, prompt, target)
    return ItemScore(
        index=row.item,
        target_ids=target,
        exact_match=wrong_at is None,
        string_match=string_match,
        first_divergence=wrong_at,
        divergence=_divergence(span.greedy_id, target, wrong_at, tokenizer.eos_token_id),
        margin=math.nan if any(map(math.isnan, decisive)) else min(decisive),
        token_margins=decisive if cut else span.margins,
        tokens=len(target),
        token_accuracy=None if cut else span.right / len(target),
        log_likelihood=likelihood,
        bits_per_byte=None if likelihood is None else bits_per_byte(likelihood, example.completion, ends=example.ends),
        greedy_text=text,
        greedy_ends=ends,
        status=span.status,
    )


def _divergence(
    greedy_id: int | None, target: tuple[int, ...], wrong_at: int | None, end_id: int | None
) -> Divergence | None:
    """How the continuation left the target."""
    if wrong_at is None:
        return None
    if greedy_id is not None and greedy_id == end_id:
        return "ended-early"
    return "went-on" if target[wrong_at] == end_id else "other"


def perplexity(log_likelihood: float, tokens: int) -> float:
    """The exponential of the mean negative log-likelihood of a token; infinite where the likelihood is 0.

    Args:
        log_likelihood: of all tokens, in nats.
        tokens: how many; at least 1.
    """
    mean = -log_likelihood / tokens
    # The exponential of 710 overflows a double.
    return math.inf if mean > 700 else math.exp(mean)


def bits_per_byte(log_likelihood: float, completion: str, *, ends: bool) -> float:
    """-log₂ p of a completion over its bytes in UTF-8, an end token counting as one byte.

    Args:
        log_likelihood: of the completion, in nats, its end token included where it ends.
        completion: its text.
        ends: whether an end token follows.
    """
    return -log_likelihood / math.log(2) / (len(completion.encode()) + ends)
