"""Channels that read by a neural model: sentence vectors, and the surprisal of a language model."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import UsageError
from shoal.files import atomic_file, cache_folder
from shoal.segmentation.channels import Channel, Features
from shoal.segmentation.channels.words import WORD

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.models import LoadedModel, SentenceEncoder

_NOISE_WORDS = 8.0
"""The number of words at which half of a sentence's vector is what a long sentence's would be."""

_OPENING = "\n"
"""What the first sentence is predicted from."""


class _ModelChannel(Channel):
    """A channel that needs a model; it has no name, so that it is not found as a channel itself."""

    @abstractmethod
    def __init__(self, model: str) -> None: ...

    @classmethod
    def create(cls, *, model: str | None = None, head: str | os.PathLike[str] | None = None) -> Channel:
        """With a model."""
        del head
        assert model is not None
        return cls(model)


class SentenceVectorChannel(_ModelChannel):
    """Vectors of a sentence-transformers model, cached on disk.

    The vectors are not centred: their origin is where the encoder puts nothing in particular.

    Args:
        model: a folder as sentence-transformers writes it, or a hub id.
        cache: the folder of the cache, keyed by weights, settings and text; by default ``vectors`` in
            `shoal.files.cache_folder`.
        device: what torch calls a device.
    """

    name = "vectors"
    reads = "sentence vectors"
    model = "a sentence encoder"

    def __init__(
        self, model: str | os.PathLike[str], *, cache: str | os.PathLike[str] | None = None, device: str = "cpu"
    ) -> None:
        # A string may be a hub id, which is no path.
        self._spec, self._device = model if isinstance(model, str) else Path(model), device
        self._cache = cache_folder("vectors") if cache is None else Path(cache)
        self._loaded: SentenceEncoder | None = None

    def features(self, sentences: Sequence[str]) -> Features:
        """A vector for each sentence, trusted by its number of words.

        Raises:
            ShoalError: as `shoal.models.sentence_vectors.SentenceEncoder` does.
        """
        words = np.array([len(WORD.findall(sentence)) for sentence in sentences])
        return Features(vectors=self._vectors(sentences), trust=length_trust(words))

    def _vectors(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        path = self._cache / f"{self._key(sentences)}.npy"
        if path.is_file():
            # Loading a pickle from a cache folder would run whatever code someone put there.
            cached: NDArray[np.float32] = np.load(path, allow_pickle=False)
            return cached
        vectors = self._encoder().encode(sentences)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as draft, draft.open("wb") as file:
            np.save(file, vectors)
        return vectors

    def _key(self, sentences: Sequence[str]) -> str:
        encoder = self._encoder()
        digest = hashlib.sha256(encoder.digest.encode())
        for sentence in sentences:
            # The zero byte separates: the same text cut elsewhere is another key.
            digest.update(b"\0" + sentence.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _encoder(self) -> SentenceEncoder:
        if self._loaded is None:
            from shoal.models import SentenceEncoder

            self._loaded = SentenceEncoder(self._spec, device=self._device)
        return self._loaded


class SurprisalChannel(_ModelChannel):
    """Mean surprisal of each sentence's tokens, in bits per byte, given the sentences before it.

    The values are centred and scaled by the document's own mean and standard deviation, so what counts is where it
    becomes easier or harder to predict than it is on the whole.

    Args:
        model: a model spec, or a model that is loaded already.
        context: how many sentences before it a sentence is predicted from.
        device: what torch calls a device, for a model that is loaded here.

    Raises:
        UsageError: the context is below 1.
    """

    name = "surprisal"
    reads = "how well a language model predicts each sentence"
    model = "a language model"

    def __init__(self, model: str | LoadedModel, *, context: int = 2, device: str = "auto") -> None:
        if context < 1:
            raise UsageError(f"the context is {context}; expected at least 1 sentence")
        self._model, self._context, self._device = model, context, device

    def features(self, sentences: Sequence[str]) -> Features:
        """The standardised surprisal of each sentence (N by 1), trusted by its number of words.

        Raises:
            ShoalError: as `shoal.models.load_model` and `shoal.evaluation.evaluate` do.
        """
        from shoal.evaluation import evaluate
        from shoal.models import load_model
        from shoal.tasks import Example

        loaded = load_model(self._model, device=self._device) if isinstance(self._model, str) else self._model
        examples = [
            Example(prompt=self._before(sentences, place), completion=f" {sentence}", ends=False)
            for place, sentence in enumerate(sentences)
        ]
        scores = evaluate(loaded.model, loaded.tokenizer, examples, greedy_text=False)
        bits = np.array([item.bits_per_byte for item in scores.items], dtype=np.float64)
        # Where all sentences are alike the values are 0, not NaN.
        deviation = bits.std() or 1.0
        words = np.array([len(WORD.findall(sentence)) for sentence in sentences])
        return Features(vectors=((bits - bits.mean()) / deviation)[:, None], trust=length_trust(words))

    def _before(self, sentences: Sequence[str], place: int) -> str:
        return " ".join(sentences[max(0, place - self._context) : place]) or _OPENING


def length_trust(words: NDArray[np.intp]) -> NDArray[np.float64]:
    """How much of what is measured of a sentence its segment can explain, by its number of words.

    A sentence's noise falls as one over its length, so its trust is √(w / (w + 8)).
    """
    heard = np.maximum(words, 1).astype(np.float64)
    trust: NDArray[np.float64] = np.sqrt(heard / (heard + _NOISE_WORDS))
    return trust
