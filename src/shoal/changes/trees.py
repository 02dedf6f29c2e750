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
    """Predictions of a digit in each of 2^depth contexts."""

    evidence: float
    """The natural logarithm of the weighted probability of all digits that were counted."""
    fresh: Array
    """log p(digit | context), of shape (2^depth * 2,): at 2 * context + digit."""
    seen: Array
    """The same with one occurrence of the digit in that context taken out: what a digit that was counted is owed."""


def grow(joined: Array, depth: int) -> Tree:
    """Count digits in their contexts and weight all trees.

    Args:
        joined: 2 * context + digit at each step counted; the first split of a context is its highest bit.
        depth: Bits of a context.
    """
    counts = np.bincount(joined, minlength=2 << depth).reshape(-1, 2)
    levels = [counts]
    for _ in range(depth):
        levels.append(levels[-1].reshape(-1, 2, 2).sum(axis=1))
    half, whole = _logs(int(levels[-1].sum()))
    weighted = np.zeros(0)
    fresh, seen = np.zeros((0, 2)), np.zeros((0, 2))
    for height, level in enumerate(levels):
        total = level.sum(axis=1)
        own = half[level[:, 0]] + half[level[:, 1]] - whole[total]
        plain = (level + 0.5) / (total + 1.0)[:, None]
        less = np.maximum(level - 0.5, 0.25) / np.maximum(total, 1)[:, None]
        if height == 0:
            weighted, fresh, seen = own, plain, less
            continue
        below = weighted.reshape(-1, 2).sum(axis=1)
        mixed = np.logaddexp(own, below) + _LOG_HALF
        stop = np.exp(own + _LOG_HALF - mixed)
        weighted = mixed
        fresh = _mix(stop, plain, fresh, height)
        seen = _mix(stop, less, seen, height)
    return Tree(evidence=float(weighted[0]), fresh=np.log(fresh).ravel(), seen=np.log(seen).ravel())


def _mix(stop: Array, own: Array, below: Array, height: int) -> Array:
    """The predictions at the leaves under each node: the node's own with weight ``stop``, else what lies below."""
    leaves = below.reshape(len(stop), 1 << height, 2)
    weight = stop[:, None, None]
    return np.asarray(weight * own[:, None, :] + (1.0 - weight) * leaves).reshape(-1, 2)


def _logs(most: int) -> tuple[Array, Array]:
    """Sums of log(i - 1/2) and of log(i) for i from 1, at least up to ``most``."""
    return _table(1 << max(10, most.bit_length()))


@lru_cache(maxsize=4)
def _table(size: int) -> tuple[Array, Array]:
    steps = np.arange(1, size + 1)
    return np.concatenate(([0.0], np.cumsum(np.log(steps - 0.5)))), np.concatenate(([0.0], np.cumsum(np.log(steps))))
