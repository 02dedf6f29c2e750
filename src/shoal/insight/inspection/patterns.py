"""The attention patterns of all heads on one text, each query with its strongest links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import ModelError
from shoal.figures import HeadPattern, links_that_fit
from shoal.insight.hooks.capture import capture

if TYPE_CHECKING:
    from shoal.insight.hooks.parts import Parts
    from shoal.insight.roles.named import HeadRoles


@torch.inference_mode()
def head_patterns(parts: Parts, ids_L: torch.Tensor, roles: HeadRoles | None) -> tuple[HeadPattern, ...]:
    """Every head of every block; weights are cut down block by block, so that memory holds one block at a time.

    Raises:
        ModelError: the model has no attention that could be seen.
    """
    if not parts.heads:
        raise ModelError(f"{parts.name} has no attention that could be found, so no patterns can be shown")
    links = links_that_fit(len(ids_L), len(parts.blocks) * parts.heads)

    def keep(_: str, weights_1HLL: torch.Tensor) -> torch.Tensor:
        weights_HLT, keys_HLT = weights_1HLL[0].float().topk(links, dim=-1)
        return torch.stack([weights_HLT, keys_HLT.float()])

    with capture(parts.model, ["blocks.*.attention.weights"], keep=keep) as seen:
        parts.model(ids_L[None], use_cache=False)
    notes = {} if roles is None else {(head.block, head.head): ", ".join(head.roles) for head in roles.heads}
    return tuple(
        HeadPattern(
            block=block,
            head=head,
            keys_LT=kept[1, head].cpu().numpy().astype(np.uint16),
            weights_LT=kept[0, head].cpu().numpy(),
            note=notes.get((block, head), ""),
        )
        for block, kept in enumerate(seen.values())
        for head in range(parts.heads)
    )
