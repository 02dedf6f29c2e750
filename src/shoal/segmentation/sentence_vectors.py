"""The channel of sentence vectors: segments by what their sentences mean."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from shoal.files import atomic_file, cache_folder
from shoal.segmentation.features import Features
from shoal.segmentation.words import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from shoal.models import SentenceEncoder

_NOISE_WORDS = 8.0
"""The words at which half of a sentence's vector is what a long sentence's would be."""


class SentenceVectors:
    """Reads sentences by a sentence-transformers model; what was read once is kept on disk.

    The vectors are not centred: their origin is where the encoder puts nothing in particular.

    Args:
        model: a folder as sentence-transformers writes it, or a hub id.
        cache: the folder where vectors are kept, keyed by weights, settings and text; by default ``vectors`` in
            `shoal.files.cache_folder`.
        device: what torch calls a device.
    """

    name = "vectors"

    def __init__(self, model: str | Path, *, cache: Path | None = None, device: str = "cpu") -> None:
        self._spec, self._device = model, device
        self._cache = cache or cache_folder("vectors")
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
            kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
            return kept
        vectors = self._encoder().encode(sentences)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as draft, draft.open("wb") as file:
            np.save(file, vectors)
        return vectors

    def _key(self, sentences: Sequence[str]) -> str:
        encoder = self._encoder()
        digest = hashlib.sha256(f"{encoder.digest} {encoder.settings}".encode())
        for sentence in sentences:
            digest.update(b"\0" + sentence.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _encoder(self) -> SentenceEncoder:
        if self._loaded is None:
            from shoal.models import SentenceEncoder

            self._loaded = SentenceEncoder(self._spec, device=self._device)
        return self._loaded


def length_trust(words: NDArray[np.intp]) -> NDArray[np.float64]:
    """How much of what is measured of a sentence its segment can explain, by its number of words.

    A sentence's noise falls as one over its length, so its trust is √(w / (w + 8)).
    """
    heard = np.maximum(words, 1).astype(np.float64)
    trust: NDArray[np.float64] = np.sqrt(heard / (heard + _NOISE_WORDS))
    return trust
