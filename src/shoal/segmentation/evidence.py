"""The evidence of every segment from whatever a channel gave, for each setting that is to be tried."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from shoal.segmentation.vectors import VectorEvidence
from shoal.segmentation.words import WordEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from shoal.segmentation.features import Features

_CONCENTRATIONS = (400.0, 800.0, 1600.0, 3200.0)
_BETWEEN = (0.05, 0.1, 0.2, 0.3)
_MEMORIES = (1.0, 0.9)


def scored_settings(features: Features) -> Iterator[NDArray[np.float64]]:
    """For each setting, the log evidence of the segment from i to j at [i, j]; that of counts and of vectors added."""
    words = [] if features.counts is None else [WordEvidence(features.counts).scores(a) for a in _CONCENTRATIONS]
    vectors = []
    if features.vectors is not None:
        evidence = VectorEvidence(features.vectors)
        vectors = [evidence.scores(b, m) for b, m in itertools.product(_BETWEEN, _MEMORIES)]
    if not words or not vectors:
        yield from words or vectors
        return
    for one, other in itertools.product(words, vectors):
        yield one + other
