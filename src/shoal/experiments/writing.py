"""Files that are whole or absent: written beside their place, then renamed into it."""

from __future__ import annotations

import errno
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
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


def write_text(path: Path, text: str) -> None:
    """Write a text file so that it is never seen half-written.

    Raises:
        StoreError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    with disk_faults(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file; a number that is not finite becomes null, which plain tools can read."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file, one row a line; numbers that are not finite become null."""
    write_text(path, "".join(json.dumps(finite(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StoreError: it is absent or damaged.
    """
    return _decoded(path, _text(path))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file.

    Raises:
        StoreError: it is absent or damaged.
    """
    return [_decoded(path, line) for line in _text(path).split("\n") if line]


def finite(value: Any) -> Any:
    """The value with every number that is not finite replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read ({error}); delete it and give the same command again") from error


def _decoded(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise StoreError(f"{path} is damaged ({error}); delete it and give the same command again") from error
