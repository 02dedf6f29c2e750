"""Documents read as a stream from text, JSONL, Parquet, a folder of them, or a data set of the hub."""

from __future__ import annotations

import codecs
import io
import json
from typing import IO, TYPE_CHECKING, Any

from shoal.corpora.hub import HUB, parse_hub, read_rows
from shoal.corpora.readers import STORY_END
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_CHUNK = 1 << 20
_ROWS_A_BATCH = 1000


def read_documents(source: str | Path, *, column: str = "text") -> Iterator[str]:
    """Yield the documents of a source that hold any text; memory does not grow with their number.

    A text file (``.txt``, ``.md``, or no ending) is parted at ``<|endoftext|>`` where it has any, else at blank lines;
    ``.jsonl`` and ``.parquet`` hold a document a row; of a folder all such files are read in the order of their
    names; ``hub:org/name[@revision][:split]`` is a data set of the hub, streamed.

    Args:
        source: a path, or ``hub:`` and a name.
        column: which column of the rows is the text.

    Raises:
        DataError: the source holds no document, is not UTF-8, or a row has no such column.
        UsageError: a file of another kind.
        MissingExtraError: a hub data set without the ``datasets`` package.
        UnavailableError: the hub cannot be reached, or has no such data set.
    """
    found = False
    texts = _read_hub(str(source), column) if str(source).startswith(HUB) else _read_path(_as_path(source), column)
    for text in texts:
        if text.strip():
            found = True
            yield text.strip("\r\n")
    if not found:
        raise DataError(f"{source} holds no text; give a source with at least one word")


def _as_path(source: str | Path) -> Path:
    from pathlib import Path

    return Path(source)


def _read_path(path: Path, column: str) -> Iterator[str]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in _READERS and file.is_file())
        if not files:
            raise DataError(f"{path} holds no file that ends in {', '.join(filter(None, _READERS))}")
        for file in files:
            yield from _READERS[file.suffix](file, column)
        return
    if not path.exists():
        raise DataError(f"there is no {path}; give a file, a folder, or {HUB}org/name")
    if path.suffix not in _READERS:
        raise UsageError(f"cannot read {path.name}: give a file that ends in {', '.join(filter(None, _READERS))}")
    yield from _READERS[path.suffix](path, column)


def _read_text(path: Path, _column: str) -> Iterator[str]:
    end = STORY_END if _holds(path, STORY_END) else "\n\n"
    with path.open("rb") as file:
        rest = ""
        for chunk in _decoded(file, path):
            *whole, rest = (rest + chunk).split(end)
            yield from whole
        yield rest


def _holds(path: Path, sought: str) -> bool:
    wanted, overlap = sought.encode(), b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if wanted in overlap + chunk:
                return True
            overlap = chunk[-len(wanted) :]
    return False


def _decoded(file: IO[bytes], path: Path) -> Iterator[str]:
    """The file's text in pieces, with plain line ends."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), translate=True)
    done = 0
    while True:
        chunk = file.read(_CHUNK)
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text (near byte {done + error.start}); convert it first") from error
        if not chunk:
            return
        done += len(chunk)


def _read_jsonl(path: Path, column: str) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, UnicodeDecodeError) as error:
                raise DataError(f"{path}:{number} is not JSON in UTF-8 ({error})") from error
            yield _column_of(row, column, f"{path}:{number}")


def _read_parquet(path: Path, column: str) -> Iterator[str]:
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
            yield from (_text_of(value, str(path), column) for value in batch.column(0).to_pylist())


def _read_hub(name: str, column: str) -> Iterator[str]:
    wanted = parse_hub(name)
    for number, row in enumerate(read_rows(wanted), start=1):
        yield _column_of(row, column, f"{wanted.name} row {number}")


def _column_of(row: Any, column: str, where: str) -> str:
    if not isinstance(row, dict) or column not in row:
        held = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise DataError(f"{where} has no column {column!r}; it has {held}")
    return _text_of(row[column], where, column)


def _text_of(value: Any, where: str, column: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{where}: the column {column!r} is {type(value).__name__}, no text; give another --column")
    return value


_READERS: Mapping[str, Callable[[Path, str], Iterator[str]]] = {
    ".txt": _read_text,
    ".md": _read_text,
    "": _read_text,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
