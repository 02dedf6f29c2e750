"""Every segmentation of a short text, as an oracle for sums and maxima over all of them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np


def random_scores(size: int, seed: int) -> np.ndarray:
    """A score for each segment of a text of so many sentences (n + 1 by n + 1); minus infinity below the diagonal."""
    values = np.random.default_rng(seed).normal(size=(size + 1, size + 1)) * 2
    return np.where(np.triu(np.ones_like(values), 1) > 0, values, -np.inf)


def all_partitions(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """The sum of scores of every segmentation, by its cuts."""
    last = len(scores) - 1
    sums = {}
    for many in range(last):
        for cuts in combinations(range(1, last), many):
            sums[cuts] = float(sum(scores[edge] for edge in pairwise([0, *cuts, last])))
    return sums
