"""Vectors of documents, which a head reads.

A spec names the kind and what it needs: ``hashed``, ``words:FILE`` (word vectors), ``hidden:MODEL`` (the states of a
causal language model), ``encoder:MODEL`` (a sentence-transformers model). A new kind is one subclass with a name.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.models import FactoredModel

_WORD = re.compile(r"\w+|[^\w\s]")

DIMENSIONS = 2**12
"""Of hashed vectors: a head learns from 300 to 2,000 labels, too few to learn more weights from."""

MAX_TOKENS = 512
"""Tokens of a document that a model reads, as in FineWeb-Edu, whose encoder reads no more."""

# Tokens of a padded batch, which bound the memory of its hidden states whatever the lengths of the documents.
_TOKEN_BUDGET = 4096


class Vectorizer(ABC):
    """Turns texts into vectors.

    Args:
        source: what the kind needs: a file, a model spec, or nothing.
    """

    name: ClassVar[str]
    needs: ClassVar[str]
    """What the source is; empty where there is none."""

    def __init__(self, source: str) -> None:
        if bool(source) != bool(self.needs):
            form = f"{self.name}:{self.needs}" if self.needs else self.name
            raise UsageError(f"the vectors {self.name}:{source} cannot be had; write {form}")
        self.spec = f"{self.name}:{source}" if source else self.name
        self.digest = ""
        """Of the weights behind the vectors; a head is only used with those that it was trained with."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, dimensions).

        Args:
            texts: documents.
        """


class HashedVectorizer(Vectorizer):
    """Square roots of the shares of hashed words and pairs of words (the Hellinger transform), length 1 at most.

    Source: Weinberger et al. 2009, ICML, for hashing with signs; no model is needed, and a new word has a place.
    """

    name = "hashed"
    needs = ""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, `DIMENSIONS`)."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            counts: dict[int, int] = {}
            words = [word.encode("utf-8", "surrogatepass") for word in _WORD.findall(text.lower())]
            # CRC-32 is the same on every machine, unlike hash().
            for code in (*map(zlib.crc32, words), *(zlib.crc32(b" ".join(pair)) for pair in pairwise(words))):
                counts[code] = counts.get(code, 0) + 1
            total = sum(counts.values())
            for code, count in counts.items():
                # The highest bit, which the place (the low twelve) does not use: collisions then cancel on average.
                sign = 1.0 if code >> 31 else -1.0
                vector[code % DIMENSIONS] += sign * (count / total) ** 0.5
        return vectors


class WordMeanVectorizer(Vectorizer):
    """The mean of the vectors of a document's words; 0 where none has one."""

    name = "words"
    needs = "FILE"

    def __init__(self, source: str) -> None:
        super().__init__(source)
        from pathlib import Path

        from shoal.files import digest_of_files
        from shoal.text.vectors import read_vector_file

        found = read_vector_file(source)
        self._unit = found.unit()
        self._place = {word: place for place, word in enumerate(found.words)}
        self.digest = digest_of_files(Path(source))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, dimensions of the word vectors)."""
        vectors = np.zeros((len(texts), self._unit.shape[1]), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            places = [self._place[word] for word in _WORD.findall(text.lower()) if word in self._place]
            if places:
                vector[:] = self._unit[places].mean(axis=0)
        return vectors


class EncoderVectorizer(Vectorizer):
    """A sentence-transformers model, read without that library (FineWeb-Edu: Snowflake's arctic-embed-m)."""

    name = "encoder"
    needs = "MODEL"

    def __init__(self, source: str) -> None:
        super().__init__(source)
        from shoal.models import SentenceEncoder

        self._encoder = SentenceEncoder(source)
        self.digest = self._encoder.digest

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, hidden size)."""
        return self._encoder.encode(texts)


class HiddenVectorizer(Vectorizer):
    """The mean of the last hidden states of a causal language model over the first tokens of a document."""

    name = "hidden"
    needs = "MODEL"

    def __init__(self, source: str) -> None:
        super().__init__(source)
        from shoal.models import load_for_scoring, tokenizer_digest

        self._loaded = load_for_scoring(source)
        # Another tokenizer under the same weights gives other vectors.
        known = f"{self._loaded.digest} {tokenizer_digest(self._loaded.tokenizer)}"
        self.digest = hashlib.sha256(known.encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, hidden size); that of the opening for a text without tokens."""
        from shoal.evaluation import document_opening, model_limits, scoring_mode
        from shoal.models import factor_model
        from shoal.text import plain_ids

        model = self._loaded.model
        # A model without a stated limit (relative or no positions) reads as much as the others.
        limit = min(MAX_TOKENS, model_limits(model)[0] or MAX_TOKENS)
        opening = document_opening(self._loaded.tokenizer)
        rows = [(*opening, *ids)[:limit] for ids in plain_ids(self._loaded.tokenizer, texts)]
        with scoring_mode(model):
            factored = factor_model(model)
            if factored.head is None:
                raise UsageError(f"the hidden states of {self.spec} cannot be had; give another model, or vectors")
            means = {place: mean for places in _batches(rows) for place, mean in _means(factored, rows, places).items()}
        return np.stack([means[place] for place in range(len(rows))]) if rows else np.zeros((0, 0), np.float32)


def make_vectorizer(spec: str) -> Vectorizer:
    """The vectorizer that a spec names.

    Args:
        spec: a kind, with what it needs behind a colon.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: what it needs is missing, or given to one that needs nothing.
        ShoalError: a file or a model cannot be read.
    """
    name, _, source = spec.partition(":")
    known = {kind.name: kind for kind in Vectorizer.__subclasses__()}
    if name not in known:
        raise UnknownNameError("kind of vectors", name, known)
    return known[name](source)


def _batches(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of rows of like lengths, within a budget of tokens."""
    batch: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: len(rows[place])):
        if batch and (len(batch) + 1) * len(rows[place]) > _TOKEN_BUDGET:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _means(factored: FactoredModel, rows: Sequence[Sequence[int]], places: list[int]) -> dict[int, NDArray[np.float32]]:
    """The mean hidden state of each row at these places; what is padded on the right plays no part."""
    import torch

    # A model whose numbers depend on padding reads its rows one at a time.
    groups = [places] if factored.padding == "right" else [[place] for place in places]
    found: dict[int, NDArray[np.float32]] = {}
    for group in groups:
        width = max(len(rows[place]) for place in group)
        ids_BL = torch.tensor([[*rows[place], *[0] * (width - len(rows[place]))] for place in group])
        hidden_BLD = factored.hidden(ids_BL.to(factored.model.device)).float().cpu()
        for states_LD, place in zip(hidden_BLD, group, strict=True):
            found[place] = states_LD[: len(rows[place])].mean(dim=0).numpy()
    return found
