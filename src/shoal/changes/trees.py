"""Context trees: how well the past predicts one binary digit, mixed over every depth of context.

The context tree weighting of Willems, Shtarkov and Tjalkens (1995, IEEE Transactions on Information Theory 41): a node
of the tree predicts by the Krichevsky-Trofimov estimate of its own counts or leaves it to its two children, each with
weight one half, which the data then shift. All nodes of a depth, of all trees of that depth, are one array, so that a
tree over n digits costs one count of n contexts and O(2^depth) in all, and many small trees cost little more than one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

_LOG_HALF = float(np.log(0.5))


class Trees(NamedTuple):
    """Weighted trees of one depth side by side, T of them."""

    evidence: Array
    """The natural logarithms of the weighted probabilities of all digits that were counted, of shape (T,)."""
    levels: tuple[Array, ...]
    """How often each digit stands in the nodes of each depth, the root first: of shape (2, T, 2^depth)."""
    stops: tuple[Array, ...]
    """The weight of each node's own estimate, above the deepest level, in the same order: of shape (T, 2^depth)."""

    def chosen(self, rows: Sequence[int]) -> Trees:
        """Some of them."""
        held = np.asarray(rows)
        return Trees(
            evidence=self.evidence[held],
            levels=tuple(level[:, held] for level in self.levels),
            stops=tuple(stop[held] for stop in self.stops),
        )


def grow(joined: Sequence[Array], depth: int) -> Trees:
    """Count digits in their contexts and weight all trees.

    Args:
        joined: for each tree 2 * context + digit at each step counted; the first split of a context is its highest bit.
        depth: bits of a context.
    """
    counts = np.array([np.bincount(one, minlength=2 << depth) for one in joined])
    levels = [np.ascontiguousarray(counts.reshape(len(joined), -1, 2).transpose(2, 0, 1))]
    for _ in range(depth):
        levels.append(levels[-1][..., ::2] + levels[-1][..., 1::2])
    half, whole = _logs(int(levels[-1].sum(axis=0).max()))
    weighted, stops = _estimated(levels[0], half, whole), []
    for level in levels[1:]:
        own = _estimated(level, half, whole)
        below = weighted[:, ::2] + weighted[:, 1::2]
        # np.logaddexp gives the same and takes a third longer.
        lead = np.exp(-np.abs(own - below))
        weighted = np.maximum(own, below) + np.log(1.0 + lead) + _LOG_HALF
        stops.append(np.exp(own + _LOG_HALF - weighted))
    return Trees(evidence=weighted[:, 0], levels=tuple(levels[::-1]), stops=tuple(stops[::-1]))


def predictions(trees: Trees) -> list[Array]:
    """Probabilities of each digit in each context of each length, as logarithms, in single precision.

    Returns:
        For contexts of 0, 1, ... depth bits, of shape (T, 2, 2, 2^bits): by tree, by row, by digit, by context. Row 0
        is for a digit that was not counted; row 1 is with one occurrence of the digit in that context taken out, which
        is the prediction of a digit that was counted.
    """
    mixed: Array = np.zeros((2, 2, len(trees.evidence), 1), dtype=np.float32)
    left: Array = np.ones((len(trees.evidence), 1), dtype=np.float32)
    found = []
    for depth, level in enumerate(trees.levels):
        share = _estimates(level.astype(np.float32))
        share *= left
        found.append(np.log(mixed + share).transpose(2, 0, 1, 3))
        if depth < len(trees.stops):
            stop = trees.stops[depth].astype(np.float32)
            share *= stop
            share += mixed
            mixed, left = _doubled(share), _doubled(left * (1.0 - stop))
    return found


def _doubled(nodes: Array) -> Array:
    """What each node hands down to both of its children."""
    children = np.empty((*nodes.shape, 2), dtype=nodes.dtype)
    children[..., 0] = children[..., 1] = nodes
    return children.reshape(*nodes.shape[:-1], -1)


def _estimated(level: Array, half: Array, whole: Array) -> Array:
    """The logarithm of the Krichevsky-Trofimov probability of the digits counted in each node."""
    zeros, ones = level
    return np.asarray(half[zeros] + half[ones] - whole[zeros + ones])


def _estimates(counts: Array) -> Array:
    """The Krichevsky-Trofimov estimates (c + 1/2) / (C + 1), and those with the digit itself taken out."""
    total, found = counts[0] + counts[1], np.empty((2, *counts.shape), dtype=counts.dtype)
    np.divide(counts + 0.5, total + 1.0, out=found[0])
    # A digit that was not counted cannot be taken out. That entry is never read, but its logarithm is taken.
    np.divide(np.maximum(counts - 0.5, 0.25), np.maximum(total, 1), out=found[1])
    return found


def _logs(most: int) -> tuple[Array, Array]:
    """Sums of log(i - 1/2) and of log(i) for i from 1, at least up to ``most``."""
    # Rounded up to a power of two, so that the cache has few tables for all lengths.
    return _table(1 << max(10, most.bit_length()))


@lru_cache(maxsize=4)
def _table(size: int) -> tuple[Array, Array]:
    steps = np.arange(1, size + 1)
    return np.concatenate(([0.0], np.cumsum(np.log(steps - 0.5)))), np.concatenate(([0.0], np.cumsum(np.log(steps))))
