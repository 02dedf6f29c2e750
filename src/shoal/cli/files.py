"""Files that a verb reads and writes for a person: documents of a text file, pages that are written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError, StoreError
from shoal.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT_END = "<|endoftext|>"


def read_documents(corpus: Path) -> list[str]:
    """The documents of a text file: they end at ``<|endoftext|>``, or at a blank line where there is none.

    Raises:
        DataError: the file is not UTF-8 or holds no text.
    """
    try:
        whole = corpus.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{corpus} is not UTF-8 text (byte {error.start}); convert it first") from error
    parts = whole.split(DOCUMENT_END) if DOCUMENT_END in whole else whole.split("\n\n")
    documents = [part.strip("\n") for part in parts if part.strip()]
    if not documents:
        raise DataError(f"{corpus} holds no text; give a file with at least one word")
    return documents


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
    """Write a file of which no half is ever left.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; nothing is left of it") from error
