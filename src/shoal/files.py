"""Atomic writes of files and folders: a reader, or a run that is killed, sees the old state or the new one."""

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
def atomic_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the same folder to write to; it is renamed to ``path`` at the end.

    Args:
        path: the file to write; one that is there stays as it was until the end, or if anything fails.
        durable: force the data to disk (``fsync``) before the rename, so that a power cut cannot leave an empty file
            under the new name. It costs milliseconds, so only checkpoints ask for it.

    Raises:
        OSError: the folder cannot be written; a file that stood there is as it was.
    """
    # The same folder, since a rename across file systems is no atomic step; the name ends in .tmp, by which an opened
    # run folder finds and removes what a killed process left.
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        if durable:
            with partial.open("rb") as handle:
                os.fsync(handle.fileno())
        partial.replace(path)
    except OSError as error:
        if error.filename == str(partial):
            error.filename = str(path)  # the temporary name means nothing to a user
        raise
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to ``folder`` to fill; it is renamed to ``folder`` at the end.

    Args:
        folder: the folder to write; its parents are made. One that is there is replaced whole.

    Raises:
        OSError: it cannot be written; a folder that stood there is as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        yield fresh
        _swap(fresh, folder, Path(scratch) / "old")


def remove_partials(folder: Path, *, deep: bool = False) -> None:
    """Remove what killed processes left of atomic writes in a folder; nobody else may be writing there.

    Args:
        folder: where to look; nothing is done where it does not exist.
        deep: look in the folders inside it too.
    """
    for path in [*(folder.rglob if deep else folder.glob)(".*.tmp")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def cache_folder(*parts: str) -> Path:
    """A folder of the cache: ``SHOAL_CACHE`` where it is set, else ``shoal`` in the user's cache folder.

    Args:
        parts: the names of folders inside it. None is made.
    """
    own, user = os.environ.get("SHOAL_CACHE"), os.environ.get("XDG_CACHE_HOME")
    root = Path(own) if own else (Path(user) if user else Path.home() / ".cache") / "shoal"
    return root.expanduser().joinpath(*parts)


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
    """Rename a new folder to where an old one may stand; the old one is put back if that fails."""
    # POSIX renames a folder over an empty one only, so the old one is moved aside first: for a moment neither is there.
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
