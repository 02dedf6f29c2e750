"""What asking will cost, said before the first question."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES_A_TOKEN = 4.0
"""English text takes 4 to 4.5 bytes a token under current vocabularies; the lower figure is the dearer."""

TYPICAL_ANSWER = 250
"""Tokens of a story of three to five short paragraphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Tokens and money, in the unit of the prices."""

    prompts: int
    tokens_in: int
    tokens_out: int
    """At the length of a typical story."""

    money: float
    most_money: float
    """If every answer is as long as it may be."""

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"{self.prompts:,} prompts: about {self.tokens_in:,} tokens in and {self.tokens_out:,} out, "
            f"about {_told(self.money)} and at most {_told(self.most_money)} at the prices given"
        )


def _told(money: float) -> str:
    """Two decimals, or two digits of what is less than one of those."""
    return f"{money:.2g}" if 0 < money < 0.01 else f"{money:,.2f}"


def estimate_cost(
    prompts: Sequence[str], *, price_in: float, price_out: float, longest: int, typical: int = TYPICAL_ANSWER
) -> Estimate:
    """Tokens by the number of bytes, times the prices.

    Args:
        prompts: the texts that will be sent.
        price_in: money for a million tokens of prompt.
        price_out: money for a million tokens of answer.
        longest: the most tokens that an answer may have.
        typical: the tokens of a usual answer.

    Raises:
        UsageError: a price that is below nothing or no number.
    """
    for name, price in (("--price-in", price_in), ("--price-out", price_out)):
        if not 0 <= price < math.inf:
            raise UsageError(f"{name} is {price:g}; give the money for a million tokens, 0 or more")
    tokens_in = round(sum(len(prompt.encode()) for prompt in prompts) / BYTES_A_TOKEN)
    tokens_out = len(prompts) * min(typical, longest)
    return Estimate(
        prompts=len(prompts),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        money=(tokens_in * price_in + tokens_out * price_out) / 1e6,
        most_money=(tokens_in * price_in + len(prompts) * longest * price_out) / 1e6,
    )
