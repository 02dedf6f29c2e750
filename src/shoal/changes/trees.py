"""Context trees: how well the past predicts one binary digit, mixed over every depth of context.

The context tree weighting of Willems, Shtarkov and Tjalkens (1995, IEEE Transactions on Information Theory 41): a node
of the tree predicts by the Krichevsky-Trofimov estimate of its own counts or leaves it to its two children, each with
weight one half, which the data then shift. All nodes of a depth are one array, so that a tree over n digits costs one
count of n contexts and O(2^depth) in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_LOG_HALF = float(np.log(0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A weighted tree."""

    evidence: float
    """The natural logarithm of the weighted probability of all digits that were counted."""
    levels: tuple[Array, ...]
    """Counts of both digits in the nodes of each depth, the deepest first: of shape (2^depth, 2)."""
    stops: tuple[Array, ...]
    """The weight of each node's own estimate, above the deepest level, in the same order."""


def grow(joined: Array, depth: int) -> Tree:
    """Count digits in their contexts and weight all trees.

    Args:
        joined: 2 * context + digit at each step counted; the first split of a context is its highest bit.
        depth: Bits of a context.
    """
    levels = [np.bincount(joined, minlength=2 << depth).reshape(-1, 2)]
    for _ in range(depth):
        levels.append(levels[-1].reshape(-1, 2, 2).sum(axis=1))
    half, whole = _logs(int(levels[-1].sum()))
    nodes = np.concatenate(levels)
    estimated = half[nodes[:, 0]] + half[nodes[:, 1]] - whole[nodes[:, 0] + nodes[:, 1]]
    size = len(levels[0])
    weighted, stops, past = estimated[:size], [], size
    for _ in range(depth):
        size //= 2
        own = estimated[past : past + size]
        past += size
        mixed = np.logaddexp(own, weighted.reshape(-1, 2).sum(axis=1)) + _LOG_HALF
        stops.append(np.exp(own + _LOG_HALF - mixed))
        weighted = mixed
    return Tree(evidence=float(weighted[0]), levels=tuple(levels), stops=tuple(stops))


def predictions(tree: Tree, unknown: int = 0) -> Array:
    """Probabilities of each digit in each context, as logarithms.

    Args:
        tree: The tree.
        unknown: How many of the last bits of a context are not known; contexts are shorter by as many.

    Returns:
        Of shape (2, 2^(depth - unknown) * 2), at 2 * context + digit. Row 0 is for a digit that was not counted; row 1
        is with one occurrence of the digit in that context taken out, which is what a digit that was counted is owed.
    """
    found = _estimates(tree.levels[unknown])
    for level, stop in zip(tree.levels[unknown + 1 :], tree.stops[unknown:], strict=True):
        leaves = found.reshape(2, len(stop), -1, 2)
        own = _estimates(level)[:, :, None, :]
        found = (leaves + stop[:, None, None] * (own - leaves)).reshape(2, -1, 2)
    return np.asarray(np.log(found).reshape(2, -1))


def _estimates(counts: Array) -> Array:
    """The Krichevsky-Trofimov estimates (c + 1/2) / (C + 1), and those with the digit itself taken out."""
    total = counts.sum(axis=1, keepdims=True)
    return np.stack(((counts + 0.5) / (total + 1.0), np.maximum(counts - 0.5, 0.25) / np.maximum(total, 1)))


def _logs(most: int) -> tuple[Array, Array]:
    """Sums of log(i - 1/2) and of log(i) for i from 1, at least up to ``most``."""
    return _table(1 << max(10, most.bit_length()))


@lru_cache(maxsize=4)
def _table(size: int) -> tuple[Array, Array]:
    steps = np.arange(1, size + 1)
    return np.concatenate(([0.0], np.cumsum(np.log(steps - 0.5)))), np.concatenate(([0.0], np.cumsum(np.log(steps))))
