"""The scores of heads that have learnt nothing: the model itself with the entries of each weight shuffled.

A shuffle keeps the size and spread of every weight and destroys what was learnt. Where the weights were drawn
independently, as fresh ones are, the shuffled model is a draw from the same distribution, so that of a model with
random weights no more heads are named than the level says.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

    from shoal.insight.hooks.parts import Parts
    from shoal.progress import Progress

_LEAST_SHUFFLES = 4


def null_scores(
    parts: Parts,
    score: Callable[[PreTrainedModel], torch.Tensor],
    *,
    heads: int,
    seed: int,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Scores of at least ``heads`` heads of shuffled models (heads × tests).

    Args:
        parts: of the model.
        score: from a model to the scores of its heads (N × H × tests).
        heads: how many are wanted.
        seed: of the shuffles.
        progress: called with (what, done, total).
    """
    times = max(_LEAST_SHUFFLES, math.ceil(heads / (len(parts.blocks) * parts.heads)))
    draws = torch.Generator().manual_seed(seed)
    shuffled = copy.deepcopy(parts.model)
    found = []
    for done in range(times):
        shuffle_weights(shuffled, draws)
        found.append(score(shuffled).flatten(0, 1))
        if progress is not None:
            progress("shuffled models", done + 1, times)
    return torch.cat(found)


@torch.no_grad()
def shuffle_weights(model: PreTrainedModel, draws: torch.Generator) -> None:
    """Shuffle the entries of every weight in place."""
    for weight in model.parameters():
        order = torch.randperm(weight.numel(), generator=draws).to(weight.device)
        weight.copy_(weight.flatten()[order].view_as(weight))
