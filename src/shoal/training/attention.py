"""Causal attention of packed documents with its gradient written out, for CPUs.

The fused kernel's backward pass runs in bfloat16 at a fraction of the speed of plain products there, so attention is
plain batched products over blocks of queries, each against the keys up to its end, which skips most of the masked half.
Padding keys stand after all real queries of their document, so the causal mask hides them; what padding queries compute
is dropped, and they get no gradient.

Cost: O(Σ L²) of time; the attention weights are kept for the backward pass.

Shapes: T tokens, H query heads, G key-value heads, K width of a head, n documents of a group padded to L, S = H · n,
C = (H + 2G) · K columns of query, key and value, Q queries of a block, J keys up to its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.training.packing import Group

_BLOCK = 128
_HIDDEN = -1e30
"""Added to a score that must not count; finite, so that a row of them gives no NaN."""


@dataclass(frozen=True, slots=True)
class Heads:
    """How the columns of queries, keys and values are cut."""

    queries: int
    keys: int
    width: int

    @property
    def all(self) -> int:
        """Heads of all three kinds."""
        return self.queries + 2 * self.keys


@dataclass(frozen=True, slots=True)
class _Attended:
    """What the backward pass of one group needs."""

    query_SLK: torch.Tensor
    key_SLK: torch.Tensor
    value_SLK: torch.Tensor
    weights: list[torch.Tensor]
    """The attention weights of each block of queries."""


def attend(qkv_TC: torch.Tensor, heads: Heads, groups: Sequence[Group]) -> tuple[torch.Tensor, list[_Attended]]:
    """Attention of each document to itself (T × H·K), and what `attend_backward` needs."""
    out = qkv_TC.new_empty(len(qkv_TC), heads.queries * heads.width)
    tape = []
    for group in groups:
        query, key, value = _by_head(qkv_TC[group.start : group.stop], heads.all, group).split(
            [heads.queries, heads.keys, heads.keys]
        )
        kept = _Attended(_flat(query), _shared(key, heads), _shared(value, heads), [])
        out_SLK = _blocks_forward(kept, heads.width**-0.5)
        _by_token(out_SLK.view(query.shape), group, out[group.start : group.stop])
        tape.append(kept)
    return out, tape


def attend_backward(
    grad_out: torch.Tensor, tape: Sequence[_Attended], heads: Heads, groups: Sequence[Group]
) -> torch.Tensor:
    """The gradient of queries, keys and values (T × C) from that of the output (T × H·K)."""
    grad_TC = grad_out.new_empty(len(grad_out), heads.all * heads.width)
    for kept, group in zip(tape, groups, strict=True):
        grad_SLK = _flat(_by_head(grad_out[group.start : group.stop], heads.queries, group, fill=True))
        grads = grad_out.new_empty(heads.all, group.documents, group.length, heads.width)
        query, key, value = grads.split([heads.queries, heads.keys, heads.keys])
        if heads.queries == heads.keys:
            _blocks_backward(kept, grad_SLK, heads.width**-0.5, (_flat(query), _flat(key), _flat(value)))
        else:
            wide = (_flat(query), torch.empty_like(kept.key_SLK), torch.empty_like(kept.value_SLK))
            _blocks_backward(kept, grad_SLK, heads.width**-0.5, wide)
            key.copy_(wide[1].view(heads.keys, -1, *key.shape[1:]).sum(1))
            value.copy_(wide[2].view(heads.keys, -1, *value.shape[1:]).sum(1))
        _by_token(grads, group, grad_TC[group.start : group.stop])
    return grad_TC


def _by_head(rows: torch.Tensor, count: int, group: Group, *, fill: bool = False) -> torch.Tensor:
    """Rows of tokens as (heads × n × L × K); padding repeats a token, or is 0 where ``fill`` says so."""
    if fill and group.scatter is not None:
        padded = rows.new_zeros(group.documents * group.length, rows.shape[1])
        rows = padded.index_copy_(0, group.scatter, rows)
    elif group.gather is not None:
        rows = rows.index_select(0, group.gather)
    return rows.reshape(group.documents, group.length, count, -1).permute(2, 0, 1, 3).contiguous()


def _by_token(by_head: torch.Tensor, group: Group, out: torch.Tensor) -> None:
    """The reverse of `_by_head`, into ``out``; padding is dropped."""
    by_place = by_head.permute(1, 2, 0, 3)
    if group.scatter is None:
        out.view(by_place.shape).copy_(by_place)
    else:
        torch.index_select(by_place.reshape(-1, out.shape[1]), 0, group.scatter, out=out)


def _flat(by_head: torch.Tensor) -> torch.Tensor:
    return by_head.view(-1, *by_head.shape[2:])


def _shared(by_head: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Keys or values repeated for each query head that shares them."""
    if heads.queries == heads.keys:
        return _flat(by_head)
    return by_head.repeat_interleave(heads.queries // heads.keys, dim=0).flatten(0, 1)


def _edges(length: int) -> list[tuple[int, int]]:
    """Blocks of queries, of about equal size."""
    size = math.ceil(length / max(1, length // _BLOCK))
    return [(start, min(start + size, length)) for start in range(0, length, size)]


@lru_cache(maxsize=32)
def _mask(length: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.full((length, length), _HIDDEN, dtype=dtype).triu_(1)


def _blocks_forward(kept: _Attended, scale: float) -> torch.Tensor:
    out_SLK = torch.empty_like(kept.query_SLK)
    mask_LL = _mask(out_SLK.shape[1], out_SLK.dtype)
    for start, stop in _edges(out_SLK.shape[1]):
        keys_SKJ, query_SQK = kept.key_SLK[:, :stop].transpose(1, 2), kept.query_SLK[:, start:stop]
        scores_SQJ = torch.baddbmm(mask_LL[start:stop, :stop], query_SQK, keys_SKJ, alpha=scale)
        weights_SQJ = torch.softmax(scores_SQJ, dim=-1)
        torch.bmm(weights_SQJ, kept.value_SLK[:, :stop], out=out_SLK[:, start:stop])
        kept.weights.append(weights_SQJ)
    return out_SLK


def _blocks_backward(
    kept: _Attended, grad_SLK: torch.Tensor, scale: float, out: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> None:
    """Write the gradients of query, key and value; the last block goes first, since it reaches every key."""
    query, key, value = out
    beta = 0
    for (start, stop), weights in reversed(list(zip(_edges(grad_SLK.shape[1]), kept.weights, strict=True))):
        grad_SQK, keys, values = grad_SLK[:, start:stop], kept.key_SLK[:, :stop], kept.value_SLK[:, :stop]
        queries = kept.query_SLK[:, start:stop]
        by_weight = torch.bmm(grad_SQK, values.transpose(1, 2))
        by_score = torch._softmax_backward_data(by_weight, weights, -1, weights.dtype)
        _product(by_score, keys, query[:, start:stop], 0, scale)
        _product(by_score.transpose(1, 2), queries, key[:, :stop], beta, scale)
        _product(weights.transpose(1, 2), grad_SQK, value[:, :stop], beta, 1.0)
        beta = 1


def _product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor, beta: int, alpha: float) -> None:
    torch.baddbmm(out, left, right, beta=beta, alpha=alpha, out=out)
