"""A stream read from a file or a pipe: CSV, TSV, one value a line, JSON lines, or Parquet.

Tables are read by pyarrow, so ten million rows take seconds. A column of dates, or a first column that only counts, is
the index; the numbers beside it are the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.cli.arrow import floats, times
from shoal.cli.layout import NUMBER
from shoal.cli.tables import named, read_table
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.input import Stream


EXACT = 2.0**53
"""Whole numbers below this are exact as floats; a larger one counts nothing."""


def read_stream(source: str, columns: Sequence[str] = ()) -> Stream:
    """Read the stream of a file.

    Args:
        source: A path, or "-" for standard input.
        columns: Names of the columns that are the stream; where there are none, all columns of numbers, or the only
            column of text.

    Raises:
        DataError: The file is binary, empty, or has rows that cannot be read.
        UsageError: A column does not exist, or nobody can say which one is meant.
    """
    from shoal.changes.input import as_stream

    table = read_table(source, columns)
    index, names = _choose(table, columns, source)
    held = [_column(table.column(name), name) for name in names]
    if len(held) == 1:
        stream = as_stream(held[0], index=index)
    else:
        import numpy as np

        texts = [name for name, column in zip(names, held, strict=True) if isinstance(column, list)]
        if texts:
            raise DataError(f"column {texts[0]!r} is no column of numbers; a stream of vectors needs numbers only")
        stream = as_stream(np.column_stack(held), index=index)
    return _with_names(stream, tuple(names))


def _choose(table: Any, columns: Sequence[str], source: str) -> tuple[Any, list[str]]:
    """The index (or None) and the names of the columns that are the stream."""
    import pyarrow as pa

    fields = list(table.schema)
    dated = [field.name for field in fields if pa.types.is_temporal(field.type)]
    unknown = [name for name in columns if name not in table.column_names]
    if unknown:
        raise UsageError(
            f"{named(source)} has no column {unknown[0]!r}; it has {', '.join(map(repr, table.column_names[:20]))}"
        )
    index = dated[0] if dated and dated[0] not in columns else None
    rest = [field for field in fields if field.name not in dated]
    if index is None and len(rest) > 1 and rest[0].name not in columns and _counts(table.column(rest[0].name)):
        index = rest[0].name
    names = list(columns) or [f.name for f in rest if f.name != index and _numeric(f.type)]
    names = names or [field.name for field in rest if field.name != index]
    if not columns and len(names) > 1 and not all(_numeric(table.schema.field(name).type) for name in names):
        raise UsageError(f"{named(source)} has the columns {', '.join(map(repr, names))}; choose one with --column")
    if not names:
        raise DataError(f"{named(source)} has dates alone; a stream needs values beside them")
    return (None if index is None else _labels(table.column(index))), names


def _numeric(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _counts(column: Any) -> bool:
    """Whether a column goes up by the same whole step from row to row, as row numbers and years do."""
    import numpy as np

    if not _numeric(column.type) or column.null_count or len(column) < 2:
        return False
    values = floats(column)
    if not np.all(np.abs(values) < EXACT) or np.any(values != np.round(values)):
        return False
    steps = np.diff(values)
    return bool(steps[0] >= 1 and np.all(steps == steps[0]))


def _labels(column: Any) -> Any:
    """An index as NumPy labels; whole numbers stay whole."""
    return floats(column).astype(int) if _numeric(column.type) else times(column)


def _column(column: Any, name: str) -> Any:
    """A column as an array of numbers, NaN where one is missing, or as a list of symbols."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if _numeric(column.type) or pa.types.is_boolean(column.type):
        return floats(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise DataError(f"column {name!r} holds {column.type}; a stream is made of numbers or text")
    values = column.to_pylist()
    strangers = [
        place for place, value in enumerate(values) if value is not None and not NUMBER.fullmatch(value.strip())
    ]
    if not strangers:
        return np.array([np.nan if value is None else float(value) for value in values])
    if len(strangers) * 2 < len(values) - values.count(None):
        first = strangers[0]
        raise DataError(f"row {first + 1} of column {name!r} is no number: {values[first][:40]!r}")
    return values


def _with_names(stream: Stream, names: tuple[str, ...]) -> Stream:
    from dataclasses import replace

    return replace(stream, names=names)
