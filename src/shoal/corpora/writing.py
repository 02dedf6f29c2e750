"""Documents written as a stream to text, JSONL or Parquet; the file appears under its name when it is whole."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shoal.corpora.readers import STORY_END
from shoal.errors import DataError, UsageError
from shoal.files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Rows = Iterable[Mapping[str, Any]]

_ROWS_A_GROUP = 4000


def write_documents(rows: Rows, file: str | Path, *, schema: Any = None) -> int:
    """Write rows with a ``text`` each, and say how many there were; memory does not grow with their number.

    A ``.txt`` file gets the texts alone with ``<|endoftext|>`` between them, ``.jsonl`` and ``.parquet`` whole rows.

    Args:
        rows: at least one row.
        file: where to; the kind of file is read from its name.
        schema: the columns (``pyarrow.Schema``) of a Parquet file; by default those of the first rows.

    Raises:
        UsageError: a name that ends in something else, or no rows.
        OSError: the disk is full, or the folder cannot be written; nothing half-written is left.
    """
    file = Path(file)
    if file.suffix not in _WRITERS:
        raise UsageError(f"cannot write {file.name}: give a file that ends in {', '.join(_WRITERS)}")
    with atomic_file(file) as partial:
        count = _WRITERS[file.suffix](rows, partial, schema)
        if not count:
            raise UsageError(f"nothing to write to {file}: there are no documents")
    return count


def _write_text(rows: Rows, file: Path, _schema: Any) -> int:
    with file.open("w", encoding="utf-8") as out:
        return write_text(rows, out)


def write_text(rows: Rows, out: IO[str]) -> int:
    """Write the texts with ``<|endoftext|>`` after each, and say how many there were."""
    count = 0
    for row in rows:
        if STORY_END in row["text"]:
            raise DataError(
                f"document {count + 1} mentions {STORY_END}, which parts documents in a .txt file; "
                "write .jsonl or .parquet"
            )
        out.write(f"{row['text']}\n{STORY_END}\n")
        count += 1
    return count


def _write_jsonl(rows: Rows, file: Path, _schema: Any) -> int:
    with file.open("w", encoding="utf-8") as out:
        return write_lines(rows, out)


def write_lines(rows: Rows, out: IO[str]) -> int:
    """Write each row as a line of JSON, and say how many there were."""
    count = 0
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_parquet(rows: Rows, file: Path, schema: Any) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, remaining = 0, iter(rows)
    writer = None
    try:
        while group := list(islice(remaining, _ROWS_A_GROUP)):
            table = pa.Table.from_pylist([dict(row) for row in group], schema=schema)
            schema = table.schema
            writer = writer or pq.ParquetWriter(file, schema, compression="zstd")
            writer.write_table(table)
            count += len(group)
    finally:
        if writer is not None:
            writer.close()
    return count


_WRITERS: Mapping[str, Callable[[Rows, Path, Any], int]] = {
    ".txt": _write_text,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
