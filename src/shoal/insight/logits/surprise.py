"""Surprisal: how unexpected each token was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def surprisal(logits_LV: torch.Tensor, ids_L: torch.Tensor) -> list[float | None]:
    """-log2 p(token | tokens before it) in bits; None for the first token, of which nothing was predicted."""
    log_p_LV = logits_LV[:-1].float().log_softmax(-1)
    bits = -log_p_LV.gather(1, ids_L[1:, None])[:, 0] / math.log(2)
    return [None, *bits.tolist()]
