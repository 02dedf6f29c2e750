"""Numbers made ready for least squares: gaps bridged, single outliers drawn in, every coordinate on one scale."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

WINDOW = 7
"""Steps of the running median that tells an outlier."""
DEVIATIONS = 4.5
"""A value farther from it than so many standard deviations of such distances is drawn in to there."""


def cleaned(values: Array) -> Array:
    """Numbers of shape (n, d) with mean 0 and variance 1 in each coordinate, none missing, infinite or far out alone.

    What is missing lies on the line between its neighbours. An outlier is told as by Hampel, from the median of seven
    steps: a shift of level and a kink move that median and stay as they are.

    Args:
        values: The numbers, NaN where one is missing.
    """
    return np.column_stack([_standardised(_without_outliers(_bridged(column))) for column in values.T])


def _bridged(column: Array) -> Array:
    """Finite numbers of at most 1: missing ones bridged, infinite ones as far out as the farthest finite one."""
    finite = column[np.isfinite(column)]
    if not len(finite):
        return np.zeros(len(column))
    scale = max(float(np.abs(finite).max()), np.finfo(float).tiny)
    clipped = np.clip(column, finite.min(), finite.max()) / scale
    steps, known = np.arange(len(column)), ~np.isnan(column)
    return np.interp(steps, steps[known], clipped[known])


def _without_outliers(column: Array) -> Array:
    half = WINDOW // 2
    if len(column) < WINDOW:
        return column
    middle = column[half:-half]
    medians = np.median(np.lib.stride_tricks.sliding_window_view(column, WINDOW), axis=1)
    spread = 1.4826 * float(np.median(np.abs(middle - medians)))
    if spread == 0.0:
        return column
    far = DEVIATIONS * spread
    return np.concatenate((column[:half], medians + np.clip(middle - medians, -far, far), column[-half:]))


def _standardised(column: Array) -> Array:
    centred = column - column.mean()
    spread = float(centred.std())
    return centred / spread if spread > 1e-12 else np.zeros(len(column))
