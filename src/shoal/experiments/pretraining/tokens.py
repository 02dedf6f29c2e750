"""The tokens of a corpus: written once to a memory-mapped file, and read from there by every run.

A document lies in the file as what stands before a text, its ids, and the end token. Beside it lies how many bytes of
text each document has, so that a run reads the texts no more.

Shapes: D documents.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.experiments.pretraining.documents import read_ids, read_texts
from shoal.experiments.storage import disk_faults
from shoal.files import atomic_folder
from shoal.text import plain_ids
from shoal.training import open_token_file, write_token_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.training import TokenFile

_TEXTS_A_CALL = 512
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class TokenizedCorpus:
    """A corpus as arrays; the tokens are mapped from the file."""

    file: TokenFile
    sizes_D: npt.NDArray[np.int64]
    """Bytes of text."""

    ids_D: npt.NDArray[np.uint64]
    """The ids of the documents as numbers."""

    opening: int
    """How many tokens stand before each text."""

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each document begins, what stands before its text included."""
        return np.asarray(self.file.ends - self.file.lengths, dtype=np.int64)


def tokenizer_digest(tokenizer: PreTrainedTokenizerFast) -> str:
    """What tells one tokenizer from another, as 64 hexadecimal characters."""
    known = [tokenizer.backend_tokenizer.to_str(), tokenizer.bos_token_id, tokenizer.eos_token_id]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def prepare_tokens(
    texts: Path, tokenizer: PreTrainedTokenizerFast, *, name: str, progress: Progress | None = None
) -> TokenizedCorpus:
    """The tokens of a prepared file of documents, written beside it where they are not there yet.

    Args:
        texts: the file that `prepare_documents` gave.
        tokenizer: needs an end token.
        name: the corpus, for ``progress``.
        progress: called with (what, done, total).

    Raises:
        DataError: the tokenizer has no end token.
        StoreError: the disk is full, or the folder cannot be written.
    """
    if tokenizer.eos_token_id is None:
        raise DataError("the tokenizer has no end token, which parts the documents; take another or set one")
    from shoal.evaluation import document_opening

    opening = document_opening(tokenizer)
    known = json.dumps([_FORMAT, texts.name, tokenizer_digest(tokenizer), opening])
    folder = texts.parent / f"tokens-{hashlib.sha256(known.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        with disk_faults(texts.parent):
            _write(folder, texts, _Encoder(tokenizer, opening, name, progress))
    return TokenizedCorpus(
        file=open_token_file(folder / "tokens"),
        sizes_D=np.load(folder / "sizes.npy"),
        ids_D=read_ids(texts),
        opening=len(opening),
    )


class _Encoder:
    """Texts to rows of ids, with the sizes of what went through."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, opening: tuple[int, ...], name: str, progress: Progress | None
    ) -> None:
        self.tokenizer, self.opening, self.name, self.progress = tokenizer, opening, name, progress
        self.sizes: list[int] = []

    def encode(self, texts: Iterator[str]) -> Iterator[list[int]]:
        """The row of each text."""
        end = int(self.tokenizer.eos_token_id)
        while group := list(islice(texts, _TEXTS_A_CALL)):
            self.sizes += [len(text.encode("utf-8", "surrogatepass")) for text in group]
            yield from ([*self.opening, *row, end] for row in plain_ids(self.tokenizer, group))
            if self.progress is not None:
                self.progress(f"tokens of {self.name}", len(self.sizes), len(self.sizes))


def _write(folder: Path, texts: Path, encoder: _Encoder) -> None:
    """All files of a corpus, or none."""
    with atomic_folder(folder) as fresh:
        write_token_file(fresh / "tokens", encoder.encode(read_texts(texts)), vocabulary=len(encoder.tokenizer))
        np.save(fresh / "sizes.npy", np.asarray(encoder.sizes, dtype=np.int64))
