"""A table of a file or a pipe: CSV, TSV, columns of blanks, one value a line, JSON or Parquet."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError
from shoal.tabular.delimited import read_delimited
from shoal.tabular.table import Table
from shoal.tabular.values import WHOLE
from shoal.textfiles import decode_text, open_bytes, read_standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

# Bytes that no text table holds; tabs, line ends and form feeds are allowed.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_HEAD = 1 << 16


def read_table(source: str, *, columns: Sequence[str] = (), header: bool | None = None) -> Table:
    """Read a whole table.

    Args:
        source: A path, or "-" for standard input.
        columns: Names that are known to be in the header.
        header: Whether the first line of a text table names the columns; where it is None, its cells say so.

    Raises:
        DataError: The file is binary, empty, or has rows that cannot be read.
        UsageError: The source is a folder.
    """
    import pyarrow as pa

    data, name = _bytes(source), "standard input" if source == "-" else source
    try:
        table = _read(data, name, columns, header)
    except (pa.ArrowException, OSError) as fault:
        # Arrow raises an OSError without a number for a broken file; one with a number comes from the system.
        if isinstance(fault, OSError) and fault.errno:
            raise
        reason = (str(fault).splitlines() or ["it is broken"])[0]
        raise DataError(f"{name} cannot be read: {reason}") from fault
    if table.length == 0 or not table.names:
        raise DataError(f"{name} holds no values")
    table.arrow = table.arrow.rename_columns(_distinct(table.names))
    return table


def _bytes(source: str) -> bytes:
    """All that a file or a pipe holds."""
    if source == "-":
        return read_standard_input()
    path = Path(source)
    if path.is_dir():
        raise UsageError(f"{source} is a folder; give a file of numbers (CSV, TSV, one a line, JSON lines, Parquet)")
    if path.suffix != ".gz":
        return path.read_bytes()
    with open_bytes(path) as file:
        return file.read()


def _read(data: bytes, name: str, columns: Sequence[str], header: bool | None) -> Table:
    """The table that some bytes hold."""
    if data.startswith(b"PAR1"):
        return _parquet(data, name)
    text, notes = _as_utf8(data, name)
    if _CONTROL.search(text[:_HEAD]):
        raise DataError(f"{name} is binary; give text (CSV, TSV, one value a line, JSON lines) or Parquet")
    if not text.strip():
        raise DataError(f"{name} is empty")
    if text.lstrip().startswith((b"{", b"[")):
        table = read_records(text.lstrip(), name)
    else:
        table = read_delimited(text, name, columns=columns, header=header)
    table.notes[:0] = notes
    return table


def _as_utf8(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """Text as UTF-8 with plain line ends, from Windows' Latin letters where it is no Unicode, and a note of that."""
    data = data.replace(b"\r\r\n", b"\n")  # as a line end that was translated twice on Windows
    try:
        return decode_text(data, name).encode(), []
    except DataError:
        plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        # Windows-1252 leaves five bytes undefined; Latin-1 reads any byte, so it can only be the last.
        text, encoding = plain.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = plain.decode("latin1"), "Latin-1"
    return text.encode(), [f"{name} is not UTF-8; its letters read as {encoding}"]


def _parquet(data: bytes, name: str) -> Table:
    """A Parquet file; pandas notes in it which column is the index."""
    from pyarrow import parquet

    arrow = parquet.ParquetFile(io.BytesIO(data)).read()
    noted: Any = (arrow.schema.pandas_metadata or {}).get("index_columns", [])
    index = next((one for one in noted if isinstance(one, str) and one in arrow.column_names), None)
    return Table(source=name, arrow=arrow, index=index)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names, numbered where they come twice."""
    return [name if name not in names[:place] else f"{name} {place + 1}" for place, name in enumerate(names)]


def read_records(data: bytes, source: str) -> Table:
    """Read a table of JSON.

    Args:
        data: UTF-8 that begins with a bracket or a brace.
        source: What it is called in messages.

    Raises:
        DataError: It is no JSON, or its rows are neither values nor objects nor arrays.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    # Arrow reads an object a line and no arrays.
    if data.startswith(b"{"):
        try:
            read = arrow_json.read_json(io.BytesIO(data))
        except pa.ArrowInvalid:
            read = None  # NaN, and types that differ from row to row: Python reads them
        if read is not None and not _is_rounded(read):
            return Table(source=source, arrow=read)
    rows = _json_rows(data, source)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [_json_column([row.get(name) for row in rows], name) for name in names]
    return Table(source=source, arrow=pa.table(columns, names=names))


def _is_rounded(table: Any) -> bool:
    """Whether Arrow may have made floats of whole numbers beyond 64 bits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = [pc.min_max(column).as_py() for column in table.columns if pa.types.is_floating(column.type)]
    return any(end["max"] is not None and max(-end["min"], end["max"]) > WHOLE for end in ends)


def _json_rows(data: bytes, source: str) -> list[dict[str, Any]]:
    """The rows as objects; values and arrays get names."""
    try:
        held = json.loads(data) if data.startswith(b"[") else None
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, list) or not held:
        held = [_loaded(line, number, source) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    forms = {type(row) if isinstance(row, dict) else len(row) if isinstance(row, list) else None for row in held}
    if len(forms) > 1:
        raise DataError(f"the rows of {source} are not all alike: values, objects, or arrays of one length")
    return [_as_object(row) for row in held]


def _loaded(line: bytes, number: int, source: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise DataError(f"line {number} of {source} cannot be read: it is no JSON ({fault})") from fault


def _as_object(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if isinstance(row, list):
        return {f"column {place + 1}": value for place, value in enumerate(row)}
    return {"value": row}


def _json_column(values: list[Any], name: str) -> Any:
    """Values of JSON as an Arrow array: of numbers, or of the text of each."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds & {dict, list}:
        raise DataError(f"column {name!r} holds lists or objects; a stream is made of numbers or text")
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])
