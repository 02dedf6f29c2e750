"""Documents as token ids on disk, mapped into memory: a folder with one row of ids and the places where documents end.

`tokens.bin` holds the ids of all documents end to end, as 16-bit integers where the vocabulary fits and as 32-bit ones
otherwise; `ends.bin` the place after each document, as 64-bit integers; `tokens.json` what they are, with a digest.
All little-endian. Writing streams the documents through, so a corpus never has to fit into memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from shoal.errors import DataError, StoreError
from shoal.files import atomic_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IntArray = np.ndarray[Any, np.dtype[np.integer[Any]]]

_TOKENS, _ENDS, _ABOUT = "tokens.bin", "ends.bin", "tokens.json"


@dataclass(frozen=True, slots=True)
class _About:
    """The contents of `tokens.json`."""

    documents: int
    tokens: int
    vocabulary: int
    dtype: str
    digest: str
    """SHA-256 of both rows."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Documents of token ids."""

    tokens: IntArray
    """The ids of all documents, end to end."""
    ends: IntArray
    """Where each document ends in that row."""
    vocabulary: int
    """All ids are below it."""
    digest: str
    """SHA-256 of what it holds."""

    def __len__(self) -> int:
        return len(self.ends)

    def document(self, place: int) -> IntArray:
        """The ids of a document, counted from 0."""
        start = int(self.ends[place - 1]) if place else 0
        return self.tokens[start : int(self.ends[place])]

    @property
    def lengths(self) -> IntArray:
        """The number of ids of each document."""
        return np.diff(self.ends, prepend=0)


def write_token_file(
    folder: str | Path, documents: Iterable[Sequence[int] | IntArray], *, vocabulary: int
) -> TokenFile:
    """Write documents as a token file, and open it.

    Args:
        folder: what to write; it must not exist, and is there whole or not at all.
        documents: the ids of each; an empty one is left out.
        vocabulary: one more than the largest id that may occur.

    Raises:
        DataError: there are no documents, or an id is not within the vocabulary.
        StoreError: the folder exists or cannot be written.
    """
    folder = Path(folder)
    if folder.exists():
        raise StoreError(f"{folder} exists; give a folder that does not, or delete it")
    try:
        with atomic_folder(folder) as fresh:
            about = _write(fresh, documents, vocabulary)
            (fresh / _ABOUT).write_text(json.dumps(asdict(about), indent=2) + "\n", encoding="utf-8")
    except OSError as fault:
        raise StoreError(f"cannot write the tokens to {folder}: {fault}; make room and start again") from fault
    return open_token_file(folder)


def open_token_file(folder: str | Path) -> TokenFile:
    """Map a token file into memory.

    Raises:
        DataError: the folder holds none, or its parts do not fit together.
    """
    folder = Path(folder)
    try:
        about = _About(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
        tokens = np.memmap(folder / _TOKENS, dtype=np.dtype(about.dtype), mode="r")
        ends = np.memmap(folder / _ENDS, dtype="<i8", mode="r")
    except (OSError, ValueError, TypeError) as fault:
        raise DataError(f"{folder} is not a folder of tokens ({fault}); write it again") from fault
    # By sizes, not by the digest, which would read the whole corpus at every start.
    if len(tokens) != about.tokens or len(ends) != about.documents or int(ends[-1]) != about.tokens:
        raise DataError(
            f"{folder} has {len(tokens)} tokens in {len(ends)} documents, and {_ABOUT} states {about.tokens} in "
            f"{about.documents}; it was cut short, so write it again"
        )
    return TokenFile(tokens, ends, about.vocabulary, about.digest)


def tokens_in_memory(documents: Iterable[Sequence[int] | IntArray], *, vocabulary: int) -> TokenFile:
    """The same as a token file, for documents that need no disk.

    Args:
        documents: the ids of each; an empty one is left out.
        vocabulary: one more than the largest id that may occur.

    Raises:
        DataError: there are no documents, or an id is not within the vocabulary.
    """
    kept = [_checked(document, place, vocabulary) for place, document in enumerate(documents)]
    kept = [ids.astype(_dtype(vocabulary)) for ids in kept if len(ids)]
    if not kept:
        raise DataError("there are no documents with tokens; give at least one")
    tokens, ends = np.concatenate(kept), np.cumsum([len(ids) for ids in kept])
    digest = hashlib.sha256(tokens.tobytes())
    digest.update(ends.astype("<i8").tobytes())
    return TokenFile(tokens, ends, vocabulary, digest.hexdigest())


def _write(folder: Path, documents: Iterable[Sequence[int] | IntArray], vocabulary: int) -> _About:
    dtype, digest, ends, total = _dtype(vocabulary), hashlib.sha256(), [], 0
    with (folder / _TOKENS).open("wb") as file:
        for place, document in enumerate(documents):
            ids = _checked(document, place, vocabulary).astype(dtype)
            if len(ids):
                file.write(ids.data)
                digest.update(ids.data)
                total += len(ids)
                ends.append(total)
        _to_disk(file)
    if not ends:
        raise DataError("there are no documents with tokens; give at least one")
    row = np.asarray(ends, dtype="<i8")
    digest.update(row.data)
    with (folder / _ENDS).open("wb") as file:
        file.write(row.data)
        _to_disk(file)
    return _About(len(ends), total, vocabulary, dtype.str, digest.hexdigest())


def _dtype(vocabulary: int) -> np.dtype[Any]:
    # Little-endian by name, so that a file can be read on another machine.
    return np.dtype("<u2" if vocabulary <= 2**16 else "<u4")


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    # The folder is renamed into place: without this a power cut could leave the name with empty files.
    os.fsync(file.fileno())


def _checked(document: Sequence[int] | IntArray, place: int, vocabulary: int) -> IntArray:
    ids = np.asarray(document, dtype=np.int64)
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < vocabulary:
        raise DataError(
            f"document {place} has ids from {ids.min()} to {ids.max()}; the vocabulary knows 0 to {vocabulary - 1}"
        )
    return ids
