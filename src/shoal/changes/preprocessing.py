"""Preprocessing of a series before its changes are sought: differences, seasons subtracted, outliers winsorised.

The engine looks for changes of law. A trend is one at every step, and a season is part of the law; where neither is of
interest, subtract it first. Missing values stay missing.

For least squares (`levels_slopes`), numbers are standardised: gaps bridged, single outliers drawn in, every coordinate
on one scale.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.conversion import is_whole
from shoal.changes.stream import Stream
from shoal.changes.validation import as_stream
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]


def difference(x: Sequence[float] | Array, *, lag: int = 1) -> Array:
    """x_t - x_{t-lag}: a trend becomes a level, and a change of slope a change of level.

    Args:
        x: numbers of shape (n,) or (n, d).
        lag: how far back; the period of a season takes the season off as well.

    Returns:
        The same shape; the first ``lag`` steps are NaN, so that places stay where they are.

    Raises:
        DataError: ``x`` holds no numbers.
        UsageError: the lag is below 1 or the series not longer than it.
    """
    values = _as_given(_numbers(x).from_first, x)
    if not is_whole(lag) or not 1 <= lag < len(values):
        most = len(values) - 1
        raise UsageError(f"lag must be a whole number from 1 to {most}, below the length of the series; got {lag!r}")
    result = np.full_like(values, np.nan)
    with np.errstate(invalid="ignore"):  # two infinities have no difference
        result[lag:] = values[lag:] - values[:-lag]
    return result


def preprocess(stream: Stream, *, lag: int | None = None, period: int | None = None) -> Stream:
    """A stream with its season taken off, then its differences taken, each coordinate named for what it has become.

    Args:
        stream: a stream of numbers.
        lag: that of the differences; None for none.
        period: that of the season; None for none.

    Raises:
        UsageError: the lag or the period does not fit the stream, or it is one of symbols.
    """
    if lag is None and period is None:
        return stream
    if stream.values is None:
        raise UsageError("symbols have neither differences nor a season; give a stream of numbers")
    names = stream.names or ("x",) * stream.values.shape[1]
    values = stream.from_first if period is None else _rounded(stream)
    if period is not None:
        values, names = deseasonalize(values, period), tuple(f"deseason({name}, {period})" for name in names)
    if lag is not None:
        values, names = difference(values, lag=lag), tuple(f"diff({name}, {lag})" for name in names)
    return Stream(values=values, index=stream.index, names=names)


def deseasonalize(x: Sequence[float] | Array, period: int) -> Array:
    """Take the median of each phase of a season off, and put the median of the series back.

    Medians leave a shift of level in the middle of the series where it is; a season that grows with the level should be
    taken off the logarithm.

    Args:
        x: numbers of shape (n,) or (n, d).
        period: steps from one season to the next, such as 12 for months.

    Raises:
        DataError: ``x`` holds no numbers.
        UsageError: the period is below 2, or the series shorter than two of them.
    """
    values = _as_given(_rounded(_numbers(x)), x)
    if not is_whole(period) or not 2 <= period <= len(values) // 2:
        half = len(values) // 2
        raise UsageError(f"period must be a whole number from 2 to half the length ({half}); got {period!r}")
    result = np.empty_like(values)
    with np.errstate(invalid="ignore"):  # nor has an infinity from the median of its phase, where that is infinite too
        for phase in range(period):
            result[phase::period] = values[phase::period] - _median(values[phase::period])
        return np.asarray(result + _median(values))


def robust_ranks(x: Sequence[float] | Array, *, window: int = 7) -> Array:
    """The mid-rank (from 0 to 1) of each value's running median: single outliers vanish, shifts stay sharp.

    The engine ranks values itself, so an outlier never weighs more than one step; this is for streams in which even the
    count of outliers is no news.

    Args:
        x: numbers of shape (n,) or (n, d).
        window: steps of the running median, an odd number; at the ends it is cut short.

    Raises:
        DataError: ``x`` holds no numbers.
        UsageError: the window is even or below 1.
    """
    if not is_whole(window) or window < 1 or window % 2 == 0:
        raise UsageError(f"window must be an odd number from 1, so that the median has a middle; got {window!r}")
    values = _as_given(_numbers(x).compared, x)
    table = values[:, None] if values.ndim == 1 else values
    gaps = np.full((window // 2, table.shape[1]), np.nan)
    padded = np.concatenate([gaps, table, gaps])
    smooth = _median(np.lib.stride_tricks.sliding_window_view(padded, window, axis=0), axis=-1)
    ranks = np.column_stack([_midranks(column) for column in smooth.T])
    return np.where(np.isnan(table), np.nan, ranks).reshape(values.shape)


def _numbers(x: Any) -> Stream:
    """A stream of numbers.

    Raises:
        DataError: ``x`` holds other things.
    """
    stream = as_stream(x)
    if stream.values is None:
        raise DataError("expected numbers, of shape (n,) or (n, d); got symbols")
    return stream


def _rounded(stream: Stream) -> Array:
    """The numbers of a stream as float64.

    Raises:
        DataError: different ones of them would be equal.
    """
    if stream.exact or stream.values is None:
        raise DataError("numbers that float64 cannot distinguish have no season; take a constant off them first")
    return stream.values


def _as_given(values: Array, x: Any) -> Array:
    """Numbers of shape (n,) where they were given so, else (n, d)."""
    return values if values.shape[1] > 1 or np.ndim(x) > 1 else values[:, 0]


def _median(values: Array, axis: int = 0) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a window where all is missing has none
        return np.asarray(np.nanmedian(values, axis=axis))


def _midranks(column: Array) -> Array:
    """Ranks from 0 to 1, equal values sharing the middle of theirs, NaN where a value is NaN."""
    ranks = np.full(len(column), np.nan)
    here = ~np.isnan(column)
    _, places, counts = np.unique(column[here], return_inverse=True, return_counts=True)
    ranks[here] = (np.cumsum(counts) - counts / 2)[places] / max(1, int(here.sum()))
    return ranks


WINDOW = 7
"""Steps of the running median by which outliers are recognised."""
DEVIATIONS = 4.5
"""A value farther from it than this many standard deviations of such distances is drawn in to there."""


def standardized(values: Array) -> Array:
    """Numbers of shape (n, d) with mean 0 and variance 1 in each coordinate, none missing, infinite or far out alone.

    What is missing lies on the line between its neighbours. An outlier is found as by Hampel, from the median of seven
    steps: a shift of level and a kink move that median and stay as they are.

    Args:
        values: the numbers, NaN where one is missing.
    """
    return np.column_stack([_standardised(_without_outliers(_bridged(column))) for column in values.T])


def _bridged(column: Array) -> Array:
    """Finite numbers of at most 1: missing ones bridged, infinite ones as far out as the farthest finite one.

    Where the finite ones are all equal, or there are none, infinite ones are one unit away from them.
    """
    finite = column[np.isfinite(column)]
    if not len(finite) or finite.min() == finite.max():
        column = np.where(np.isinf(column), np.sign(column), np.where(np.isnan(column), np.nan, 0.0))
        finite = np.array([-1.0, 1.0])
    if np.isnan(column).all():
        return np.zeros(len(column))
    # Squares of numbers near the largest float would be infinite.
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
    # 1.4826 times the median absolute deviation is the standard deviation of a normal law.
    spread = 1.4826 * float(np.median(np.abs(middle - medians)))
    # At least half of the values equal their median, and every other one would be an outlier.
    if spread == 0.0:
        return column
    far = DEVIATIONS * spread
    return np.concatenate((column[:half], medians + np.clip(middle - medians, -far, far), column[-half:]))


def _standardised(column: Array) -> Array:
    centred = column - column.mean()
    spread = float(centred.std())
    return centred / spread if spread > 1e-12 else np.zeros(len(column))
