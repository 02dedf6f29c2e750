"""Documents laid end to end in one row of tokens, and the blocks in which they attend to themselves.

Everything but attention works token by token, so a packed row wastes nothing on padding. For attention the row is cut
into blocks of queries: parts of a long document, each with the keys up to its end, or several short documents, each
token with a key of its own to begin at. No weight is ever given to another document.

Shapes: T tokens that are read, N predicted positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.training.batches import Batch

_BLOCK = 128
"""Queries of a block, about."""


@dataclass(frozen=True, slots=True)
class Block:
    """Queries that attend side by side."""

    start: int
    stop: int
    keys: int
    """The first key of all; the last is that of the last query."""
    first: np.ndarray[Any, np.dtype[np.int64]]
    """The first key that each query sees, counted from ``keys``."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What the arithmetic needs to know of a batch."""

    ids_T: torch.Tensor
    positions_T: np.ndarray[Any, np.dtype[np.int64]]
    """The place of each token in its own document."""
    rows_N: torch.Tensor | None
    """The tokens whose successors are to be predicted; None for all."""
    targets_N: torch.Tensor
    blocks: tuple[Block, ...]
    order: tuple[int, ...]
    """The places of the documents in the batch, in the order of the row."""


def pack_documents(batch: Batch) -> Pack:
    """Lay out a batch, the longest documents first. A document's last token is predicted but not read."""
    order = sorted(range(len(batch.documents)), key=lambda place: -len(batch.documents[place].ids))
    documents = [batch.documents[place] for place in order]
    lengths = np.array([len(document.ids) - 1 for document in documents])
    starts = np.cumsum(lengths) - lengths
    positions_T = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    begins = np.repeat([document.boundary - 1 for document in documents], lengths)
    rows_N = np.flatnonzero(positions_T >= begins)
    first_T = np.repeat(starts, lengths)
    return Pack(
        ids_T=_row([document.ids[:-1] for document in documents]),
        positions_T=positions_T,
        rows_N=None if len(rows_N) == len(positions_T) else torch.from_numpy(rows_N),
        targets_N=_row([document.ids[document.boundary :] for document in documents]),
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


def _block(start: int, stop: int, first_T: np.ndarray[Any, np.dtype[np.int64]]) -> Block:
    keys = int(first_T[start])
    return Block(start, stop, keys, first_T[start:stop] - keys)
