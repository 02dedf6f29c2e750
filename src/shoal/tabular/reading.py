"""A table of a file or a pipe: CSV, TSV, columns of blanks, one value a line, JSON or Parquet."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError
from shoal.tabular.delimited import read_delimited
from shoal.tabular.table import Table
from shoal.textfiles import decode_text, open_bytes, read_standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        from shoal.tabular.records import read_records

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
