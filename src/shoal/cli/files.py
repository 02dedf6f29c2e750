"""Files that a verb writes for a person: checked before the work, written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import StoreError
from shoal.files import atomic_file

if TYPE_CHECKING:
    from pathlib import Path


def check_target(path: Path) -> None:
    """Raise before any work is done where a file could not be written afterwards.

    Raises:
        StoreError: its folder does not exist, or it is a folder itself.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder; give the file that is to be written in it")
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write {path.name} into; make it first")


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically.

    Args:
        path: the file, whose folder exists.
        text: its contents, written as UTF-8.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        with atomic_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; nothing is left of it") from error
