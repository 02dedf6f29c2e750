"""The places of least squares: exact by dynamic programming on a grid of steps, then each moved to its best step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.noise_models import Sums

Array = np.ndarray[Any, Any]

MOST = 15
"""Changes at most."""
GRID = 300
"""Steps that may be places at first; a longer stream is cut into so many parts of one length."""


def grid_of(length: int) -> Array:
    """Where pieces may begin at first, and the end: every step of a short stream."""
    count = min(length, GRID)
    return np.arange(count + 1) * length // count


def best_places(sums: Sums, grid: Array, least: int) -> list[tuple[list[int], float]]:
    """For 0, 1, ... changes the places of least squares on a grid and their error.

    Args:
        sums: Those of the whitened series.
        grid: From `grid_of`.
        least: The least number of steps of a piece.
    """
    count = len(grid) - 1
    rows, columns = np.triu_indices(count + 1, 1)
    allowed = np.full((count + 1, count + 1), np.inf)
    allowed[rows, columns] = sums.errors(grid[rows], grid[columns])
    whole = float(allowed[0, count])
    allowed[grid[None, :] - grid[:, None] < least] = np.inf
    reached, steps, here = allowed[0], [], np.arange(count + 1)
    found: list[tuple[list[int], float]] = [([], whole)]
    for _ in range(min(MOST, int(grid[-1]) // least - 1)):
        joined = reached[:, None] + allowed
        steps.append(joined.argmin(axis=0))
        reached = joined[steps[-1], here]
        if not np.isfinite(reached[count]):
            break
        back, end = [], count
        for step in reversed(steps):
            end = int(step[end])
            back.append(int(grid[end]))
        found.append((back[::-1], float(reached[count])))
    return found


def refined(sums: Sums, places: list[int], length: int, least: int) -> list[int]:
    """Places of a grid moved to the best step between their neighbours, twice."""
    edges = [0, *places, length]
    for _ in range(2 if length > GRID else 0):
        for number in range(1, len(edges) - 1):
            tried = np.arange(edges[number - 1] + least, edges[number + 1] - least + 1)
            edges[number] = int(tried[errors_of_splits(sums, edges[number - 1], edges[number + 1], tried).argmin()])
    return edges[1:-1]


def errors_of_splits(sums: Sums, start: int, stop: int, tried: Array) -> Array:
    """The squared error of a window [start, stop) with one change, for each place, of shape (..., places)."""
    return sums.errors(np.full_like(tried, start), tried) + sums.errors(tried, np.full_like(tried, stop))
