"""Continuations drawn at a temperature, many at a time, each a function of its own seed.

A row draws one number of [0, 1) per token, and the token is where the cumulative distribution passes it (inverse
transform sampling). The numbers depend on the row's seed alone, so that a continuation does not depend on which rows go
with it, beyond the rounding of a matrix product.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import ModelError, UsageError
from shoal.models.decoding import Prefix, decode_rows
from shoal.models.factorization import factor_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel

    from shoal.models.fast import FastModel

_ROWS = 64


def sample_continuations(
    model: PreTrainedModel | FastModel,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    limits: Sequence[int],
    *,
    temperature: float,
    end_id: int | None,
    progress: Callable[[int], None] | None = None,
) -> list[list[int]]:
    """Draw a continuation of each prefix, until the end token, which is included, or its limit.

    Args:
        model: a causal language model in evaluation mode, or what `load_for_scoring` gives.
        prefixes: ids to continue; at least one each.
        seeds: one per prefix.
        limits: the number of new tokens of each, at most.
        temperature: logits are divided by it; 0 takes the most likely token.
        end_id: the token that ends a continuation, if there is one.
        progress: called with the number of rows of each finished batch.

    Raises:
        UsageError: the temperature is below 0 or no number.
        ModelError: the model's logits are not numbers.
    """
    if not 0 <= temperature < float("inf"):
        raise UsageError(
            f"a temperature is a number of 0 or more, not {temperature}; 1 leaves the model's distribution"
        )
    rows = [Prefix(place, prefix, limit) for place, (prefix, limit) in enumerate(zip(prefixes, limits, strict=True))]
    # All of a row at once, by NumPy on the CPU: the same on every device and in every batch.
    draws = [np.random.default_rng(seed).random(limit) for seed, limit in zip(seeds, limits, strict=True)]

    def choose(logits_BV: torch.Tensor, going: Sequence[Prefix]) -> torch.Tensor:
        drawn_B = torch.tensor([draws[row.place][len(row.generated)] for row in going], device=logits_BV.device)
        return draw_tokens(logits_BV.double(), drawn_B, temperature)

    with torch.inference_mode():
        lengths = [len(row.prefix) + row.limit for row in rows]
        factored = factor_model(model, max_length=max(lengths, default=0))
        for first in range(0, len(rows), _ROWS):
            part = rows[first : first + _ROWS]
            decode_rows(factored, part, end_id, choose)
            if progress is not None:
                progress(len(part))
    return [row.generated for row in rows]


def at_temperature(logits_BV: torch.Tensor, temperature: float) -> torch.Tensor:
    """Logits divided by a temperature, the largest of each row moved to 0, which changes no probability.

    Args:
        logits_BV: float64; minus infinity stands for what cannot be drawn.
        temperature: above 0.
    """
    # Moved before the division: at a temperature below 1e-306 a quotient would be infinite, a probability no number.
    return (logits_BV - logits_BV.amax(-1, keepdim=True)) / temperature


def draw_tokens(logits_BV: torch.Tensor, drawn_B: torch.Tensor, temperature: float) -> torch.Tensor:
    """The next token of each row (B): where the cumulative distribution passes the row's number.

    Args:
        logits_BV: float64, so that a cumulative sum over 50,000 tokens does not lose the rare ones.
        drawn_B: a number of [0, 1) for each row, float64.
        temperature: logits are divided by it; 0 takes the most likely token.

    Raises:
        ModelError: the logits are not numbers.
    """
    if not bool(logits_BV.amax(-1).isfinite().all()):
        raise ModelError("the model's logits are not numbers; its weights are broken, or the dtype is too narrow")
    if temperature == 0:
        return logits_BV.argmax(-1)
    below_BV = at_temperature(logits_BV, temperature).softmax(-1).cumsum(-1)
    # The sum of all may end a rounding below 1, and beyond it no token lies.
    found_B1 = torch.searchsorted(below_BV, drawn_B[:, None] * below_BV[:, -1:], right=True)
    return found_B1[:, 0].clamp_max(logits_BV.shape[1] - 1)
