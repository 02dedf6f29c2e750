"""Documents laid end to end in one row of tokens, and the groups in which they attend to themselves.

Everything but attention works token by token, so a packed row wastes nothing on padding. For attention, documents of
similar length are gathered into blocks of equal length; none ever meets another, so there is no leakage to mask.

Shapes: T tokens that are read, N predicted positions, n documents in a group, L the longest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from shoal.training.batches import Batch

_SIMILAR = 0.75
"""A document joins a group while it is at least this share of the group's longest one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that attend side by side, each to itself."""

    start: int
    """Where their tokens begin in the row; they lie together."""
    stop: int
    documents: int
    length: int
    gather: torch.Tensor | None
    """The token (counted from ``start``) at each of n · L places; None where all documents have length L."""
    scatter: torch.Tensor | None
    """The place among n · L of each token; None likewise."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What the arithmetic needs to know of a batch."""

    ids_T: torch.Tensor
    positions_T: torch.Tensor
    """The place of each token in its own document."""
    rows_N: torch.Tensor
    """The tokens whose successors are to be predicted."""
    targets_N: torch.Tensor
    groups: tuple[Group, ...]


def pack_documents(batch: Batch) -> Pack:
    """Lay out a batch, the longest documents first. A document's last token is predicted but not read."""
    documents = sorted(batch.documents, key=lambda document: -len(document.ids))
    lengths = np.array([len(document.ids) - 1 for document in documents])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    places = [np.arange(length) for length in lengths]
    rows = [
        start + place[document.boundary - 1 :]
        for start, place, document in zip(starts, places, documents, strict=False)
    ]
    return Pack(
        ids_T=_row([document.ids[:-1] for document in documents]),
        positions_T=_row(places),
        rows_N=_row(rows),
        targets_N=_row([document.ids[document.boundary :] for document in documents]),
        groups=tuple(_groups(lengths, starts)),
    )


def _row(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts))


def _groups(lengths: np.ndarray, starts: np.ndarray) -> list[Group]:
    groups, first = [], 0
    while first < len(lengths):
        stop = first + int(np.sum(lengths[first:] >= _SIMILAR * lengths[first]))
        groups.append(_group(lengths[first:stop], starts[first : stop + 1]))
        first = stop
    return groups


def _group(lengths: np.ndarray, starts: np.ndarray) -> Group:
    length = int(lengths[0])
    edges = int(starts[0]), int(starts[-1]), len(lengths), length
    if lengths[-1] == length:
        return Group(*edges, None, None)
    place_L = np.arange(length)[None]
    gather = np.minimum(place_L, lengths[:, None] - 1) + (starts[:-1] - starts[0])[:, None]
    scatter = np.flatnonzero(place_L < lengths[:, None])
    return Group(*edges, torch.from_numpy(gather.reshape(-1)), torch.from_numpy(scatter))
