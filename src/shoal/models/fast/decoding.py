"""Continuation by a body of shoal's own, greedy or as a caller chooses, many prefixes at a time.

Prefixes are padded on the right and read once; from there each row goes on at its own length. Batch shape may change
logits by rounding, so what comes out is a draft: the caller verifies it.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.models.fast.past import Memory
from shoal.models.prefixes import Prefix, group_prefixes, most_likely, say_next

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.models.fast.body import FastModel

_CELLS = 2**17
"""Positions of a batch at most, which bounds the memory."""


def continue_greedily(
    body: FastModel,
    prefixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_id: int | None,
    *,
    may_pad: bool = True,
) -> list[list[int]]:
    """Continue each prefix with its argmax until the end token, which is kept, or until its limit.

    Args:
        body: what reads.
        prefixes: ids to go on from; at least one each.
        limits: the most tokens to say for each.
        end_id: the token that ends a continuation, if there is one.
        may_pad: whether prefixes of different lengths may go together.
    """
    rows = [Prefix(place, prefix, limit) for place, (prefix, limit) in enumerate(zip(prefixes, limits, strict=True))]
    continue_rows(body, rows, end_id, most_likely, may_pad=may_pad)
    return [row.said for row in rows]


@torch.inference_mode()
def continue_rows(
    body: FastModel,
    rows: Sequence[Prefix],
    end_id: int | None,
    choose: Callable[[torch.Tensor, Sequence[Prefix]], torch.Tensor],
    *,
    may_pad: bool = True,
) -> None:
    """Continue each row until the end token, which is kept, or until its limit.

    Args:
        body: what reads.
        rows: what is said is put into them.
        end_id: the token that ends a continuation, if there is one.
        choose: gives the next token of each row (B) by its logits (B × V).
        may_pad: whether prefixes of different lengths may go together.
    """
    for group in group_prefixes([row for row in rows if row.limit > 0], _CELLS, padded=may_pad):
        _continue_group(body, group, end_id, choose)


def _continue_group(
    body: FastModel,
    rows: list[Prefix],
    end_id: int | None,
    choose: Callable[[torch.Tensor, Sequence[Prefix]], torch.Tensor],
) -> None:
    lengths = [len(row.prefix) for row in rows]
    ids_BL = torch.tensor([[*row.prefix, *[0] * (max(lengths) - len(row.prefix))] for row in rows], device=body.device)
    lengths_B = torch.tensor(lengths, device=body.device)
    memory = Memory(lengths_B, max(length + row.limit for length, row in zip(lengths, rows, strict=True)))
    last_BD = body.hidden(ids_BL, memory)[torch.arange(len(rows), device=body.device), lengths_B - 1]
    memory.advance()
    while rows:
        said_B = choose(body.head.logits(last_BD), rows)
        going = say_next(rows, said_B, end_id)
        if len(going) < len(rows):
            kept = torch.tensor(going, dtype=torch.long, device=body.device)
            rows, said_B = [rows[place] for place in going], said_B[kept]
            memory.keep(kept)
        if rows:
            last_BD = body.hidden(said_B[:, None], memory)[:, 0]
            memory.advance()
