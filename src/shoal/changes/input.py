"""The door of change points: whatever a person has, as a `Stream` of numbers or symbols, or one clear line.

Missing values (NaN, None, NaT) stay: among numbers they are a symbol of their own, and so they are among symbols.
Infinities are ordinary extreme values, since the engine looks at ranks. pandas is never imported; a Series or a
DataFrame is known by its shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.changes.elements import are_numbers, is_missing, numbers_of, symbols_of
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["numbers", "symbols"]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A validated stream: numbers or symbols, never both."""

    values: Array | None = None
    """Numbers, float64 of shape (n, d), NaN where a value is missing; None for symbols."""
    symbols: Array | None = None
    """Codes 0..k-1 of symbols, int64 of shape (n,); None for numbers."""
    alphabet: tuple[str, ...] = ()
    """How the symbol of each code is written."""
    index: Array | None = None
    """Labels of the n steps in order, such as dates; None where steps are counted from 0."""
    names: tuple[str, ...] = ()
    """The name of each coordinate."""

    @property
    def length(self) -> int:
        """The number n of steps."""
        held = self.values if self.symbols is None else self.symbols
        return 0 if held is None else len(held)


def as_stream(x: Any, *, kind: Kind | None = None, index: Any = None) -> Stream:
    """Read numbers, vectors or symbols in order.

    Args:
        x: A one-dimensional sequence or array of numbers, an (n, d) array, a sequence of hashable symbols, a string
            (its characters), a pandas Series or DataFrame (its index names the steps), a `Stream` (returned as it is).
        kind: "numbers" or "symbols"; where it is None, numbers are numbers and everything else is symbols.
        index: Labels of the steps in order, where ``x`` does not bring its own.

    Raises:
        DataError: ``x`` is empty, has no order or more than two dimensions, its rows differ in length, it mixes numbers
            with other things, or its index is not sorted.
        UsageError: ``kind`` is not known.
    """
    if isinstance(x, Stream):
        return x
    if kind not in (None, "numbers", "symbols"):
        raise UsageError(f"kind is 'numbers' or 'symbols'; got {kind!r}")
    framed = hasattr(x, "iloc") and hasattr(x, "index")
    labels = index if index is not None or not framed else _own_index(x.index)
    values, symbols, alphabet, names = _frame(x, kind) if framed else _plain(x, kind)
    length = len(values) if values is not None else len(symbols)
    return Stream(values=values, symbols=symbols, alphabet=alphabet, index=_checked_index(labels, length), names=names)


def _plain(x: Any, kind: Kind | None) -> tuple[Array | None, Any, tuple[str, ...], tuple[str, ...]]:
    """Values, symbols, alphabet and names of what is not a frame."""
    held = _elements(x)
    if len(held) == 0:
        raise DataError("the stream is empty; give at least one value")
    if isinstance(held, np.ndarray) and held.dtype.kind in "biuf":
        if kind == "symbols":
            _refuse_other_shapes(held, 1)
            return (None, *symbols_of(held), ())
        return _matrix(held), None, (), ()
    listed: Sequence[Any] = held.tolist() if isinstance(held, np.ndarray) else held
    if kind == "symbols" or not are_numbers(listed):
        if kind == "numbers":
            stranger = next(value for value in listed if not are_numbers([value]))
            raise DataError(
                f"expected numbers; got {str(stranger)[:40]!r}; give kind='symbols' to take values as symbols"
            )
        return (None, *symbols_of(listed), ())
    return numbers_of(listed)[:, None], None, (), ()


def _elements(x: Any) -> Any:
    """An array of numbers where ``x`` is one, else its elements in order."""
    if isinstance(x, str):
        return list(x)
    if isinstance(x, (bytes, bytearray)):
        return [f"0x{byte:02x}" for byte in x]
    if isinstance(x, (dict, set, frozenset)) or not hasattr(x, "__iter__"):
        raise DataError(f"a stream is an ordered sequence of numbers or symbols; got {type(x).__name__}")
    listed: Any = x if hasattr(x, "__len__") else list(x)
    if hasattr(listed, "filled") and hasattr(listed, "mask"):  # a masked array; numpy.ma is slow to import
        listed = listed.astype(float).filled(np.nan)
    try:
        array = np.asarray(listed)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        array = None
    if array is None:
        return _unequal_rows(listed)
    if array.ndim == 0:
        raise DataError(f"a stream is an ordered sequence of numbers or symbols; got one {type(x).__name__}")
    if array.dtype.kind in "cmMV":
        raise DataError(f"values of type {array.dtype} are neither numbers nor symbols; dates belong into the index")
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "O" and array.ndim == 2 and are_numbers(array.ravel().tolist()):
        return numbers_of(array.ravel().tolist()).reshape(array.shape)
    # NumPy turns 1 and "a" into "1" and "a", and tuples into rows; the elements themselves say what they are.
    return array if isinstance(listed, np.ndarray) and array.ndim == 1 else list(listed)


def _unequal_rows(listed: Any) -> list[Any]:
    """The elements of what is no array: symbols of unlike shapes, or rows that differ in length."""
    elements = list(listed)
    if any(isinstance(element, (list, np.ndarray)) for element in elements):
        raise DataError("the rows of the stream differ in length or kind; give a table of numbers of shape (n, d)")
    return elements


def _matrix(array: Array) -> Array:
    """Numbers as float64 of shape (n, d)."""
    _refuse_other_shapes(array, 2)
    table = array[:, None] if array.ndim == 1 else array
    return np.ascontiguousarray(table, dtype=np.float64)


def _refuse_other_shapes(array: Array, most: int) -> None:
    if array.ndim > most or 0 in array.shape:
        expected = "(n,) or (n, d)" if most == 2 else "(n,)"
        raise DataError(f"expected an array of shape {expected} with at least one value; got shape {array.shape}")


def _frame(x: Any, kind: Kind | None) -> tuple[Array | None, Any, tuple[str, ...], tuple[str, ...]]:
    """Values, symbols, alphabet and names of a pandas Series or DataFrame."""
    if not hasattr(x, "columns"):
        name = () if x.name is None else (str(x.name),)
        held = x.to_numpy()
        if str(x.dtype) == "category":
            return (*_plain(held.astype(object), "symbols")[:3], name)
        return (*_plain(held, kind)[:3], name)
    if kind == "symbols" and x.shape[1] != 1:
        raise DataError(f"symbols come from one column; the frame has {x.shape[1]}")
    if 0 in x.shape:
        raise DataError(f"the stream is empty: a frame of shape {x.shape}")
    if x.shape[1] == 1:
        return _frame(x.iloc[:, 0], kind)
    columns = []
    for place, name in enumerate(x.columns):
        values, _, _, _ = _frame(x.iloc[:, place], None)
        if values is None:
            raise DataError(f"column {str(name)!r} does not hold numbers; choose columns of numbers, or one of symbols")
        columns.append(values)
    return np.hstack(columns), None, (), tuple(map(str, x.columns))


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
