"""The order of numbers that float64 cannot tell apart: whole numbers beyond 2^53, long decimals, fractions.

Ranks are all that the engine looks at, so such a column is kept as it came beside its nearest floats, and compared by
dense ranks.
"""

from __future__ import annotations

import math
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.elements import is_missing, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

Array = np.ndarray[Any, Any]

WHOLE = 2**53
"""Whole numbers up to this are exact as float64."""


def beyond_floats(column: Array) -> bool:
    """Whether an array of numbers may hold different values that are one float64."""
    kind, size = column.dtype.kind, column.dtype.itemsize
    if not column.size or size < 8:
        return False
    if kind in "iu":
        return int(column.max()) > WHOLE or int(column.min()) < -WHOLE
    if kind == "f" and size > 8:
        with np.errstate(over="ignore", invalid="ignore"):
            return not np.array_equal(column.astype(np.float64).astype(column.dtype), column, equal_nan=True)
    return False


def collide(elements: Sequence[Any], floats: Array) -> bool:
    """Whether different numbers of a list have become one float64."""
    if all(type(element) in (int, float, bool) for element in elements) and not np.any(np.abs(floats) > WHOLE):
        return False
    here = [element for element in elements if not is_missing(element)]
    return len(set(here)) > len(set(floats[~np.isnan(floats)].tolist()))


def dense_ranks(column: Array) -> Array:
    """The rank of each value among the distinct ones, as float64; NaN where a value is missing."""
    if column.dtype.kind in "iu":
        return np.unique(column, return_inverse=True)[1].astype(np.float64)
    ranks = np.full(len(column), np.nan)
    if column.dtype.kind == "f":
        here = ~np.isnan(column)
        ranks[here] = np.unique(column[here], return_inverse=True)[1]
        return ranks
    keys = {place: _exactly(value) for place, value in enumerate(column.tolist()) if not is_missing(value)}
    rank = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    ranks[list(keys)] = [rank[key] for key in keys.values()]
    return ranks


def distances(column: Array) -> Array:
    """How far each value is from the first known one, taken exactly and then rounded to float64; NaN where missing."""
    from fractions import Fraction

    known = [value for value in column.tolist() if not is_missing(value)]
    start = next((_exactly(value)[1] for value in known if _exactly(value)[0] == 0), Fraction(0))
    return np.array([math.nan if is_missing(value) else _distance(value, start) for value in column.tolist()])


def _distance(element: Any, start: Fraction) -> float:
    outside, exact = _exactly(element)
    return outside * math.inf if outside else number_of(exact - start)


def _exactly(element: Any) -> tuple[int, Fraction]:
    """A number as a key that sorts exactly; infinities lie outside all others."""
    from fractions import Fraction  # few streams need it

    if isinstance(element, Integral):
        return (0, Fraction(int(element)))
    if element in (math.inf, -math.inf):
        return (1 if element > 0 else -1, Fraction(0))
    ratio = getattr(element, "as_integer_ratio", None)
    return (0, Fraction(*ratio()) if ratio else Fraction(number_of(element)))
