"""The files of a run folder: written atomically or line by line, and read with errors that name what to do."""

from __future__ import annotations

import dataclasses
import errno
import json
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from shoal.errors import StoreError
from shoal.files import atomic_file
from shoal.textfiles import finite

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from shoal.training import CurvePoint
    from shoal.training.watch import WatchEvent


T = TypeVar("T")

# A full disk, a quota, and the file size limit of a shell or a batch system.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_faults(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Turn a full disk, or a folder that cannot be written, into a `StoreError` of one line."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreError(
                f"no room left for the run in {folder}; free some space and give the same command again: what was "
                "finished is kept"
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}:
            raise StoreError(
                f"{error.filename or folder} cannot be written ({error.strerror}); choose another folder"
            ) from error
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically.

    Args:
        path: of the file; its folder is made where it does not exist.
        text: is written as UTF-8.

    Raises:
        StoreError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    with disk_faults(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file; a number that is not finite becomes null, which plain tools can read.

    Args:
        path: of the file.
        value: plain values.
    """
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file, one row per line; numbers that are not finite become null.

    Args:
        path: of the file.
        rows: plain values.
    """
    write_text(path, "".join(json.dumps(finite(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StoreError: it is absent or damaged.
    """
    return _decoded(str(path), _text(path))


def read_json_rows(path: str | os.PathLike[str], *, required: bool = False) -> list[dict[str, Any]]:
    """The rows of a JSONL file. A last line that has no line end was cut short by a kill, and is left out.

    Args:
        path: the file.
        required: whether it must be there; a file that is absent has no rows otherwise.

    Raises:
        StoreError: it is damaged, or absent though it must be there.
    """
    path = Path(path)
    if not required and not path.is_file():
        return []
    # What stands behind the last line end: empty, or a line that was cut short.
    # Not splitlines, which also splits at characters (U+2028, form feeds) that JSON leaves as they are within a text.
    *lines, _ = _text(path).split("\n")
    return [_decoded(f"{path}, line {number},", line) for number, line in enumerate(lines, 1) if line]


def read_record(path: Path, kind: type[T]) -> T | None:
    """A dataclass from a JSON file; None where there is no such file.

    Args:
        path: the file.
        kind: the dataclass.

    Raises:
        StoreError: the file is damaged, or holds something else.
    """
    record = read_object(path)
    return None if record is None else as_record(path, kind, record)


def read_object(path: Path) -> dict[str, Any] | None:
    """An object from a JSON file; None where there is no such file.

    Raises:
        StoreError: the file is damaged, or holds something else.
    """
    if not path.exists():
        return None
    value = read_json(path)
    if not isinstance(value, dict):
        raise StoreError(f"{path} should hold a JSON object and holds a {type(value).__name__}")
    return value


def as_record(path: Path, kind: type[T], row: Any) -> T:
    """A dataclass from a row. A key that it does not know was written by a later version, and is left out.

    Args:
        path: the file of the row, for the error.
        kind: the dataclass.
        row: plain values.

    Raises:
        StoreError: the row lacks a key.
    """
    assert dataclasses.is_dataclass(kind)
    try:
        values = {field.name: _frozen(row[field.name]) for field in dataclasses.fields(kind) if field.name in row}
        return kind(**values)
    except TypeError as error:
        raise not_a_record(path, f"of type {kind.__name__}", error) from error


def not_a_record(path: Path, what: str, error: Exception) -> StoreError:
    """The error of a file whose values are not those of a record.

    Args:
        path: the file.
        what: the kind of record.
        error: what was found.
    """
    return StoreError(f"{path} is no record {what} ({error}); delete it and give the same command again")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read ({error}); delete it and give the same command again") from error


def _decoded(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    # Values that are nested without end end Python's stack, and are as damaged as a missing bracket.
    except (json.JSONDecodeError, RecursionError) as error:
        raise StoreError(f"{where} is damaged ({error}); delete it and give the same command again") from error


def _frozen(value: Any) -> Any:
    """A list becomes a tuple, as the records have it."""
    return tuple(value) if isinstance(value, list) else value


class GrowingCurve:
    """A JSONL file to which the points of a training are appended; a context manager.

    A training that is resumed repeats the steps behind its last checkpoint: their lines, and one that was cut short,
    are dropped when its first point comes.

    Args:
        path: of the file; its folder is made where it does not exist.
        as_row: gives what is written of a point.
    """

    def __init__(self, path: Path, as_row: Callable[[Any], dict[str, Any]] = asdict) -> None:
        self._path, self._as_row = path, as_row
        self._file: IO[str] | None = None

    def __enter__(self) -> GrowingCurve:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, point: CurvePoint | WatchEvent) -> None:
        """Append a point.

        Raises:
            StoreError: the disk is full, or the file holds something else.
        """
        with disk_faults(self._path.parent):
            if self._file is None:
                rows = read_json_rows(self._path)
                write_jsonl(self._path, self._before(rows, point.step))
                self._file = self._path.open("a", encoding="utf-8")
            self._file.write(json.dumps(finite(self._as_row(point)), ensure_ascii=False) + "\n")
            # At once, so that a reader sees whole lines and a kill loses none.
            self._file.flush()

    def _before(self, rows: Iterable[dict[str, Any]], step: int) -> list[dict[str, Any]]:
        try:
            return [row for row in rows if row["step"] < step]
        except (TypeError, KeyError) as error:
            raise not_a_record(self._path, "of a curve", error) from error
