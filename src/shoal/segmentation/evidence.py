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


def segment_scores(features: Features) -> NDArray[np.float64]:
    """The log evidence of the segment from i to j (not included) at [i, j]; that of all parts added."""
    size = len(features)
    scores = np.zeros((size + 1, size + 1))
    if features.counts is not None:
        concentration = _OWN_CONCENTRATION if features.background is None else _CONCENTRATION
        scores += WordEvidence(features.counts, features.background).scores(concentration, _WORD_MEMORY)
    if features.vectors is not None:
        scores += VectorEvidence(features.vectors, features.trust).scores(_BETWEEN, _VECTOR_MEMORY)
    if features.likelihoods is not None:
        scores += ClassEvidence(features.likelihoods).scores()
    return scores
