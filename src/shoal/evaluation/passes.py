"""One pass of the model over a batch of rows: the scores of all of its scored positions.

Verdicts and likelihoods both come from here, so that what is proved of the one path holds for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.evaluation.batches import Row, pad_batch, scored_places, shared_opening
from shoal.evaluation.head import LogitBlock, PositionScores, full_blocks, head_blocks, score_positions

if TYPE_CHECKING:
    import torch

    from shoal.models import FactoredModel


class BatchScores(NamedTuple):
    """The N scored positions of a batch, row after row."""

    blocks: LogitBlock
    """Gives logits of positions again."""

    target_N: torch.Tensor
    scores: PositionScores


def score_batch(factored: FactoredModel, batch: list[Row]) -> BatchScores:
    """Read a batch, and put the head on its scored positions only."""
    device = factored.model.device
    ids_BL = pad_batch(batch, device)
    which_N, where_N, target_N = (part.to(device) for part in scored_places(batch))
    if factored.head is None:
        blocks = full_blocks(factored.full_logits(ids_BL)[which_N, where_N])
    else:
        shared = shared_opening(batch)
        blocks = head_blocks(factored.head, factored.hidden(ids_BL, shared)[which_N, where_N - shared])
    return BatchScores(blocks, target_N, score_positions(blocks, target_N, factored.vocabulary))
