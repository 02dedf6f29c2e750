"""What an evaluation returns: one record an item, and their summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from shoal.evaluation.metrics import perplexity

Status = Literal["clear", "tie", "near-tie", "nan"]
Divergence = Literal["ended-early", "went-on", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """How the model did on one example. Positions count completion tokens from 0, the end token included."""

    index: int
    """The example's place in the list that was given."""

    exact_match: bool
    """The greedy continuation equals the completion, end token included (token match)."""

    string_match: bool | None
    """The decoded greedy continuation equals the completion as text; None where the greedy text was not asked for."""

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
    """What the model says by greedy decoding, special tokens left out: up to its end token, at most as many tokens as
    the target has."""

    greedy_ends: bool | None
    """Whether the greedy continuation reached the end token within as many tokens as the target has."""

    status: Status
    """``tie``: two equal logits decided; ``near-tie``: closer than rounding, so decided in float64; ``nan``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The items, in the order of the examples, and what can be said of all of them."""

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
