"""A table of a file or a pipe: CSV, TSV, one value a line, JSON lines or an array, or Parquet, read by pyarrow."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from shoal.cli.layout import Layout, layout_of
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = 1 << 16
"""How many bytes are looked at to tell what a file is."""

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "missing", "?")


def read_table(source: str, columns: Sequence[str] = ()) -> Any:
    """Read a whole table.

    Args:
        source: A path, or "-" for standard input.
        columns: Names that are known to be in the header.

    Returns:
        A pyarrow table with one row or more.

    Raises:
        DataError: The file is binary, empty, or has rows that cannot be read.
        UsageError: The source is a folder.
    """
    file = _open(source)
    try:
        table = _table(file, source, columns)
    finally:
        file.close()
    if table.num_rows == 0:
        raise DataError(f"{named(source)} holds no values")
    return table


def _open(source: str) -> BinaryIO:
    """A seekable file of bytes."""
    if source == "-":
        return io.BytesIO(sys.stdin.buffer.read())
    path = Path(source)
    if path.is_dir():
        raise UsageError(f"{source} is a folder; give a file of numbers (CSV, TSV, one a line, JSON lines, Parquet)")
    if path.is_file():
        return path.open("rb")
    return io.BytesIO(path.read_bytes())  # a named pipe, or no file at all, which the system says best


def named(source: str) -> str:
    """How a source is called in a message."""
    return "standard input" if source == "-" else source


def _table(file: BinaryIO, source: str, columns: Sequence[str]) -> Any:
    """The whole file as a pyarrow table."""
    import pyarrow as pa

    head = file.read(HEAD)
    file.seek(0)
    try:
        if head.startswith(b"PAR1"):
            from pyarrow import parquet

            return parquet.ParquetFile(file).read()
        if _CONTROL.search(head):
            raise DataError(f"{named(source)} is binary; give text (CSV, TSV, one value a line, JSON lines) or Parquet")
        if not head.strip():
            raise DataError(f"{named(source)} is empty")
        if head.lstrip().startswith(b"{"):
            from pyarrow import json

            return json.read_json(file)
        if head.lstrip().startswith(b"["):
            return _listed(file)
        return _text_table(file, layout_of(head, columns))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowCapacityError, OSError) as fault:
        if isinstance(fault, OSError) and fault.errno:
            raise
        raise DataError(
            f"{named(source)} cannot be read: {(str(fault).splitlines() or ['it is broken'])[0]}"
        ) from fault


def _listed(file: BinaryIO) -> Any:
    """The rows of a JSON array: values, or objects with the same names."""
    import json

    import pyarrow as pa
    import pyarrow.json

    try:
        rows = json.load(file)
    except (ValueError, RecursionError) as fault:
        raise pa.ArrowInvalid(f"no JSON array: {fault}") from fault
    lines = (json.dumps(row if isinstance(row, dict) else {"value": row}) for row in rows)
    return pyarrow.json.read_json(io.BytesIO("\n".join(lines).encode()))


def _text_table(file: BinaryIO, layout: Layout) -> Any:
    """The rows of a text table: numbers as floats, dates as dates, and the rest as text."""
    import pyarrow as pa
    from pyarrow import csv

    read = csv.ReadOptions(column_names=layout.header, skip_rows=layout.skip, encoding=layout.encoding)
    parse = csv.ParseOptions(delimiter=layout.delimiter)

    def options(types: dict[str, Any] | None) -> Any:
        return csv.ConvertOptions(
            column_types=types,
            null_values=list(_MISSING),
            strings_can_be_null=True,
            decimal_point=layout.decimal,
            timestamp_parsers=[csv.ISO8601, "%Y/%m/%d", "%Y-%m", "%Y/%m"],
        )

    # What the first rows say of a column does not bind the others: whole numbers are read as floats, and where a later
    # row is no number at all, everything is read as text and the row is found.
    start = csv.read_csv(io.BytesIO(_first_lines(file)), read, parse, options(None))
    types = {field.name: pa.float64() for field in start.schema if pa.types.is_integer(field.type)}
    nulls = {field.name: pa.string() for field in start.schema if pa.types.is_null(field.type)}
    file.seek(0)
    try:
        return csv.read_csv(file, read, parse, options(types | nulls))
    except pa.ArrowInvalid as fault:
        if "conversion error" not in str(fault):
            raise
        file.seek(0)
        return csv.read_csv(file, read, parse, options(dict.fromkeys(layout.header, pa.string())))


def _first_lines(file: BinaryIO) -> bytes:
    """The whole lines at the start of a file; the file is left at its start."""
    head = file.read(HEAD)
    more = file.read(1)
    file.seek(0)
    return head[: head.rfind(b"\n") + 1] or head if more else head
