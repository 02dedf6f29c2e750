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
from shoal.changes.noise_models import DRIFTS, MEMORIES, SLOPES, sums_of, whitened
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


def p_value_of_stretch(stretch: Array, family: Family, least: int, shuffler: Shuffler, *, alpha: float) -> float:
    """How often noise alone gains as much by one change as a stretch does.

    Args:
        stretch: Of shape (n, d).
        family: What is fitted to pieces.
        least: The least number of steps of a piece.
        shuffler: What orders are drawn from.
        alpha: The level that matters.
    """
    if len(stretch) < 2 * least:
        return 1.0
    observed, without, phi = _gain(stretch, family, least)
    fitted, residuals = _parts(stretch, without, phi)

    def gain(order: Array) -> float:
        return _gain(_recoloured(fitted, residuals[order], without, phi), family, least)[0]

    return p_value(gain, len(stretch), observed, shuffler, alpha=alpha)


def _gain(stretch: Array, family: Family, least: int) -> tuple[float, Family, float]:
    """What the best change of a stretch saves in a description, and the family and memory of that without one."""
    length = len(stretch)
    tried = np.unique(np.linspace(least, length - least, TRIED).astype(np.int64))
    ends = np.array([0]), np.array([length])
    whole, changed = [], []
    for one in {family, DRIFTS} if family == SLOPES else {family}:
        for phi in MEMORIES:
            sums = sums_of(whitened(stretch, one, phi), one)
            whole.append((_length(stretch, one, phi, float(sums.errors(*ends)[0])), one, phi))
            if one == family:
                error = float(errors_of_splits(sums, 0, length, tried).min())
                changed.append(_length(stretch, one, phi, error))
    shortest, without, phi = min(whole)
    return shortest - min(changed), without, phi


def _length(stretch: Array, family: Family, phi: float, error: float) -> float:
    """The length of a description, but for what a change costs, which is the same for all that are compared."""
    parameters = family.width * stretch.shape[1] + (phi > 0.0) + family.differenced
    return float(stretch.size * math.log(max(error / stretch.size, NO_NOISE)) + parameters * math.log(len(stretch)))


def _parts(stretch: Array, family: Family, phi: float) -> tuple[Array, Array]:
    """A whitened stretch as what is fitted without a change, and what is left, of the size that noise has by itself."""
    left = whitened(stretch, family, phi)
    count = len(left)
    fitted = np.broadcast_to(left.mean(axis=0), left.shape)
    if family.width == 2:
        steps = np.arange(count) - (count - 1) / 2.0
        fitted = fitted + steps[:, None] * (steps @ left)[None, :] / float(steps @ steps)
    return np.asarray(fitted), np.asarray((left - fitted) * math.sqrt(count / max(count - family.width - 1, 1)))


def _recoloured(fitted: Array, noise: Array, family: Family, phi: float) -> Array:
    """A whitened series of shape (n, d) with the memory put back on.

    1 / (1 - phi B) is the product of 1 + phi^m B^m over m = 1, 2, 4, ...
    """
    series = fitted + noise
    series[0] = fitted[0] / (1.0 - phi) + noise[0] / math.sqrt(1.0 - phi**2)
    lag, weight = 1, phi
    while weight > FORGOTTEN and lag < len(series):
        series[lag:] += weight * series[:-lag].copy()
        lag, weight = 2 * lag, weight**2
    return np.cumsum(series, axis=0) if family.differenced else series
