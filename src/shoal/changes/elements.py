"""Single values of a stream that is not an array of numbers: missing, a number, or a symbol."""

from __future__ import annotations

import math
from numbers import Complex, Number, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

MISSING = "missing"
"""How the symbol of a missing value is written."""


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    if type(value).__name__ == "Decimal":
        return bool(value.is_nan())
    return isinstance(value, (float, np.floating)) and value != value


def are_numbers(elements: Sequence[Any]) -> bool:
    """Whether all elements are real numbers or missing; a few numbers among symbols are a fault.

    Raises:
        DataError: Numbers and other things are mixed.
    """
    kinds = {type(element): element for element in elements if not is_missing(element)}
    numeric = {kind: _is_real(kind) for kind in kinds}
    if len(set(numeric.values())) > 1:
        some = [str(kinds[kind])[:40] for kind in sorted(numeric, key=lambda kind: not numeric[kind])]
        raise DataError(
            f"the stream mixes numbers ({some[0]!r}) with other things ({some[-1]!r}); "
            "make them all numbers, or give kind='symbols'"
        )
    return all(numeric.values())


def numbers_of(elements: Sequence[Any]) -> Array:
    """Real numbers as float64, NaN where one is missing; integers beyond the floats are infinite."""
    return np.array([math.nan if is_missing(element) else number_of(element) for element in elements])


def symbols_of(elements: Any) -> tuple[Array, tuple[str, ...]]:
    """Codes in the order of first appearance (sorted for arrays of numbers), and how each symbol is written.

    Raises:
        DataError: An element cannot be a symbol because it is not hashable.
    """
    if isinstance(elements, np.ndarray) and elements.dtype.kind in "biuf":
        distinct, ranks = np.unique(elements, return_inverse=True)
        return ranks.astype(np.int64), tuple(MISSING if is_missing(value) else str(value) for value in distinct)
    known: dict[Any, int] = {}
    try:
        codes = [known.setdefault(None if is_missing(element) else element, len(known)) for element in elements]
    except TypeError as fault:
        raise DataError(f"{fault}: symbols are hashable values such as strings, numbers or tuples") from fault
    return np.array(codes, dtype=np.int64), tuple(MISSING if symbol is None else str(symbol) for symbol in known)


def _is_real(kind: type) -> bool:
    """Whether values of a type are real numbers; those of `decimal` only say that they are numbers."""
    return issubclass(kind, Number) and (issubclass(kind, Real) or not issubclass(kind, Complex))


def number_of(element: Any) -> float:
    """The float64 next to a real number; infinite beyond the floats."""
    try:
        return float(element)
    except OverflowError:
        return math.inf if element > 0 else -math.inf
