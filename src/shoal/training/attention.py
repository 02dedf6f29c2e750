"""Causal attention of packed documents with its gradient written out, for CPUs.

The fused kernel's backward pass runs there at a fraction of the speed of plain products, so attention is plain products
of each block of queries with its keys, on the columns where they lie, and a softmax over just the keys that are seen.

Cost: O(Σ L²) of time; the attention weights are kept for the backward pass.

Shapes: T tokens, H query heads, G key-value heads, K width of a head, C = (H + 2G) · K columns of query, key and value,
Q queries of a block, J its keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.training.kernels import attention_weights, attention_weights_backward, over_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.training.packing import Block
    from shoal.training.workspace import Workspace


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

    def parts(self, columns_TC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Views on queries, keys and values, each H × T × K."""
        heads_HTK = columns_TC.view(len(columns_TC), -1, self.width).transpose(0, 1)
        query, key, value = heads_HTK.split(self.queries)
        return query, key, value

    def widened(self, columns_TC: torch.Tensor) -> torch.Tensor:
        """The columns with keys and values repeated for each query head that shares them."""
        if self.queries == self.keys:
            return columns_TC
        heads = columns_TC.view(len(columns_TC), self.all, self.width)
        shared = heads[:, self.queries :].repeat_interleave(self.queries // self.keys, dim=1)
        return torch.cat([heads[:, : self.queries], shared], dim=1).flatten(1)

    def narrowed(self, by_columns_TC: torch.Tensor) -> torch.Tensor:
        """The gradient of the columns from that of the widened ones."""
        if self.queries == self.keys:
            return by_columns_TC
        heads = by_columns_TC.view(len(by_columns_TC), -1, self.width)
        shared = heads[:, self.queries :].unflatten(1, (2 * self.keys, -1)).sum(2)
        return torch.cat([heads[:, : self.queries], shared], dim=1).flatten(1)


@dataclass(frozen=True, slots=True)
class Attended:
    """What the backward pass needs."""

    columns_TC: torch.Tensor
    """Queries, keys and values of as many heads each, in the dtype of the products."""
    weights: list[torch.Tensor]
    """The attention weights of each block (H · Q · J), in float32."""


def attend(
    qkv_TC: torch.Tensor, heads: Heads, blocks: Sequence[Block], dtype: torch.dtype, work: Workspace
) -> tuple[torch.Tensor, Attended]:
    """Attention of each document to itself (T × H·K, float32), and what `attend_backward` needs."""
    columns_TC = heads.widened(qkv_TC).to(dtype)
    query, key, value = heads.parts(columns_TC)
    out = work.take(len(qkv_TC), heads.queries * heads.width)
    (out_HTK,) = out.view(len(out), -1, heads.width).transpose(0, 1).split(heads.queries)
    kept = []
    for block in blocks:
        rows, keys = slice(block.start, block.stop), slice(block.keys, block.stop)
        weights = work.take(heads.queries, block.stop - block.start, block.stop - block.keys)
        _product(query[:, rows], key[:, keys].transpose(1, 2), weights)
        flat, place = weights.flatten(0, 1), block.start - block.keys
        over_rows(attention_weights, len(flat), flat, heads.width**-0.5, block.first, place)
        _product(weights.to(dtype), value[:, keys], out_HTK[:, rows])
        kept.append(weights)
    return out, Attended(columns_TC, kept)


def attend_backward(
    by_out: torch.Tensor, tape: Attended, heads: Heads, blocks: Sequence[Block], work: Workspace
) -> torch.Tensor:
    """The gradient of queries, keys and values (T × C, float32) from that of the output (T × H·K)."""
    dtype = by_out.dtype
    query, key, value = heads.parts(tape.columns_TC)
    by_columns_TC = work.take(*tape.columns_TC.shape)
    by_columns_TC[:, heads.queries * heads.width :].zero_()
    by_query, by_key, by_value = heads.parts(by_columns_TC)
    by_out_HTK = by_out.view(len(by_out), -1, heads.width).transpose(0, 1)
    for block, weights in zip(blocks, tape.weights, strict=True):
        rows, keys = slice(block.start, block.stop), slice(block.keys, block.stop)
        mark = work.mark()
        by_score = work.take(*weights.shape)
        _product(by_out_HTK[:, rows], value[:, keys].transpose(1, 2), by_score)
        flat, by_flat, place = weights.flatten(0, 1), by_score.flatten(0, 1), block.start - block.keys
        over_rows(attention_weights_backward, len(flat), flat, by_flat, heads.width**-0.5, block.first, place)
        by_score_as = by_score.to(dtype)
        _product(by_score_as, key[:, keys], by_query[:, rows])
        _add_product(by_score_as.transpose(1, 2), query[:, rows], by_key[:, keys])
        _add_product(weights.to(dtype).transpose(1, 2), by_out_HTK[:, rows], by_value[:, keys])
        work.release(mark)
    return heads.narrowed(by_columns_TC)


def _product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> None:
    if left.dtype == out.dtype:
        torch.bmm(left, right, out=out)
    else:
        out.copy_(torch.bmm(left, right))


def _add_product(left: torch.Tensor, right: torch.Tensor, total: torch.Tensor) -> None:
    if left.dtype == total.dtype:
        torch.baddbmm(total, left, right, out=total)
    else:
        total.add_(torch.bmm(left, right))
