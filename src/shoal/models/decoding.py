"""Continuation with a key-value cache, greedy or as a caller chooses, many prefixes at a time.

The rows of a batch have prefixes of different lengths, which are padded on the left, masked by length, and given
positions that count real tokens only. A model whose forward takes no positions gets rows of one length together.
Padding and batch shape may change logits by rounding, so what comes out is a draft: the caller verifies it.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from shoal.models.prefixes import Prefix, group_prefixes, most_likely, say_next

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel

_CELLS = 2**17
"""Keys of a batch at most, which bounds the memory of the cache."""

_LOGITS = 2**26
"""Logits of a batch at most, where a model gives them for the whole prefix."""


def has_cache(model: PreTrainedModel) -> bool:
    """Whether the model's forward can go on from the keys and values of what it has read."""
    parameters = inspect.signature(model.forward).parameters
    if not {"past_key_values", "use_cache", "attention_mask"} <= parameters.keys():
        return False
    output = model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device), use_cache=True)
    return hasattr(output.get("past_key_values"), "batch_select_indices")


def decode_greedily(
    model: PreTrainedModel,
    prefixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_id: int | None,
    *,
    may_pad: bool = True,
) -> list[list[int]]:
    """Continue each prefix with its argmax until the end token, which is kept, or until its limit.

    Args:
        model: in evaluation mode, with a cache (see `has_cache`).
        prefixes: ids to go on from; at least one each.
        limits: the most tokens to say for each.
        end_id: the token that ends a continuation, if there is one.
        may_pad: whether prefixes of different lengths may go together.
    """
    rows = [Prefix(place, prefix, limit) for place, (prefix, limit) in enumerate(zip(prefixes, limits, strict=True))]
    decode_rows(model, rows, end_id, most_likely, may_pad=may_pad)
    return [row.said for row in rows]


def decode_rows(
    model: PreTrainedModel,
    rows: Sequence[Prefix],
    end_id: int | None,
    choose: Callable[[torch.Tensor, Sequence[Prefix]], torch.Tensor],
    *,
    may_pad: bool = True,
) -> None:
    """Continue each row until the end token, which is kept, or until its limit.

    Args:
        model: in evaluation mode, with a cache (see `has_cache`).
        rows: what is said is put into them.
        end_id: the token that ends a continuation, if there is one.
        choose: gives the next token of each row (B) by its logits (B × V).
        may_pad: whether prefixes of different lengths may go together.
    """
    parameters = inspect.signature(model.forward).parameters
    padded = may_pad and "position_ids" in parameters
    last_only = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}
    cells = _CELLS if last_only else _LOGITS // model.get_input_embeddings().weight.shape[0]
    for group in group_prefixes([row for row in rows if row.limit > 0], cells, padded=padded):
        _decode_group(model, group, end_id, choose, last_only, padded=padded)


def _decode_group(
    model: PreTrainedModel,
    rows: list[Prefix],
    end_id: int | None,
    choose: Callable[[torch.Tensor, Sequence[Prefix]], torch.Tensor],
    last_only: dict[str, int],
    *,
    padded: bool,
) -> None:
    device = model.device
    length = max(len(row.prefix) for row in rows)
    ids_BL = torch.tensor([[0] * (length - len(row.prefix)) + list(row.prefix) for row in rows], device=device)
    ahead_B = torch.tensor([length - len(row.prefix) for row in rows], device=device)
    mask_BL = (torch.arange(length, device=device) >= ahead_B[:, None]).long()
    cache: Any = None
    while rows:
        extra: dict[str, Any] = {"attention_mask": mask_BL, **last_only}
        if padded:
            extra["position_ids"] = (mask_BL.cumsum(1) - 1).clamp_min(0)[:, -ids_BL.shape[1] :]
        output = model(input_ids=ids_BL, past_key_values=cache, use_cache=True, **extra)
        cache = output.past_key_values
        said_B = choose(output.logits[:, -1], rows)
        going = say_next(rows, said_B, end_id)
        if len(going) < len(rows):
            kept = torch.tensor(going, dtype=torch.long, device=device)
            rows = [rows[place] for place in going]
            said_B, mask_BL = said_B[kept], mask_BL[kept]
            cache.batch_select_indices(kept)
        ids_BL = said_B[:, None]
        mask_BL = torch.cat([mask_BL, mask_BL.new_ones(len(rows), 1)], dim=1)
