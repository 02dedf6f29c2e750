"""What a piece is fitted by, and under which noise: a level, a level with a slope, or the drift of a random walk.

With x_t the series and a memory phi, least squares fit in piece k

    levels   x_t - phi x_{t-1} = m_k + e_t
    slopes   x_t - phi x_{t-1} = m_k + b_k t + e_t
    drifts   d_t - phi d_{t-1} = m_k + e_t         with d_t = x_t - x_{t-1}

(Chakar, Lebarbier, Levy-Leduc and Robin, Bernoulli 23, 2017, for levels). The errors of all pieces come
from running sums.

**Places of least squares** are exact by dynamic programming on a grid of steps, then each is moved to its best step.

**Resampling**: how often noise alone gains as much. Between its neighbours a stretch is fitted without the change, by
the memory that fits it best then. The residuals are shuffled and the memory is put back on, which gives stretches
without a change, of the same noise, outliers included. In each of them the best place and the best memory are looked
for again, so what is compared is a maximum with maxima.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.permutation import permutation_p_value

if TYPE_CHECKING:
    from shoal.changes.permutation import Shuffler

Array = np.ndarray[Any, Any]

MEMORIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""The grid of phi."""


class Family(NamedTuple):
    """One of the three."""

    differenced: bool
    """Whether the differences are fitted, so that the noise of the series itself is a random walk."""
    width: int
    """What is fitted to a piece of one coordinate: a level, or a level and a slope."""
    min_size: int
    """The minimum number of steps of a piece."""
    place: int
    """What a place costs in a description, in log n."""


LEVELS = Family(differenced=False, width=1, min_size=3, place=2)
SLOPES = Family(differenced=False, width=2, min_size=5, place=1)
DRIFTS = Family(differenced=True, width=1, min_size=3, place=2)
FAMILIES = (LEVELS, SLOPES, DRIFTS)


def whitened(table: Array, family: Family, phi: float) -> Array:
    """What is left of a series once its memory is taken off; the first step, which has no past, is at the mean.

    Args:
        table: of shape (..., n, d), n at least 2.
        family: whether differences are taken first.
        phi: the memory.
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
            starts: the first steps, of any shape.
            stops: the steps after the last, greater than the first ones.
        """
        lengths = (stops - starts).astype(np.float64)[..., None]
        sums = _between(self.values, starts, stops)
        errors = _between(self.squares, starts, stops) - sums**2 / lengths
        if self.times is not None:
            middles = (starts + stops - 1).astype(np.float64)[..., None] / 2.0
            moved = _between(self.times, starts, stops) - middles * sums
            # L (L^2 - 1) / 12 is the sum of squares of L steps about their middle.
            errors -= np.where(lengths > 1.0, moved**2 * 12.0 / np.maximum(lengths * (lengths**2 - 1.0), 1.0), 0.0)
        # Differences of running sums can fall a little below zero.
        return np.asarray(np.maximum(errors.sum(axis=-1), 0.0))


def sums_of(left: Array, family: Family) -> Sums:
    """The running sums of a whitened series.

    Args:
        left: from `whitened`, of shape (..., n, d).
        family: whether slopes are fitted, which need one more sum.
    """
    steps = np.arange(left.shape[-2], dtype=np.float64)[:, None]
    times = _running(left * steps) if family.width == 2 else None
    return Sums(values=_running(left), squares=_running(left**2), times=times)


def _running(values: Array) -> Array:
    start = np.zeros((*values.shape[:-2], 1, values.shape[-1]))
    return np.concatenate((start, np.cumsum(values, axis=-2)), axis=-2)


def _between(sums: Array, starts: Array, stops: Array) -> Array:
    return np.asarray(sums[..., stops, :] - sums[..., starts, :])


MAX_CHANGES = 15
"""Changes at most."""
GRID = 300
"""Steps that may be places at first; a longer stream is cut into this many parts of one length."""


def grid_of(length: int) -> Array:
    """Where pieces may begin at first, and the end: every step of a short stream."""
    count = min(length, GRID)
    return np.arange(count + 1) * length // count


def best_places(sums: Sums, grid: Array, min_size: int) -> list[tuple[list[int], float]]:
    """For 0, 1, ... changes the places of least squares on a grid and their error.

    Args:
        sums: those of the whitened series.
        grid: from `grid_of`.
        min_size: the minimum number of steps of a piece.
    """
    count = len(grid) - 1
    rows, columns = np.triu_indices(count + 1, 1)
    allowed = np.full((count + 1, count + 1), np.inf)
    allowed[rows, columns] = sums.errors(grid[rows], grid[columns])
    # Read before short pieces are barred: a stream of fewer steps than that is still one piece.
    whole = float(allowed[0, count])
    allowed[grid[None, :] - grid[:, None] < min_size] = np.inf
    reached, steps, here = allowed[0], [], np.arange(count + 1)
    found: list[tuple[list[int], float]] = [([], whole)]
    for _ in range(min(MAX_CHANGES, int(grid[-1]) // min_size - 1)):
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


def refined_places(sums: Sums, places: list[int], length: int, min_size: int) -> list[int]:
    """Places of a grid moved to the best step between their neighbours, twice.

    Args:
        sums: those of the whitened series.
        places: from `best_places`.
        length: the number of steps of the series.
        min_size: the minimum number of steps of a piece.
    """
    edges = [0, *places, length]
    # A grid of every step has exact places already. The second round is for windows that the first one moved.
    for _ in range(2 if length > GRID else 0):
        for number in range(1, len(edges) - 1):
            tried = np.arange(edges[number - 1] + min_size, edges[number + 1] - min_size + 1)
            edges[number] = int(tried[errors_of_splits(sums, edges[number - 1], edges[number + 1], tried).argmin()])
    return edges[1:-1]


def errors_of_splits(sums: Sums, start: int, stop: int, tried: Array) -> Array:
    """The squared error of a window with one change, for each place, of shape (..., places).

    Args:
        sums: those of the whitened series.
        start: the first step of the window.
        stop: the step after its last.
        tried: the places, of shape (places,).
    """
    return sums.errors(np.full_like(tried, start), tried) + sums.errors(tried, np.full_like(tried, stop))


TRIED = 400
"""Places that are tried in a stretch, at most."""
NO_NOISE = 1e-12
"""A squared error below this is taken for this."""
FORGOTTEN = 1e-9
"""A memory that is less than this is none."""


def p_value_of_stretch(
    stretch: Array, family: Family, phi: float, min_size: int, shuffler: Shuffler, *, alpha: float
) -> float:
    """How often noise alone gains as much by one change as a stretch does.

    Args:
        stretch: of shape (n, d).
        family: what is fitted to pieces.
        phi: the memory without the change.
        min_size: the minimum number of steps of a piece.
        shuffler: what orders are drawn from.
        alpha: the level that matters.
    """
    if len(stretch) < 2 * min_size:
        return 1.0
    residuals = _residuals(stretch, family, phi)

    def gain(order: Array) -> float:
        return _gain(_recoloured(residuals[order], family, phi), family, min_size)

    return permutation_p_value(gain, len(stretch), _gain(stretch, family, min_size), shuffler, alpha=alpha)


def _gain(stretch: Array, family: Family, min_size: int) -> float:
    """What the best change of a stretch gains in log-likelihood, twice."""
    length = len(stretch)
    tried = np.unique(np.linspace(min_size, length - min_size, TRIED).astype(np.int64))
    without, with_one = [], []
    for phi in MEMORIES:
        sums = sums_of(whitened(stretch, family, phi), family)
        without.append(float(sums.errors(np.array([0]), np.array([length]))[0]))
        with_one.append(float(errors_of_splits(sums, 0, length, tried).min()))
    return float(stretch.size) * math.log(max(min(without), NO_NOISE) / max(min(with_one), NO_NOISE))


def _residuals(stretch: Array, family: Family, phi: float) -> Array:
    """What is left of a stretch without a change, of the size that noise has before anything is fitted to it."""
    left = whitened(stretch, family, phi)
    count = len(left)
    left = left - left.mean(axis=0)
    if family.width == 2:
        steps = np.arange(count) - (count - 1) / 2.0
        left = left - steps[:, None] * (steps @ left)[None, :] / float(steps @ steps)
    return np.asarray(left * math.sqrt(count / max(count - family.width - 1, 1)))


def _recoloured(noise: Array, family: Family, phi: float) -> Array:
    """Noise of shape (n, d) with the memory put back on.

    1 / (1 - phi B) is the product of 1 + phi^m B^m over m = 1, 2, 4, ...
    """
    series = noise.copy()
    # A start of the stationary variance; the noise alone would make the first steps too quiet.
    series[0] /= math.sqrt(1.0 - phi**2)
    lag, weight = 1, phi
    while weight > FORGOTTEN and lag < len(series):
        series[lag:] += weight * series[:-lag].copy()
        lag, weight = 2 * lag, weight**2
    return np.cumsum(series, axis=0) if family.differenced else series
