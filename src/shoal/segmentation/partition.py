"""The best partition of a text into segments, exactly, by dynamic programming (Bellman 1961; Auger and Lawrence 1989).

``scores[i, j]`` is what a segment from sentence i up to (not including) sentence j is worth; i < j, and a segment
that may not be is worth minus infinity. Cost: n steps over vectors of length n, for each number of segments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def best_partition(scores: NDArray[np.float64]) -> list[int]:
    """The starts of the segments, without the first, of the partition with the greatest sum of scores.

    Args:
        scores: n + 1 by n + 1.
    """
    last = len(scores) - 1
    best = np.full(last + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(last + 1, dtype=np.intp)
    for stop in range(1, last + 1):
        totals = best[:stop] + scores[:stop, stop]
        back[stop] = totals.argmax()
        best[stop] = totals[back[stop]]
    return _walk(lambda stop: int(back[stop]), last)


def partition_path(scores: NDArray[np.float64], most: int) -> list[tuple[float, list[int]]]:
    """For 1, 2, ... up to ``most`` segments, the greatest sum of scores and the starts that reach it.

    The list ends earlier where no more segments are allowed.
    """
    last = len(scores) - 1
    best = scores[0].copy()
    backs: list[NDArray[np.intp]] = []
    path: list[tuple[float, list[int]]] = [(float(best[last]), [])]
    for _ in range(1, most):
        totals = best[:, None] + scores
        back = totals.argmax(axis=0)
        best = totals[back, np.arange(last + 1)]
        backs.append(back)
        path.append((float(best[last]), _walk_levels(backs, last) if np.isfinite(best[last]) else []))
    return path


def _walk(back: Callable[[int], int], stop: int) -> list[int]:
    starts = []
    while (stop := back(stop)) > 0:
        starts.append(stop)
    return starts[::-1]


def _walk_levels(backs: list[NDArray[np.intp]], stop: int) -> list[int]:
    starts = []
    for back in reversed(backs):
        stop = int(back[stop])
        starts.append(stop)
    return starts[::-1]
