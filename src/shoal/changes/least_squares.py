"""Pieces fitted by least squares under autoregressive noise: a level each, or a level and a slope each.

With x_t the mid-rank, standardised, and a memory phi, what is fitted in piece k is x_t - phi x_{t-1} by m_k, or by
m_k + b_k t. The squared error of every piece comes from running sums, and the places of least squares for 0, 1, 2, ...
changes from dynamic programming: O(K n^2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MOST = 15
"""Changes at most."""


def standardised(values: Array) -> Array:
    """Mid-ranks, the missing on the line between their neighbours, with mean 0 and variance 1 in each coordinate."""
    steps = np.arange(len(values))
    columns = []
    for column in values.T:
        known = ~np.isnan(column)
        ordered = np.sort(column[known])
        below, upto = (np.searchsorted(ordered, column[known], side=side) for side in ("left", "right"))
        filled = np.interp(steps, steps[known], (below + upto) / (2.0 * len(ordered)))
        centred = filled - filled.mean()
        spread = float(centred.std())
        columns.append(centred / spread if spread > 1e-12 else np.zeros(len(values)))
    return np.column_stack(columns)


def errors_of_pieces(table: Array, phi: float, *, slopes: bool) -> Array:
    """The squared error of every piece [i, j), at row i and column j; infinite where j <= i.

    Args:
        table: From `standardised`, of shape (n, d).
        phi: The memory.
        slopes: Whether a piece has a slope besides its level.
    """
    whitened = table.copy()
    whitened[1:] -= phi * table[:-1]
    if phi > 0.0:
        whitened[0] = whitened[1:].mean(axis=0)
    steps = np.arange(len(table), dtype=np.float64)
    lengths = _between(np.arange(len(table) + 1.0))
    spans = np.maximum(lengths, 1.0)
    errors = _between(_running((whitened**2).sum(axis=1)))
    times = _between(_running(steps))
    spread = _between(_running(steps**2)) - times**2 / spans
    for column in whitened.T:
        sums = _between(_running(column))
        errors -= sums**2 / spans
        if slopes:
            moved = _between(_running(column * steps)) - times * sums / spans
            errors -= np.where(lengths > 1.0, moved**2 / np.maximum(spread, 0.25), 0.0)
    return np.where(lengths > 0.0, np.maximum(errors, 0.0), np.inf)


def best_places(errors: Array, least: int) -> list[tuple[list[int], float]]:
    """For 0, 1, ... changes the places of least squares and their error, pieces being at least ``least`` long."""
    count = len(errors) - 1
    places = np.arange(count + 1)
    allowed = np.where(places[None, :] - places[:, None] >= least, errors, np.inf)
    reached, steps = allowed[0], []
    found: list[tuple[list[int], float]] = [([], float(errors[0, count]))]
    for _ in range(min(MOST, count // least - 1)):
        joined = reached[:, None] + allowed
        steps.append(joined.argmin(axis=0))
        reached = joined[steps[-1], places]
        back, end = [], count
        for step in reversed(steps):
            end = int(step[end])
            back.append(end)
        found.append((back[::-1], float(reached[count])))
    return found


def _running(values: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(values)])


def _between(sums: Array) -> Array:
    """What every piece [i, j) adds, at row i and column j."""
    return np.asarray(sums[None, :] - sums[:, None])
