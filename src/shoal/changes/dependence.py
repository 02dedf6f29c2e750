"""How long a stream remembers: the block length that its permutations need.

Levels that change look like memory, and memory like changing levels. Which of the two a stream has more of is decided
by description length on mid-ranks, before anything is tested: one AR(1), or pieces of one level each under an AR(1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.channels import Channel

Array = np.ndarray[Any, Any]

LEAST = 3
"""Steps of a block at least."""
SHORT = 500
"""A stream of at most so many steps is not asked for levels here; `short` asks it."""


class Memory(NamedTuple):
    """How many steps a block must have."""

    apparent: int
    """Where all that lasts is taken for memory."""
    steps: int
    """Where what is said shorter by changing levels is not."""


def memory(channels: list[Channel]) -> Memory:
    """The longest memory of the channels."""
    found = [_of_channel(channel) for channel in channels]
    return Memory(
        apparent=max((one.apparent for one in found), default=1), steps=max((one.steps for one in found), default=1)
    )


def _of_channel(channel: Channel) -> Memory:
    codes = channel.codes.astype(np.float64)
    codes -= codes.mean()
    if not codes.any():
        return Memory(1, 1)
    n = len(codes)
    span = max(min(n, 100), n // 20)
    apparent = _length(_near(codes, np.arange(0, n // span * span + 1, span)))
    if apparent == LEAST or channel.held or n <= SHORT:
        return Memory(apparent, apparent)
    return Memory(apparent, min(apparent, _length(_near(codes, _levels(codes)))))


def _length(near: float) -> int:
    """The length L at which blocks of an AR(1) are correlated by r / (L (1 - r^2)) = 1/26."""
    return max(LEAST, round(26.0 * near / (1.0 - near**2)))


def _near(codes: Array, edges: Array) -> float:
    """The correlation of neighbours about the means of pieces, what the means take from it put back."""
    codes, sizes = codes[: edges[-1]], np.diff(edges)
    local = codes - np.repeat(np.add.reduceat(codes, edges[:-1]) / sizes, sizes)
    power = float((local**2).sum())
    if power == 0.0:
        return 0.0
    products = local[1:] * local[:-1]
    products[edges[1:-1] - 1] = 0.0
    near = float(products.sum()) / power
    return min(max(near + (1.0 + 3.0 * near) / float(sizes.mean()), 0.0), 0.995)  # of a few steps it may reach -1


def _levels(codes: Array) -> Array:
    """Where pieces of one level begin, and the end; one piece if memory without levels says as much in less.

    The criterion is that of `short`: n log(RSS / n), and log n for the memory, each level and each place twice.
    """
    from shoal.changes import partition  # only streams that remember need it

    n = len(codes)
    count = min(partition.MOST_BLOCKS, n // LEAST)
    edges = np.arange(count + 1) * n // count
    sums = np.add.reduceat(codes, edges[:-1])
    gram = np.outer(sums, sums)[:, :, None]
    pieces = min(partition.MOST_PIECES, count // 2)
    total = float(codes @ codes)
    steps = n / count
    left = np.maximum(total - partition.explained(gram, 1, pieces)[:, 0] * float(sums @ sums) / steps, 1e-6 * total)
    lengths = n * np.log(left) + 3.0 * math.log(n) * np.arange(1, pieces)
    best = int(lengths.argmin())
    whole = edges[[0, *partition.cuts_of(partition.gains_of(gram, 1)[:, 0], best + 2), count]]
    one = float(codes[1:] @ codes[:-1]) / total
    inside = _near(codes, whole)
    levels = lengths[best] + n * math.log(max(1.0 - inside**2, 1e-6))
    return whole if levels < n * math.log(max(1.0 - one**2, 1e-6) * total) else edges[[0, -1]]
