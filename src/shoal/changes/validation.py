"""The input of change points: whatever a person has, as a `Stream` of numbers or symbols, or one clear error.

Missing values (NaN, None, NaT) stay: among numbers they are a symbol of their own, and so they are among symbols.
Infinities are ordinary extreme values, since the engine looks at ranks. No library of arrays or frames is imported; a
tensor, a Series or a table is known by its shape.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.changes.conversion import (
    WHOLE,
    are_numbers,
    as_numpy,
    beyond_floats,
    collide,
    is_foreign,
    is_missing,
    numbers_of,
    symbols_of,
    with_numbers,
)
from shoal.changes.stream import Stream, exact_if_any, joined
from shoal.errors import DataError, UsageError
from shoal.statistics import check_alpha, check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["numbers", "symbols"]
Array = np.ndarray[Any, Any]

MANY = 50
"""A stream of at least this many symbols must have some of them more than once."""
DIFFERENT = 0.8
"""Where there are more different symbols than this share of the steps, most stand once and nothing can be counted."""


def as_stream(x: Any, *, kind: Kind | None = None, index: Any = None) -> Stream:
    """Read numbers, vectors or symbols in order.

    Args:
        x: a one-dimensional sequence or array of numbers, an (n, d) array, a sequence of hashable symbols, a string
            (its characters), a tensor or column of another library, a pandas Series or DataFrame (its index names the
            steps), a table of Arrow or polars, a `Stream` (returned as it is).
        kind: "numbers" or "symbols"; where it is None, numbers are numbers and everything else is symbols.
        index: labels of the steps in order, where ``x`` does not bring its own.

    Raises:
        DataError: ``x`` is empty, has no order or more than two dimensions, its rows differ in length, it mixes numbers
            with other things, nearly all of its symbols differ, it is made of dates, or its index is not sorted.
        UsageError: ``kind`` is not known.
    """
    if isinstance(x, Stream):
        return x
    if kind not in (None, "numbers", "symbols"):
        raise UsageError(f"kind is 'numbers' or 'symbols'; got {kind!r}")
    framed = hasattr(x, "iloc") and hasattr(x, "index")
    labels = index if index is not None or not framed else _own_index(x.index)
    stream = _of_table(x, kind, framed=framed)
    return replace(stream, index=_checked_index(labels, stream.length))


def check_settings(
    *, min_distance: Any, process_count: Any = None, alpha: Any = 0.05, confidence: Any = 0.95, seed: Any = 0
) -> None:
    """Check the settings of a search.

    Args:
        min_distance: the smallest share of the stream between two changes, and between a change and an end.
        process_count: how many distinct processes the pieces come from, or None.
        alpha: how often the tests may find a change where there is none.
        confidence: how often a confidence set holds its change.
        seed: the seed of the permutations.

    Raises:
        UsageError: ``min_distance`` is not inside (0, 1), ``alpha`` not above 0 and at most 0.5, ``confidence`` not at
            least 0.5 and below 1, ``process_count`` is no whole number from 1, or ``seed`` is no whole number.
    """
    if not _is_number(min_distance) or not 0.0 < min_distance < 1.0:
        raise UsageError(f"min_distance is a share of the stream, between 0 and 1 (such as 0.05); got {min_distance!r}")
    check_alpha(alpha)
    check_confidence(confidence)
    if process_count is not None and (not isinstance(process_count, Integral) or process_count < 1):
        raise UsageError(f"process_count is a whole number from 1, or None to have it chosen; got {process_count!r}")
    if not isinstance(seed, Integral):
        raise UsageError(f"seed is a whole number (such as 0); got {seed!r}")


def _of_table(x: Any, kind: Kind | None, *, framed: bool) -> Stream:
    """The stream of a table, of a pandas Series, or of anything else."""
    columns = _columns_of(x)
    if columns is not None:
        return _of_columns(columns, kind)
    return _of_series(x, kind) if framed else _plain(x, kind)


def _plain(x: Any, kind: Kind | None) -> Stream:
    """The stream of what is not a frame."""
    held = _elements(x)
    if len(held) == 0:
        raise DataError("the stream is empty; give at least one value")
    if isinstance(held, np.ndarray) and held.dtype.kind in "biuf":
        _refuse_other_shapes(held, 1 if kind == "symbols" else 2)
        return _symbols(held) if kind == "symbols" else _numbers(held)
    if isinstance(held, np.ndarray) and held.ndim == 2 and held.dtype.kind == "O" and kind != "symbols":
        return joined([_listed_numbers(column.tolist()) for column in held.T])
    listed: Sequence[Any] = held.tolist() if isinstance(held, np.ndarray) else held
    if kind == "symbols" or not are_numbers(listed):
        if kind == "numbers":
            stranger = next(value for value in listed if not are_numbers([value]))
            raise DataError(
                f"expected numbers; got {str(stranger)[:40]!r}; give kind='symbols' to take values as symbols"
            )
        return _symbols(listed)
    return _listed_numbers(listed)


def _numbers(array: Array) -> Stream:
    """An array of numbers of one or two dimensions."""
    table = array[:, None] if array.ndim == 1 else array
    exact = [column if beyond_floats(column) else None for column in table.T]
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(table, dtype=np.float64)
    return Stream(values=values, exact=exact_if_any(exact))


def _listed_numbers(elements: Sequence[Any]) -> Stream:
    """A list of real numbers of any type, some of them missing."""
    floats = numbers_of(elements)
    exact = np.array(elements, dtype=object) if collide(elements, floats) else None
    return Stream(values=floats[:, None], exact=exact_if_any([exact]))


def _symbols(elements: Any) -> Stream:
    """Symbols, refused where nearly all of them differ: words that stand once can be counted nowhere."""
    codes, alphabet = symbols_of(elements)
    if len(codes) >= MANY and len(alphabet) > DIFFERENT * len(codes):
        raise DataError(
            f"{len(alphabet)} of the {len(codes)} symbols differ ({alphabet[0][:40]!r}, {alphabet[1][:40]!r}, ...), so "
            "no change can be seen in them; give numbers as numbers, or symbols that come again"
        )
    return Stream(symbols=codes, alphabet=alphabet)


def _elements(x: Any) -> Any:
    """An array of numbers where ``x`` is one, else its elements in order."""
    if isinstance(x, str):
        return list(x)
    if isinstance(x, (bytes, bytearray)):
        return [f"0x{byte:02x}" for byte in x]
    if hasattr(x, "filled") and hasattr(x, "mask"):  # a masked array; numpy.ma is slow to import
        x = x.filled(np.nan) if x.dtype.kind == "f" else np.where(x.mask, None, x.data)
    if is_foreign(type(x)):
        x = as_numpy(x)
    if isinstance(x, (dict, set, frozenset)) or not hasattr(x, "__iter__"):
        raise DataError(f"a stream is an ordered sequence of numbers or symbols; got {type(x).__name__}")
    listed: Any = x if hasattr(x, "__len__") else list(x)
    if isinstance(listed, np.ndarray) and listed.dtype.kind != "O":
        return _array_or_elements(listed)
    foreign = {kind for kind in map(type, listed) if is_foreign(kind)}
    if foreign:
        listed = [_scalar(as_numpy(each)) if type(each) in foreign else each for each in listed]
    return _array_or_elements(listed)


def _scalar(array: Any) -> Any:
    """The number of an array without dimensions; other arrays stay."""
    return array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array


def _array_or_elements(listed: Any) -> Any:
    """An array where NumPy can hold the elements without loss, else the elements."""
    try:
        array = with_numbers(np.asarray(listed))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return _unequal_rows(listed)
    if array.ndim == 0:
        raise DataError(f"a stream is an ordered sequence of numbers or symbols; got the single value {array!s:.40}")
    if array.dtype.kind in "cmMV" or (date := _date_kind(array)):
        kind = array.dtype if array.dtype.kind in "cmMV" else date
        raise DataError(f"values of type {kind} are neither numbers nor symbols; dates belong into the index")
    if array.dtype.kind in "biuf" and not _is_rounded(listed, array):
        return array
    if array.ndim == 2 and array.dtype.kind in "fO":
        table = np.array(listed, dtype=object)
        if are_numbers(table.ravel().tolist()):
            return table
    # NumPy turns 1 and "a" into "1" and "a", and tuples into rows; the elements themselves show what they are.
    return array if isinstance(listed, np.ndarray) and array.ndim == 1 else list(listed)


def _is_rounded(listed: Any, array: Array) -> bool:
    """Whether NumPy may have rounded whole numbers of a list to make floats of them."""
    return not isinstance(listed, np.ndarray) and array.dtype.kind == "f" and bool(np.any(np.abs(array) > WHOLE))


def _date_kind(array: Array) -> str:
    """The type of the first known element of an array of objects where it is a date, a time or a duration."""
    if array.dtype.kind != "O":
        return ""
    first = next((element for element in array.flat if not is_missing(element)), None)
    return type(first).__name__ if isinstance(first, (datetime.date, datetime.time, datetime.timedelta)) else ""


def _unequal_rows(listed: Any) -> list[Any]:
    """The elements of what is no array: symbols of unlike shapes, or rows that differ in length."""
    elements = list(listed)
    if any(isinstance(element, (list, np.ndarray)) for element in elements):
        raise DataError("the rows of the stream differ in length or kind; give a table of numbers of shape (n, d)")
    return elements


def _refuse_other_shapes(array: Array, most: int) -> None:
    if array.ndim > most or 0 in array.shape:
        expected = "(n,) or (n, d)" if most == 2 else "(n,)"
        raise DataError(f"expected an array of shape {expected} with at least one value; got shape {array.shape}")


def _columns_of(x: Any) -> list[tuple[str, Any]] | None:
    """The names and the columns of a table of pandas, Arrow or polars; None where ``x`` is no table."""
    if hasattr(x, "iloc") and hasattr(x, "columns"):
        return [(str(name), x.iloc[:, place]) for place, name in enumerate(x.columns)]
    if hasattr(x, "column_names") and hasattr(x, "columns"):
        return list(zip(x.column_names, x.columns, strict=True))
    if hasattr(x, "get_columns"):
        return [(column.name, column) for column in x.get_columns()]
    return None


def _of_columns(columns: Sequence[tuple[str, Any]], kind: Kind | None) -> Stream:
    """The stream of a table: one column of anything, or several of numbers."""
    if not columns or not len(columns[0][1]):
        raise DataError(f"the stream is empty: a frame of {len(columns)} columns without a row")
    if kind == "symbols" and len(columns) != 1:
        raise DataError(f"symbols come from one column; the frame has {len(columns)}")
    read = [_of_series(column, kind, name) for name, column in columns]
    for (name, _), stream in zip(columns, read, strict=True):
        if stream.values is None and len(columns) > 1:
            raise DataError(f"column {name!r} does not hold numbers; choose columns of numbers, or one of symbols")
    return joined(read, [name for name, _ in columns]) if len(columns) > 1 else read[0]


def _of_series(x: Any, kind: Kind | None, name: str | None = None) -> Stream:
    """One column of a table or a pandas Series; categories are symbols."""
    named = getattr(x, "name", None) if name is None else name
    names = () if named is None else (str(named),)
    held = _of_pandas(x) if hasattr(x, "iloc") else x
    try:
        if str(getattr(x, "dtype", "")) == "category":
            return replace(_plain(held.astype(object), "symbols"), names=names)
        return replace(_plain(held, kind), names=names)
    except DataError as fault:
        raise DataError(f"column {names[0]!r}: {fault}" if names else str(fault)) from fault


def _of_pandas(x: Any) -> Array:
    """The values of a pandas Series; pandas itself would round whole numbers where some are missing."""
    extended = not isinstance(x.dtype, np.dtype) and bool(x.isna().any())
    return np.asarray(x.to_numpy(dtype=object) if extended else x.to_numpy())


def _own_index(index: Any) -> Array | None:
    """The index of a frame, or None where it only counts from 0."""
    counted = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    return None if counted else index.to_numpy()


def _checked_index(labels: Any, length: int) -> Array | None:
    """Labels as an array, refused where they are not sorted."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (length,):
        raise DataError(f"the index has shape {array.shape}; the stream has {length} steps")
    missing = [is_missing(label) for label in array] if array.dtype.kind in "fmMO" else []
    if any(missing):
        raise DataError(f"the index has no label at step {missing.index(True)}; give each step its label")
    try:
        rises = array[:-1] <= array[1:]
    except TypeError as fault:
        raise DataError(f"the labels of the index cannot be put in order ({fault}); give labels of one kind") from fault
    if not np.all(rises):
        place = int(np.argmin(rises)) + 1
        raise DataError(
            f"the index is not sorted: {array[place]} at step {place} follows {array[place - 1]}; "
            "sort the stream by its index first"
        )
    return array


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)
