"""How often noise alone gains as much by a change of level or slope: its residuals in random order, put together again.

Between its neighbours a stretch is fitted without the change, by the memory that fits it best then. The residuals are
shuffled and the memory is put back on, which gives stretches without a change, of the same noise, outliers included. In
each of them the best place and the best memory are looked for again, so what is compared is a maximum with maxima.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.least_squares import errors_of_splits
from shoal.changes.noise_models import MEMORIES, sums_of, whitened
from shoal.changes.permuting import p_value

if TYPE_CHECKING:
    from shoal.changes.noise_models import Family
    from shoal.changes.shuffling import Shuffler

Array = np.ndarray[Any, Any]

TRIED = 400
"""Places that are tried in a stretch, at most."""
NO_NOISE = 1e-12
"""A squared error below this is taken for this."""
FORGOTTEN = 1e-9
"""A memory that is less than this is none."""


def p_value_of_stretch(
    stretch: Array, family: Family, phi: float, least: int, shuffler: Shuffler, *, alpha: float
) -> float:
    """How often noise alone gains as much by one change as a stretch does.

    Args:
        stretch: Of shape (n, d).
        family: What is fitted to pieces.
        phi: The memory without the change.
        least: The least number of steps of a piece.
        shuffler: What orders are drawn from.
        alpha: The level that matters.
    """
    if len(stretch) < 2 * least:
        return 1.0
    residuals = _residuals(stretch, family, phi)

    def gain(order: Array) -> float:
        return _gain(_recoloured(residuals[order], family, phi), family, least)

    return p_value(gain, len(stretch), _gain(stretch, family, least), shuffler, alpha=alpha)


def _gain(stretch: Array, family: Family, least: int) -> float:
    """What the best change of a stretch gains in log-likelihood, twice."""
    length = len(stretch)
    tried = np.unique(np.linspace(least, length - least, TRIED).astype(np.int64))
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
    series[0] /= math.sqrt(1.0 - phi**2)
    lag, weight = 1, phi
    while weight > FORGOTTEN and lag < len(series):
        series[lag:] += weight * series[:-lag].copy()
        lag, weight = 2 * lag, weight**2
    return np.cumsum(series, axis=0) if family.differenced else series
