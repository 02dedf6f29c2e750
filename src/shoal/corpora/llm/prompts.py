"""Prompts for stories with three words and some features, drawn as for the grammar, and what they will cost."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shoal.corpora.grammar import tell_stories
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEATURE_INSTRUCTIONS = {
    "dialogue": "at least one of them says something, in quotation marks",
    "bad ending": "the story ends badly",
    "twist": "something happens that nobody expects",
    "moral": "the last sentence says what one can learn from it",
    "foreshadowing": "an early sentence hints at what happens later",
    "conflict": "two of them have a quarrel",
}
"""How a prompt asks for each feature."""

BYTES_PER_TOKEN = 4.0
"""English text takes 4 to 4.5 bytes per token under current vocabularies; the lower figure gives the higher cost."""

TYPICAL_ANSWER = 250
"""Tokens of a story of three to five short paragraphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The request for one story."""

    text: str
    words: tuple[str, str, str]
    """The verb, the noun and the adjective."""

    features: tuple[str, ...]

    @property
    def key(self) -> str:
        """The record's key: a digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:24]


def make_prompts(
    count: int, *, seed: int, features: Iterable[str] = (), words: Iterable[str] = ()
) -> tuple[Prompt, ...]:
    """Prompts whose words and features are those that the grammar's stories of this seed have.

    Args:
        count: how many.
        seed: equal seeds give equal prompts.
        features: what every story must have.
        words: words that every story must hold.

    Raises:
        UnknownNameError: a feature or a word that the grammar does not know.
    """
    stories = islice(tell_stories(seed=seed, features=features, words=words), count)
    return tuple(
        _make((story.words.verb, story.words.noun, story.words.adjective), story.features, place)
        for place, story in enumerate(stories)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """Tokens and money, in the unit of the prices."""

    prompts: int
    tokens_in: int
    tokens_out: int
    """At the length of a typical story."""

    money: float
    max_money: float
    """If every answer is as long as it may be."""

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.prompts:,} prompts: about {self.tokens_in:,} tokens in and {self.tokens_out:,} out, "
            f"about {_money(self.money)} and at most {_money(self.max_money)} at the prices given"
        )


def estimate_cost(
    prompts: Sequence[str], *, price_in: float, price_out: float, max_tokens: int, typical_tokens: int = TYPICAL_ANSWER
) -> CostEstimate:
    """Estimate tokens by the number of bytes, and their price.

    Args:
        prompts: the texts that will be sent.
        price_in: price of a million tokens of prompt.
        price_out: price of a million tokens of answer.
        max_tokens: the limit of an answer.
        typical_tokens: the tokens of a usual answer.

    Raises:
        UsageError: a price that is negative or not finite.
    """
    for name, price in (("--price-in", price_in), ("--price-out", price_out)):
        if not 0 <= price < math.inf:
            raise UsageError(f"{name} is {price:g}; give the price of a million tokens, 0 or more")
    tokens_in = round(sum(len(prompt.encode()) for prompt in prompts) / BYTES_PER_TOKEN)
    tokens_out = len(prompts) * min(typical_tokens, max_tokens)
    return CostEstimate(
        prompts=len(prompts),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        money=(tokens_in * price_in + tokens_out * price_out) / 1e6,
        max_money=(tokens_in * price_in + len(prompts) * max_tokens * price_out) / 1e6,
    )


def _make(words: tuple[str, str, str], features: tuple[str, ...], place: int) -> Prompt:
    verb, noun, adjective = words
    wanted = "; ".join(FEATURE_INSTRUCTIONS[name] for name in features)
    text = (
        "Write a short story of three to five paragraphs in words that a child of three or four knows. "
        f'It must hold the verb "{verb}", the noun "{noun}" and the adjective "{adjective}". '
        + (f"Make sure of this: {wanted}. " if wanted else "")
        # The number makes prompts with the same words differ, so that each has a key of its own in the record.
        + f"Give the story alone, without a title. (Story {place + 1}.)"
    )
    return Prompt(text=text, words=words, features=features)


def _money(money: float) -> str:
    """Two decimals, or two digits of what is less than one of those."""
    return f"{money:.2g}" if 0 < money < 0.01 else f"{money:,.2f}"
