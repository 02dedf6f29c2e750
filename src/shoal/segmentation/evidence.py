"""The evidence of every segment from whatever a channel gave, for each setting that is to be tried."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.classes import ClassEvidence
from shoal.segmentation.vectors import VectorEvidence
from shoal.segmentation.words import WordEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shoal.segmentation.features import Features

_CONCENTRATIONS = (400.0, 800.0, 1600.0, 3200.0)
_BETWEEN = (0.05, 0.1, 0.2, 0.3)
_MEMORIES = (1.0, 0.9)


def scored_settings(features: Features) -> Iterator[NDArray[np.float64]]:
    """For each setting, the log evidence of the segment from i to j at [i, j]; that of all parts added."""
    parts = []
    if features.counts is not None:
        words = WordEvidence(features.counts)
        parts.append([words.scores(concentration) for concentration in _CONCENTRATIONS])
    if features.vectors is not None:
        vectors = VectorEvidence(features.vectors)
        parts.append([vectors.scores(b, m) for b, m in itertools.product(_BETWEEN, _MEMORIES)])
    if features.likelihoods is not None:
        parts.append([ClassEvidence(features.likelihoods).scores()])
    for settings in itertools.product(*parts):
        yield functools.reduce(np.add, settings)
