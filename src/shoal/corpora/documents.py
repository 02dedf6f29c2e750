"""Documents as a stream: read from text, JSONL, Parquet, folders and the hub; written to text, JSONL and Parquet."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shoal.corpora.hub import HUB, parse_hub, read_hub_rows
from shoal.corpora.public_sets import STORY_END
from shoal.errors import DataError, UsageError
from shoal.files import atomic_file
from shoal.textfiles import (
    check_characters,
    document_suffix,
    json_line,
    read_chunks,
    read_json_lines,
    read_lines_of,
    split_chunks,
)
from shoal.wording import in_one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Rows = Iterable[Mapping[str, Any]]

# Rows in memory at a time: documents of a megabyte each make a gigabyte of them.
_ROWS_PER_BATCH = 1000
_ROWS_PER_GROUP = 4000
"""Rows of a Parquet file are written in groups, so that memory does not grow with their number."""

LocatedRow = tuple[str, dict[str, Any]]
"""Where a row stands (a file, or a file and a line), and the row, whose text is checked to be one."""


def read_documents(source: str | os.PathLike[str], *, column: str = "text", broken: bool = False) -> Iterator[str]:
    """Yield the documents of a source that hold any text; memory does not grow with their number.

    A text file (``.txt``, ``.md``, or no ending) is split at ``<|endoftext|>`` where it has any, else at lines that
    hold nothing or white space alone; ``.jsonl`` and ``.parquet`` hold a document per row; text and ``.jsonl`` may be
    compressed (``.gz``). Of a folder all such files are read in the order of their names;
    ``hub:org/name[@revision][:split]`` is a data set of the hub, streamed.

    Args:
        source: a path, or ``hub:`` and a name.
        column: which column of the rows is the text.
        broken: yield texts with half of a surrogate pair too, for those who mend them.

    Raises:
        DataError: the source holds no document, is no Unicode text, a row has no such column, or a text has half of a
            surrogate pair.
        UsageError: a file of another kind.
        MissingExtraError: a hub data set without the ``datasets`` package.
        UnavailableError: the hub cannot be reached, or has no such data set.
    """
    for row in _read(source, column, broken=broken, whole=False):
        yield row[column]


def read_document_rows(source: str | os.PathLike[str], *, column: str = "text") -> Iterator[dict[str, Any]]:
    """Yield the documents of a source as rows with all of their columns; memory does not grow with their number.

    Args:
        source: as `read_documents` takes it; a document of a text file is a row of its text alone.
        column: which column of the rows is the text.

    Raises:
        ShoalError: as `read_documents` does.
    """
    return _read(source, column, broken=False, whole=True)


def estimate_documents(source: str | os.PathLike[str]) -> int:
    """About how many documents a source holds, for a forecast of the time; 0 where only reading it all would show.

    Args:
        source: as `read_documents` takes it.
    """
    path = Path(source)
    if str(source).startswith(HUB) or not path.exists():
        return 0
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return sum(_estimate(file) for file in files)


def _estimate(path: Path) -> int:
    """The rows of a Parquet file, the lines of a JSONL file, the marks or blank lines of a text file."""
    if document_suffix(path) not in _READERS or path.suffix != document_suffix(path):
        return 0  # compressed, or nothing that is read
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    with path.open("rb") as file:
        marks = (b"\n",) if path.suffix == ".jsonl" else (STORY_END.encode(), b"\n\n", b"\r\n\r\n")
        counts = [0] * len(marks)
        while block := file.read(2**20):
            counts = [count + block.count(mark) for count, mark in zip(counts, marks, strict=True)]
    return next((count for count in counts if count), 0)


def _read(source: str | os.PathLike[str], column: str, *, broken: bool, whole: bool) -> Iterator[dict[str, Any]]:
    """The rows with a text that holds more than white space; of other columns only where they are wanted whole."""
    found = False
    hub = str(source).startswith(HUB)
    for where, row in _read_hub(str(source), column) if hub else _read_path(Path(source), column, whole):
        text = row[column]
        if not text.strip():
            continue
        if not broken:
            check_characters(text, where)
        found = True
        # Line ends alone: blanks at the beginning may be an indentation.
        yield {**row, column: text.strip("\r\n")}
    if not found:
        raise DataError(f"{source} holds no text; give a source with at least one word")


def _read_path(path: Path, column: str, whole: bool) -> Iterator[LocatedRow]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if document_suffix(file) in _READERS and file.is_file())
        if not files:
            raise DataError(f"{path} holds no file that ends in {_ENDINGS}")
        for file in files:
            yield from _READERS[document_suffix(file)](file, column, whole)
        return
    if not path.exists():
        raise DataError(f"there is no {path}; give a file, a folder, or {HUB}org/name")
    if document_suffix(path) not in _READERS:
        raise UsageError(f"cannot read {path.name}: give a file that ends in {_ENDINGS}")
    yield from _READERS[document_suffix(path)](path, column, whole)


def _read_text(path: Path, column: str, _whole: bool) -> Iterator[LocatedRow]:
    # Read twice: whether a file has the mark is known only at its end, and it may be larger than memory.
    marked = any(True for _ in islice(split_chunks(read_chunks(path), STORY_END), 1, None))
    for text in split_chunks(read_chunks(path), STORY_END) if marked else _paragraphs(path):
        yield str(path), {column: text}


def _paragraphs(path: Path) -> Iterator[str]:
    """The texts between lines that are empty or hold white space alone."""
    lines: list[str] = []
    for _, line in read_lines_of(path):
        if line.strip():
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    yield "\n".join(lines)


def _read_jsonl(path: Path, column: str, _whole: bool) -> Iterator[LocatedRow]:
    for where, row in read_json_lines(path):
        yield where, _checked(row, column, where)


def _read_parquet(path: Path, column: str, whole: bool) -> Iterator[LocatedRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a whole Parquet file ({error})") from error
    with file:
        names = file.schema_arrow.names
        if column not in names:
            raise DataError(f"{path} has no column {column!r}; it has {', '.join(names)}")
        for batch in file.iter_batches(_ROWS_PER_BATCH, columns=None if whole else [column]):
            yield from ((str(path), _checked(row, column, str(path))) for row in batch.to_pylist())


def _read_hub(name: str, column: str) -> Iterator[LocatedRow]:
    wanted = parse_hub(name)
    for number, row in enumerate(read_hub_rows(wanted), start=1):
        where = f"{wanted.name} row {number}"
        yield where, _checked(row, column, where)


def _checked(row: Any, column: str, where: str) -> dict[str, Any]:
    """The row, whose column is a text."""
    if not isinstance(row, dict) or column not in row:
        held = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise DataError(f"{where} has no column {column!r}; it has {held}")
    if not isinstance(row[column], str):
        kind = type(row[column]).__name__
        raise DataError(f"{where}: the column {column!r} is {kind}, no text; give another --column")
    return row


def write_documents(rows: Rows, file: str | Path, *, schema: Any = None) -> int:
    """Write rows with a ``text`` each, and return their number; memory does not grow with their number.

    A ``.txt`` file gets the texts alone with ``<|endoftext|>`` between them, ``.jsonl`` and ``.parquet`` whole rows.

    Args:
        rows: at least one row.
        file: where to; the kind of file is read from its name.
        schema: the columns (``pyarrow.Schema``) of a Parquet file; by default those of the first rows.

    Raises:
        UsageError: a name that ends in something else, or no rows.
        DataError: a row that the kind of file cannot hold.
        OSError: the disk is full, or the folder cannot be written; nothing half-written is left.
    """
    file = Path(file)
    check_documents_file(file)
    with atomic_file(file) as partial:
        count = _WRITERS[file.suffix](rows, partial, schema)
        if not count:
            raise UsageError(f"nothing to write to {file}: there are no documents")
    return count


def check_documents_file(file: str | Path) -> None:
    """Raise where `write_documents` would for the name of the file, before the work that makes the rows.

    Args:
        file: where to.

    Raises:
        UsageError: a name that ends in something else.
    """
    if Path(file).suffix not in _WRITERS:
        raise UsageError(f"cannot write {Path(file).name}: give a file that ends in {', '.join(_WRITERS)}")


def _write_text(rows: Rows, file: Path, _schema: Any) -> int:
    with file.open("w", encoding="utf-8") as out:
        return write_text(rows, out)


def write_text(rows: Rows, out: IO[str]) -> int:
    """Write the texts with ``<|endoftext|>`` after each, and return their number.

    Args:
        rows: with a ``text`` each.
        out: an open text file.

    Raises:
        DataError: a text mentions ``<|endoftext|>``.
    """
    count = 0
    for row in rows:
        if STORY_END in row["text"]:
            raise DataError(
                f"document {count + 1} mentions {STORY_END}, which separates documents in a .txt file; "
                "write .jsonl or .parquet"
            )
        out.write(f"{row['text']}\n{STORY_END}\n")
        count += 1
    return count


def _write_jsonl(rows: Rows, file: Path, _schema: Any) -> int:
    with file.open("w", encoding="utf-8") as out:
        return write_lines(rows, out)


def write_lines(rows: Rows, out: IO[str]) -> int:
    """Write each row as a line of JSON, and return their number; a number that is not finite becomes null.

    Args:
        rows: plain values.
        out: an open text file.

    Raises:
        DataError: a row holds half of a surrogate pair.
    """
    count = 0
    for row in rows:
        out.write(json_line(row, f"row {count + 1} to be written"))
        count += 1
    return count


def _write_parquet(rows: Rows, file: Path, schema: Any) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, remaining, strict = 0, iter(rows), schema is None
    writer = None
    try:
        while group := list(islice(remaining, _ROWS_PER_GROUP)):
            names = list(dict.fromkeys(name for row in group for name in row)) if strict else schema.names
            new = next((name for name in names if schema is not None and name not in schema.names), None)
            if new is not None:
                raise DataError(_no_table(count, f"the first {_ROWS_PER_GROUP:,} have no column {new!r}"))
            try:
                columns = {name: [row.get(name) for row in group] for name in (schema.names if schema else names)}
                table = pa.Table.from_pydict(columns, schema=schema)
                # A column that is empty in a later group would otherwise get another type than the file has.
                schema = table.schema
                writer = writer or pq.ParquetWriter(file, schema, compression="zstd")
                writer.write_table(table)
            except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
                raise DataError(_no_table(count, in_one_line(error, limit=120))) from error
            count += len(group)
    finally:
        if writer is not None:
            writer.close()
    return count


def _no_table(count: int, reason: str) -> str:
    """The message on rows that are no table, from a number on."""
    return f"the rows from {count + 1:,} on cannot be written as Parquet: {reason}; write .jsonl"


_READERS: Mapping[str, Callable[[Path, str, bool], Iterator[LocatedRow]]] = {
    ".txt": _read_text,
    ".md": _read_text,
    "": _read_text,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
_ENDINGS = f"{', '.join(filter(None, _READERS))} (or .txt.gz, .jsonl.gz)"

_WRITERS: Mapping[str, Callable[[Rows, Path, Any], int]] = {
    ".txt": _write_text,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
