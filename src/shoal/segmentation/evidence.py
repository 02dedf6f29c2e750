"""The evidence of every segment from whatever a channel gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.classes import ClassEvidence
from shoal.segmentation.vectors import VectorEvidence
from shoal.segmentation.words import WordEvidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.segmentation.features import Features

_CONCENTRATION, _WORD_MEMORY = 400.0, 0.9
_OWN_CONCENTRATION = 800.0
_BETWEEN, _VECTOR_MEMORY = 0.35, 0.95


class Evidence:
    """That of all parts of the features added, at any concentration of the words.

    Args:
        features: what a channel made of the sentences.
    """

    def __init__(self, features: Features) -> None:
        size = len(features)
        self._rest = np.zeros((size + 1, size + 1))
        self._words = None if features.counts is None else WordEvidence(features.counts, features.background)
        self._usual = _OWN_CONCENTRATION if features.background is None else _CONCENTRATION
        if features.vectors is not None:
            self._rest += VectorEvidence(features.vectors, features.trust).scores(_BETWEEN, _VECTOR_MEMORY)
        if features.likelihoods is not None:
            self._rest += ClassEvidence(features.likelihoods).scores()

    def scores(self, times: float = 1.0) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j].

        Args:
            times: the concentration of the words, in times the usual one.
        """
        if self._words is None:
            return self._rest
        scores: NDArray[np.float64] = self._rest + self._words.scores(times * self._usual, _WORD_MEMORY)
        return scores
