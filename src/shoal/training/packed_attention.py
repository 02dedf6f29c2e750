"""Documents laid end to end in one row of tokens, and causal attention of each document to itself, for CPUs.

Everything but attention works token by token, so a packed row wastes nothing on padding. For attention the row is cut
into blocks of queries: parts of a long document, each with the keys up to its end, or several short documents, each
token with a first key of its own. No weight is ever given to another document.

The fused kernel's backward pass runs at a fraction of the speed of plain products on a CPU, so attention is plain
products of each block of queries with its keys, on the columns where they lie, a softmax over just the keys that are
seen, and a gradient that is written out.

Cost: O(Σ L²) of time; the attention weights stay in memory for the backward pass.

Shapes: T tokens that are read, N predicted positions, H query heads, G key-value heads, K width of a head,
C = (H + 2G) · K columns of query, key and value, Q queries of a block, J its keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.training.batches import weights_of
from shoal.training.kernels import attention_weights, attention_weights_backward, over_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shoal.training.batches import Batch
    from shoal.training.kernels import Workspace

# Queries of a block, about: small enough that the scores of a block stay in the cache, large enough for the products.
# Blocks of 96, 192 or 256 were no faster (docs/benchmarks/training.md).
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class QueryBlock:
    """Queries that attend together."""

    start: int
    stop: int
    keys: int
    """The first key of all; the last is that of the last query."""
    first: np.ndarray[Any, np.dtype[np.int64]]
    """The first key that each query sees, counted from ``keys``."""


@dataclass(frozen=True, slots=True)
class PackedRow:
    """The documents of a batch, laid end to end."""

    ids_T: torch.Tensor
    positions_T: np.ndarray[Any, np.dtype[np.int64]]
    """The place of each token in its own document."""
    rows_N: torch.Tensor | None
    """The tokens whose successors are to be predicted; None for all."""
    targets_N: torch.Tensor
    weights_N: torch.Tensor | None
    """How much each counts in the loss; None for all alike."""
    blocks: tuple[QueryBlock, ...]
    order: tuple[int, ...]
    """The places of the documents in the batch, in the order of the row."""


def pack_documents(batch: Batch) -> PackedRow:
    """Lay out a batch, the longest documents first. A document's last token is predicted but not read."""
    # The short ones are then neighbours, and share blocks.
    order = sorted(range(len(batch.documents)), key=lambda place: -len(batch.documents[place].ids))
    documents = [batch.documents[place] for place in order]
    lengths = np.array([len(document.ids) - 1 for document in documents])
    starts = np.cumsum(lengths) - lengths
    positions_T = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    begins = np.repeat([document.boundary - 1 for document in documents], lengths)
    rows_N = np.flatnonzero(positions_T >= begins)
    first_T = np.repeat(starts, lengths)
    return PackedRow(
        ids_T=_row([document.ids[:-1] for document in documents]),
        positions_T=positions_T,
        # Where every position is predicted, as in pretraining, no row has to be copied out.
        rows_N=None if len(rows_N) == len(positions_T) else torch.from_numpy(rows_N),
        targets_N=_row([document.ids[document.boundary :] for document in documents]),
        weights_N=weights_of(documents),
        blocks=tuple(_block(start, stop, first_T) for start, stop in _edges(lengths.tolist())),
        order=tuple(order),
    )


def _row(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts))


def _edges(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end: long documents in about equal parts, short ones together."""
    start = stop = 0
    for length in lengths:
        if length >= _BLOCK:
            parts = round(length / _BLOCK)
            edges = [start + length * part // parts for part in range(parts + 1)]
            yield from pairwise(edges)
            start = stop = edges[-1]
        else:
            if stop + length - start > _BLOCK:
                yield start, stop
                start = stop
            stop += length
    if stop > start:
        yield start, stop


def _block(start: int, stop: int, first_T: np.ndarray[Any, np.dtype[np.int64]]) -> QueryBlock:
    keys = int(first_T[start])
    # A block holds parts of one document or several whole ones, so its first query has the first key.
    return QueryBlock(start, stop, keys, first_T[start:stop] - keys)


@dataclass(frozen=True, slots=True)
class HeadLayout:
    """How the columns of queries, keys and values are divided into heads."""

    queries: int
    keys: int
    width: int

    @property
    def all(self) -> int:
        """HeadLayout of all three kinds."""
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
        # A key that several queries share gets the sum of their gradients.
        shared = heads[:, self.queries :].unflatten(1, (2 * self.keys, -1)).sum(2)
        return torch.cat([heads[:, : self.queries], shared], dim=1).flatten(1)


@dataclass(frozen=True, slots=True)
class AttentionTape:
    """What the backward pass needs."""

    columns_TC: torch.Tensor
    """Queries, keys and values of as many heads each, in the dtype of the products."""
    weights: list[torch.Tensor]
    """The attention weights of each block (H · Q · J), in float32."""


def attend(
    qkv_TC: torch.Tensor, heads: HeadLayout, blocks: Sequence[QueryBlock], dtype: torch.dtype, work: Workspace
) -> tuple[torch.Tensor, AttentionTape]:
    """Attend within each document.

    Args:
        qkv_TC: queries, keys and values, with rotary positions applied.
        heads: how the columns are divided.
        blocks: of the packed row.
        dtype: of the products; the softmax is in float32.
        work: memory for the weights and the output.

    Returns:
        The output (T × H·K, float32), and what `attend_backward` needs.
    """
    columns_TC = heads.widened(qkv_TC).to(dtype)
    query, key, value = heads.parts(columns_TC)
    out = work.take(len(qkv_TC), heads.queries * heads.width)
    (out_HTK,) = out.view(len(out), -1, heads.width).transpose(0, 1).split(heads.queries)
    weights_of_blocks = []
    for block in blocks:
        rows, keys = slice(block.start, block.stop), slice(block.keys, block.stop)
        weights = work.take(heads.queries, block.stop - block.start, block.stop - block.keys)
        _product(query[:, rows], key[:, keys].transpose(1, 2), weights)
        flat, place = weights.flatten(0, 1), block.start - block.keys
        over_rows(attention_weights, len(flat), flat, heads.width**-0.5, block.first, place)
        _product(weights.to(dtype), value[:, keys], out_HTK[:, rows])
        weights_of_blocks.append(weights)
    return out, AttentionTape(columns_TC, weights_of_blocks)


def attend_backward(
    by_out: torch.Tensor, tape: AttentionTape, heads: HeadLayout, blocks: Sequence[QueryBlock], work: Workspace
) -> torch.Tensor:
    """The gradient of queries, keys and values (T × C, float32) from that of the output.

    Args:
        by_out: the gradient of the output (T × H·K), in the dtype of the products.
        tape: what `attend` gave.
        heads: how the columns are divided.
        blocks: of the packed row.
        work: memory for the result; the scores' gradients are given back block by block.
    """
    dtype = by_out.dtype
    query, key, value = heads.parts(tape.columns_TC)
    by_columns_TC = work.take(*tape.columns_TC.shape)
    # Queries are written once, by their own block; keys and values are added to by every block that sees them.
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
        # torch.bmm has no output of another dtype than its factors.
        out.copy_(torch.bmm(left, right))


def _add_product(left: torch.Tensor, right: torch.Tensor, total: torch.Tensor) -> None:
    if left.dtype == total.dtype:
        torch.baddbmm(total, left, right, out=total)
    else:
        total.add_(torch.bmm(left, right))
