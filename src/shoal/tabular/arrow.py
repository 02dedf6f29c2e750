"""Arrow columns as NumPy arrays, by their buffers: pyarrow's own conversions import pandas where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

WHOLE = 2**53
"""Whole numbers up to this are exact as float64."""
DIGITS = 15
"""Decimals of so many digits are told apart by float64."""


def numbers(column: Any) -> Any:
    """A column of numbers as float64, NaN where one is missing; where floats would round, as it is, exactly."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_duration(kind):
        column = column.cast(pa.int64())
    if pa.types.is_decimal(kind) and kind.precision > DIGITS:
        return column.to_pylist()
    if not pa.types.is_integer(column.type) or column.type.bit_width < 64 or len(column) == column.null_count:
        return floats(column)
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    if max(-ends["min"], ends["max"]) <= WHOLE:
        return floats(column)
    if column.null_count:
        return column.to_pylist()
    return _buffers(column, np.uint64 if pa.types.is_unsigned_integer(column.type) else np.int64)[0]


def floats(column: Any) -> Array:
    """A column of numbers or booleans as float64, NaN where one is missing."""
    import pyarrow as pa

    values, here = _buffers(column.cast(pa.float64(), safe=False), np.float64)
    return np.where(here, values, np.nan) if column.null_count else values


def times(column: Any) -> Array:
    """A column of dates or timestamps as datetime64 in microseconds, NaT where one is missing."""
    import pyarrow as pa

    stamps, here = _buffers(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), np.int64)
    stamps = stamps.view("datetime64[us]")
    return np.where(here, stamps, np.datetime64("NaT")) if column.null_count else stamps


def _buffers(column: Any, kind: type) -> tuple[Array, Array]:
    """The values of all chunks, and which of them are there."""
    values: list[Array] = []
    here: list[Array] = []
    for chunk in column.chunks:
        valid, data = chunk.buffers()
        span = slice(chunk.offset, chunk.offset + len(chunk))
        values.append(np.frombuffer(data, dtype=kind)[span])
        bits = None if valid is None else np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")[span]
        here.append(np.ones(len(chunk), dtype=bool) if bits is None else bits.astype(bool))
    if not values:
        return np.empty(0, dtype=kind), np.empty(0, dtype=bool)
    return np.concatenate(values), np.concatenate(here)
