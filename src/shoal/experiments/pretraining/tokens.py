"""The tokenizer of a recipe and the tokens of its corpora: made once in a cache, and read from there by every run.

A document lies in the memory-mapped file of tokens as what stands before a text, its ids, and the end token. With it
lies how many bytes of text each document has, so that a run need not read the texts.

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
from shoal.experiments.pretraining.documents import cache_faults, read_ids, read_texts
from shoal.experiments.storage import disk_faults
from shoal.files import atomic_folder
from shoal.text import plain_ids
from shoal.training import open_token_file, write_token_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.split import Mask
    from shoal.progress import Progress
    from shoal.training import TokenFile


_TOKENIZER_FORMAT = 1
"""Raised where an equal recipe would give another tokenizer."""


def prepare_tokenizer(
    recipe: Recipe,
    texts: Mapping[str, Path],
    seen: Mapping[str, Mask],
    *,
    progress: Progress | None = None,
) -> PreTrainedTokenizerFast:
    """The tokenizer of the recipe, learned where it is not there yet.

    Args:
        recipe: names it, or how it is learned.
        texts: the prepared documents by corpus; a learned tokenizer is kept next to them.
        seen: which documents it may see.
        progress: called with (what, done, total).

    Raises:
        UsageError: a vocabulary larger than the corpora give, or too small.
        ModelError: the tokenizer that was named cannot be loaded.
        StoreError: the disk is full, or the tokenizer of the cache is damaged.
    """
    from transformers import PreTrainedTokenizerFast

    from shoal.models import load_tokenizer
    from shoal.text import save_tokenizer, train_tokenizer

    table = recipe.tokenizer
    if table.source is not None:
        return load_tokenizer(table.source)
    texts = {name: file for name, file in texts.items() if name in (table.corpora or texts)}
    seen = {name: seen[name] for name in texts}
    # Held-out documents are a part of the key: a run may not take a tokenizer that has learned from its own.
    masks = hashlib.sha256(b"".join(np.packbits(mask).tobytes() for mask in seen.values())).hexdigest()
    known = json.dumps(
        [_TOKENIZER_FORMAT, table.model_dump(mode="json"), [file.name for file in texts.values()], masks]
    )
    home = next(iter(texts.values())).parent
    folder = home / f"tokenizer-{hashlib.sha256(known.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        documents = list(_sample(texts, seen, table.documents))
        vocabulary = table.vocabulary if table.vocabulary != "auto" else _best(documents, recipe, progress)
        made = train_tokenizer(documents, kind=table.kind, vocabulary=vocabulary, context=recipe.model.context)
        with disk_faults(home):
            save_tokenizer(made, folder)
    with cache_faults(folder):
        tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    # The folder is shared by recipes of other contexts.
    tokenizer.model_max_length = recipe.model.context
    return tokenizer


def _best(documents: list[str], recipe: Recipe, progress: Progress | None) -> int:
    from shoal.text import choose_vocabulary

    return choose_vocabulary(documents, kind=recipe.tokenizer.kind, progress=progress).size


def _sample(texts: Mapping[str, Path], seen: Mapping[str, Mask], max_documents: int) -> Iterator[str]:
    """Seen documents of all corpora, from each the same share, in order."""
    # A fractional stride, so that all parts of each corpus are represented; its first documents may be of one kind.
    every = max(1.0, sum(int(mask.sum()) for mask in seen.values()) / max_documents)
    for name, file in texts.items():
        places = np.flatnonzero(seen[name])
        chosen = set(places[np.arange(0, len(places), every).astype(np.int64)].tolist())
        yield from (text for place, text in enumerate(read_texts(file)) if place in chosen)


# Enough to keep the threads of the tokenizer busy; more would only take memory.
_TEXTS_PER_CALL = 512
_TOKENS_FORMAT = 1
"""Raised where equal documents and an equal tokenizer would give other files."""


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


def _state_of(tokenizer: PreTrainedTokenizerFast) -> str:
    """A digest of everything that a tokenizer's file states, as 64 hexadecimal characters."""
    known = [tokenizer.backend_tokenizer.to_str(), tokenizer.bos_token_id, tokenizer.eos_token_id]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def prepare_tokens(
    texts: Path, tokenizer: PreTrainedTokenizerFast, *, name: str, progress: Progress | None = None
) -> TokenizedCorpus:
    """The tokens of a prepared file of documents, written next to it where they are not there yet.

    Args:
        texts: the file that `prepare_documents` gave.
        tokenizer: needs an end token.
        name: the corpus, for ``progress``.
        progress: called with (what, done, total).

    Raises:
        DataError: the tokenizer has no end token.
        StoreError: the disk is full, the folder cannot be written, or what lies in it is damaged.
    """
    if tokenizer.eos_token_id is None:
        raise DataError("the tokenizer has no end token, which separates the documents; take another or set one")
    from shoal.evaluation import document_opening

    opening = document_opening(tokenizer)
    known = json.dumps([_TOKENS_FORMAT, texts.name, _state_of(tokenizer), opening])
    folder = texts.parent / f"tokens-{hashlib.sha256(known.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        with disk_faults(texts.parent):
            _write(folder, texts, _Encoder(tokenizer, opening, name, progress))
    with cache_faults(folder):
        file, sizes_D = open_token_file(folder / "tokens"), np.load(folder / "sizes.npy")
    return TokenizedCorpus(file=file, sizes_D=sizes_D, ids_D=read_ids(texts), opening=len(opening))


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
        while group := list(islice(texts, _TEXTS_PER_CALL)):
            self.sizes += [len(text.encode("utf-8", "surrogatepass")) for text in group]
            yield from ([*self.opening, *row, end] for row in plain_ids(self.tokenizer, group))
            if self.progress is not None:
                self.progress(f"tokens of {self.name}", len(self.sizes), len(self.sizes))


def _write(folder: Path, texts: Path, encoder: _Encoder) -> None:
    """All files of a corpus, or none."""
    with atomic_folder(folder) as fresh:
        write_token_file(fresh / "tokens", encoder.encode(read_texts(texts)), vocabulary=len(encoder.tokenizer))
        np.save(fresh / "sizes.npy", np.asarray(encoder.sizes, dtype=np.int64))
