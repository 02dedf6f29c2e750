"""Tables of JSON: an object or an array a line, or one array of values, arrays or objects."""

from __future__ import annotations

import io
import json
from typing import Any

from shoal.errors import DataError
from shoal.tabular.arrow import WHOLE
from shoal.tabular.table import Table


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

    if data.startswith(b"{"):
        try:
            read = arrow_json.read_json(io.BytesIO(data))
        except pa.ArrowInvalid:
            read = None  # NaN, and types that differ from row to row: Python reads them
        if read is not None and not _is_rounded(read):
            return Table(source=source, arrow=read)
    rows = _rows(data, source)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [_column([row.get(name) for row in rows], name) for name in names]
    return Table(source=source, arrow=pa.table(columns, names=names))


def _is_rounded(table: Any) -> bool:
    """Whether Arrow may have made floats of whole numbers beyond 64 bits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = [pc.min_max(column).as_py() for column in table.columns if pa.types.is_floating(column.type)]
    return any(end["max"] is not None and max(-end["min"], end["max"]) > WHOLE for end in ends)


def _rows(data: bytes, source: str) -> list[dict[str, Any]]:
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


def _column(values: list[Any], name: str) -> Any:
    """Values of JSON as an Arrow array: of numbers, or of the text of each."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds & {dict, list}:
        raise DataError(f"column {name!r} holds lists or objects; a stream is made of numbers or text")
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])
