"""Documents read as a stream from text, JSONL, Parquet, a folder of them, or a data set of the hub."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from shoal.corpora.hub import HUB, parse_hub, read_rows
from shoal.corpora.readers import STORY_END
from shoal.errors import DataError, UsageError
from shoal.textfiles import check_characters, inner_suffix, read_chunks, read_json_lines, read_lines_of, split_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_ROWS_A_BATCH = 1000

LocatedText = tuple[str, str]
"""Where a text stands (a file, or a file and a line), and the text."""


def read_documents(source: str | Path, *, column: str = "text", broken: bool = False) -> Iterator[str]:
    """Yield the documents of a source that hold any text; memory does not grow with their number.

    A text file (``.txt``, ``.md``, or no ending) is parted at ``<|endoftext|>`` where it has any, else at lines that
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
    found = False
    texts = _read_hub(str(source), column) if str(source).startswith(HUB) else _read_path(_as_path(source), column)
    for where, text in texts:
        if not text.strip():
            continue
        if not broken:
            check_characters(text, where)
        found = True
        yield text.strip("\r\n")
    if not found:
        raise DataError(f"{source} holds no text; give a source with at least one word")


def holds_rows(source: str | Path) -> bool:
    """Whether a file holds a document a row, so that it is not read as running text."""
    return _kind(_as_path(source)) in {".jsonl", ".parquet"}


def _as_path(source: str | Path) -> Path:
    from pathlib import Path

    return Path(source)


def _read_path(path: Path, column: str) -> Iterator[LocatedText]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _kind(file) in _READERS and file.is_file())
        if not files:
            raise DataError(f"{path} holds no file that ends in {_ENDINGS}")
        for file in files:
            yield from _READERS[_kind(file)](file, column)
        return
    if not path.exists():
        raise DataError(f"there is no {path}; give a file, a folder, or {HUB}org/name")
    if _kind(path) not in _READERS:
        raise UsageError(f"cannot read {path.name}: give a file that ends in {_ENDINGS}")
    yield from _READERS[_kind(path)](path, column)


def _kind(path: Path) -> str:
    """The ending that says how a file is read."""
    inner = inner_suffix(path)
    return path.suffix if inner == ".parquet" else inner  # Parquet compresses by itself; pyarrow reads no .parquet.gz


def _read_text(path: Path, _column: str) -> Iterator[LocatedText]:
    marked = any(True for _ in islice(split_chunks(read_chunks(path), STORY_END), 1, None))
    for text in split_chunks(read_chunks(path), STORY_END) if marked else _paragraphs(path):
        yield str(path), text


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


def _read_jsonl(path: Path, column: str) -> Iterator[LocatedText]:
    for where, row in read_json_lines(path):
        yield where, _column_of(row, column, where)


def _read_parquet(path: Path, column: str) -> Iterator[LocatedText]:
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
        for batch in file.iter_batches(_ROWS_A_BATCH, columns=[column]):
            yield from ((str(path), _text_of(value, str(path), column)) for value in batch.column(0).to_pylist())


def _read_hub(name: str, column: str) -> Iterator[LocatedText]:
    wanted = parse_hub(name)
    for number, row in enumerate(read_rows(wanted), start=1):
        where = f"{wanted.name} row {number}"
        yield where, _column_of(row, column, where)


def _column_of(row: Any, column: str, where: str) -> str:
    if not isinstance(row, dict) or column not in row:
        held = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise DataError(f"{where} has no column {column!r}; it has {held}")
    return _text_of(row[column], where, column)


def _text_of(value: Any, where: str, column: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{where}: the column {column!r} is {type(value).__name__}, no text; give another --column")
    return value


_READERS: Mapping[str, Callable[[Path, str], Iterator[LocatedText]]] = {
    ".txt": _read_text,
    ".md": _read_text,
    "": _read_text,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
_ENDINGS = f"{', '.join(filter(None, _READERS))} (or .txt.gz, .jsonl.gz)"
