"""Classes: segments of one class each, the sentences of which a trained head has judged one by one.

The head says how likely each class makes each sentence. A segment is of one class, which is summed out under a uniform
prior: its evidence is log (1/C) Σ_c exp Σ_i log p(x_i | c). Cost: O(n² C).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ClassEvidence:
    """The evidence of every segment, from the log-likelihoods of its sentences."""

    def __init__(self, likelihoods_NC: NDArray[np.floating]) -> None:
        likelihoods_NC = np.asarray(likelihoods_NC, dtype=np.float64)
        # What all classes share changes no comparison; without it a segment of no class is worth 0.
        likelihoods_NC = likelihoods_NC - logsumexp(likelihoods_NC, axis=1, keepdims=True)
        self._sums = np.concatenate([np.zeros((1, likelihoods_NC.shape[1])), np.cumsum(likelihoods_NC, axis=0)])

    def scores(self) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1."""
        size = len(self._sums)
        scores = np.zeros((size, size))
        for start in range(size - 1):
            scores[start, start + 1 :] = logsumexp(self._sums[start + 1 :] - self._sums[start], axis=1)
        scores -= np.log(self._sums.shape[1])
        return np.triu(scores, 1)


def class_probabilities(likelihoods_NC: NDArray[np.floating]) -> NDArray[np.float64]:
    """How probable each class is of all sentences together (C), under a uniform prior."""
    total = np.asarray(likelihoods_NC, dtype=np.float64).sum(axis=0)
    probabilities: NDArray[np.float64] = np.exp(total - logsumexp(total))
    return probabilities
