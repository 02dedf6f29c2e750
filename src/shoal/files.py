"""Files and folders that are seen whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside the file to write to; it takes the file's place at the end, and is removed if anything fails.

    Raises:
        OSError: the folder cannot be written; a file that stood there is as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.filename == str(partial):
            error.filename = str(path)  # what a person knows
        raise
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside to fill; it takes the folder's place at the end, and is removed if anything fails.

    Raises:
        OSError: it cannot be written; a folder that stood there is as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        yield fresh
        _swap(fresh, folder, Path(scratch) / "old")


def digest_of_files(path: Path) -> str:
    """A digest of a file, or of all files in a folder with their names, as 64 hexadecimal characters.

    Raises:
        OSError: a file cannot be read.
    """
    state = hashlib.sha256()
    for file in sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as handle:
            state.update(f"{file.relative_to(path)} {hashlib.file_digest(handle, 'sha256').hexdigest()};".encode())
    return state.hexdigest()


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    """Put a new folder where an old one may stand; the old one is put back if that fails."""
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)
