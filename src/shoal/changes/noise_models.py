"""What a piece is fitted by, and under which noise: a level, a level with a slope, or the drift of a random walk.

With x_t the series and a memory phi, least squares fit in piece k

    levels   x_t - phi x_{t-1} = m_k + e_t
    slopes   x_t - phi x_{t-1} = m_k + b_k t + e_t
    drifts   d_t - phi d_{t-1} = m_k + e_t         with d_t = x_t - x_{t-1}

(Chakar, Lebarbier, Levy-Leduc and Robin, Bernoulli 23, 2017, for levels). The errors of all pieces that are asked about
come from running sums.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

MEMORIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""The grid of phi."""


class Family(NamedTuple):
    """One of the three."""

    differenced: bool
    """Whether the differences are fitted, so that the noise of the series itself is a random walk."""
    width: int
    """What is fitted to a piece of one coordinate: a level, or a level and a slope."""
    least: int
    """The least number of steps of a piece."""
    place: int
    """What a place costs in a description, in log n."""


LEVELS = Family(differenced=False, width=1, least=3, place=2)
SLOPES = Family(differenced=False, width=2, least=5, place=1)
DRIFTS = Family(differenced=True, width=1, least=3, place=2)
FAMILIES = (LEVELS, SLOPES, DRIFTS)


def whitened(table: Array, family: Family, phi: float) -> Array:
    """What is left of a series once its memory is taken off; the first step, which has no past, is at the mean.

    Args:
        table: Of shape (..., n, d), n at least 2.
        family: Whether differences are taken first.
        phi: The memory.
    """
    series = table
    if family.differenced:
        series = np.empty_like(table)
        series[..., 1:, :] = table[..., 1:, :] - table[..., :-1, :]
        series[..., 0, :] = series[..., 1:, :].mean(axis=-2)
    if phi == 0.0:
        return series
    left = series.copy()
    left[..., 1:, :] -= phi * series[..., :-1, :]
    left[..., 0, :] = left[..., 1:, :].mean(axis=-2)
    return left


class Sums(NamedTuple):
    """Running sums of a whitened series, of shape (..., n + 1, d)."""

    values: Array
    """Of the values."""
    squares: Array
    """Of their squares."""
    times: Array | None
    """Of the values times their steps, where slopes are fitted."""

    def errors(self, starts: Array, stops: Array) -> Array:
        """The squared errors of the pieces [start, stop), summed over coordinates, of shape (..., *starts.shape).

        Args:
            starts: The first steps, of any shape.
            stops: The steps after the last, greater than the first ones.
        """
        lengths = (stops - starts).astype(np.float64)[..., None]
        sums = _between(self.values, starts, stops)
        errors = _between(self.squares, starts, stops) - sums**2 / lengths
        if self.times is not None:
            middles = (starts + stops - 1).astype(np.float64)[..., None] / 2.0
            moved = _between(self.times, starts, stops) - middles * sums
            errors -= np.where(lengths > 1.0, moved**2 * 12.0 / np.maximum(lengths * (lengths**2 - 1.0), 1.0), 0.0)
        return np.asarray(np.maximum(errors.sum(axis=-1), 0.0))


def sums_of(left: Array, family: Family) -> Sums:
    """The running sums of a whitened series of shape (..., n, d)."""
    steps = np.arange(left.shape[-2], dtype=np.float64)[:, None]
    times = _running(left * steps) if family.width == 2 else None
    return Sums(values=_running(left), squares=_running(left**2), times=times)


def _running(values: Array) -> Array:
    start = np.zeros((*values.shape[:-2], 1, values.shape[-1]))
    return np.concatenate((start, np.cumsum(values, axis=-2)), axis=-2)


def _between(sums: Array, starts: Array, stops: Array) -> Array:
    return np.asarray(sums[..., stops, :] - sums[..., starts, :])
