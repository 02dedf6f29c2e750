"""Files that a verb reads and writes for a person: documents of a text file, pages that are written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError

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


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and then move it there, so that no half is left."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
