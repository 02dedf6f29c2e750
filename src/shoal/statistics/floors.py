"""Power laws above a floor, ``y = floor + factor * x ** -exponent``, fitted to many rows of values at once.

For each exponent of a grid the floor and the factor follow in closed form by weighted least squares on relative errors,
neither below 0, and the best exponent is taken.

Shapes: N points, R rows of values that are fitted one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Losses of language models fall with exponents between .03 and .6, those of ensembles with about 1; the grid ends far
# outside.
EXPONENTS = np.geomspace(0.01, 4.0, 400)
# Keeps divisions finite where a determinant is 0, and is far below any that counts.
_TINY = 1e-12


class FloorFits(NamedTuple):
    """A fit for each row."""

    exponents_R: Floats
    floors_R: Floats
    factors_R: Floats


def fit_floors(sizes_N: Floats, values_RN: Floats, *, exponents: Sequence[float] | Floats = EXPONENTS) -> FloorFits:
    """Exponent, floor and factor of each row: the best of all exponents of a grid.

    Args:
        sizes_N: above 0, at least two different ones.
        values_RN: above 0.
        exponents: that are tried; a single one is given and not fitted.

    Raises:
        UsageError: sizes or values that are not above 0, or a single size.
    """
    if not (np.isfinite(sizes_N).all() and np.isfinite(values_RN).all() and sizes_N.min() > 0 and values_RN.min() > 0):
        raise UsageError("a power law needs finite sizes and values above 0")
    if len(np.unique(sizes_N)) < 2:
        raise UsageError("a power law needs at least two different sizes")
    rows = len(values_RN)
    best_R, exponents_R, floors_R, factors_R = np.full(rows, np.inf), np.empty(rows), np.empty(rows), np.empty(rows)
    # Sizes around 1: powers of parameter counts would bring the determinant below `_TINY`.
    scale = float(np.exp(np.log(sizes_N).mean()))
    # Values of 1 on average, for the same reason: a floor of perplexities is as much one as a floor of bits.
    level_R = np.exp(np.log(values_RN).mean(axis=1))
    values_RN = values_RN / level_R[:, None]
    weights_RN = 1 / values_RN**2
    for exponent in exponents:
        powers_N = (sizes_N / scale) ** -exponent
        floor_R, factor_R = _floor_and_factor(powers_N, values_RN, weights_RN)
        fitted_RN = floor_R[:, None] + factor_R[:, None] * powers_N
        errors_R = (weights_RN * (values_RN - fitted_RN) ** 2).sum(axis=1)
        better_R = errors_R < best_R
        best_R[better_R], exponents_R[better_R] = errors_R[better_R], exponent
        floors_R[better_R], factors_R[better_R] = floor_R[better_R], (factor_R * scale**exponent)[better_R]
    return FloorFits(exponents_R, floors_R * level_R, factors_R * level_R)


def _floor_and_factor(powers_N: Floats, values_RN: Floats, weights_RN: Floats) -> tuple[Floats, Floats]:
    """Weighted least squares of values on a constant and the powers, neither below 0."""
    whole_R, once_R = weights_RN.sum(axis=1), weights_RN @ powers_N
    twice_R = weights_RN @ powers_N**2
    constant_R, crossed_R = (weights_RN * values_RN).sum(axis=1), (weights_RN * values_RN) @ powers_N
    factor_R = (whole_R * crossed_R - once_R * constant_R) / np.maximum(whole_R * twice_R - once_R**2, _TINY)
    factor_R = np.maximum(factor_R, 0)
    floor_R = (constant_R - once_R * factor_R) / whole_R
    # At the border of what is allowed the best factor is that of the fit without a floor.
    below_R = floor_R < 0
    return np.where(below_R, 0, floor_R), np.where(below_R, crossed_R / twice_R, factor_R)
