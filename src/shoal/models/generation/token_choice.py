"""The next token of a row, from its logits: the argmax, or a draw that the row's seed determines.

The draws of a row are a function of the seed, of the prompt's ids and of the number of the sample, so that they depend
neither on the other rows nor on the order in which rows are given, and differ between prompts.

Shapes: V vocabulary.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import UsageError
from shoal.models.sampling import at_temperature, draw_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSampling:
    """How the next token is chosen.

    Raises:
        UsageError: a number lies outside of its range.
    """

    temperature: float = 0.0
    """Logits are divided by it; 0 takes the most likely token, the lowest id at a tie."""

    top_p: float = 1.0
    """Tokens are drawn among the most likely ones that reach this probability together (Holtzman et al. 2020)."""

    top_k: int | None = None
    """Tokens are drawn among this many of the most likely ones (Fan et al. 2018); None: among all."""

    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise UsageError(f"a temperature is a number of 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is a probability above 0 and at most 1, not {self.top_p}")
        if self.top_k is not None and (not _is_whole(self.top_k) or self.top_k < 1):
            raise UsageError(f"top_k is a number of tokens of at least 1, not {self.top_k}")
        if not _is_whole(self.seed) or not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"a seed is a whole number from 0 to {MAX_SEED}, not {self.seed}")

    @property
    def greedy(self) -> bool:
        """Whether no chance is in it."""
        return self.temperature == 0


def _is_whole(value: Any) -> bool:
    """Whether a setting is a whole number, of Python or of NumPy."""
    return isinstance(value, Integral)


class TokenChooser:
    """Chooses the tokens of one row, one after the other.

    Args:
        sampling: how they are chosen.
        prompt: the ids that the row begins with.
        sample: number of the continuation among several of one prompt.
    """

    def __init__(self, sampling: TokenSampling, prompt: Sequence[int], sample: int = 0) -> None:
        self._sampling = sampling
        key = json.dumps([int(sampling.seed), sample, list(prompt)], separators=(",", ":"))
        self._generator = np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))

    def choose(self, logits_V: torch.Tensor) -> int:
        """The next token.

        Args:
            logits_V: of the row's last position.

        Raises:
            ModelError: the logits are not numbers.
        """
        settings = self._sampling
        # A number per token whether it is needed or not, so that the n-th token always has the n-th number.
        drawn_1 = torch.tensor([self._generator.random()], dtype=torch.float64)
        wide_1V = logits_V.detach().double().cpu()[None]
        if not settings.greedy:
            wide_1V = _truncated(wide_1V, settings)
        return int(draw_tokens(wide_1V, drawn_1, settings.temperature))


def _truncated(logits_1V: torch.Tensor, settings: TokenSampling) -> torch.Tensor:
    """The logits with those outside of top_k and top_p at minus infinity."""
    if settings.top_k is None and settings.top_p == 1:
        return logits_1V
    # Stable, so that of equal logits the lower id is the more likely one.
    sorted_1V, order_1V = logits_1V.sort(dim=-1, descending=True, stable=True)
    dropped_1V = torch.zeros_like(sorted_1V, dtype=torch.bool)
    if settings.top_k is not None:
        dropped_1V[:, settings.top_k :] = True
    if settings.top_p < 1:
        share_1V = at_temperature(sorted_1V.masked_fill(dropped_1V, -math.inf), settings.temperature).softmax(-1)
        # The mass of the more likely tokens: the token that reaches top_p stays.
        dropped_1V |= share_1V.cumsum(-1) - share_1V >= settings.top_p
    return logits_1V.masked_fill(torch.zeros_like(dropped_1V).scatter(1, order_1V, dropped_1V), -math.inf)
