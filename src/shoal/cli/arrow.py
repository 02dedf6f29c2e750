"""Arrow columns as NumPy arrays, by their buffers: pyarrow's own conversions import pandas where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def floats(column: Any) -> Array:
    """A column of numbers or booleans as float64, NaN where one is missing."""
    import pyarrow as pa

    values, here = _buffers(column.cast(pa.float64()), np.float64)
    return np.where(here, values, np.nan) if column.null_count else values


def times(column: Any) -> Array:
    """A column of dates or times as datetime64 in microseconds, NaT where one is missing."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        values, here = _buffers(
            column.cast(pa.int64() if kind.bit_width == 64 else pa.int32()).cast(pa.int64()), np.int64
        )
        stamps = values
    else:
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
    return np.concatenate(values), np.concatenate(here)
