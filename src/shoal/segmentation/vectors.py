"""Vectors: segments in which sentences lie around a mean of their own.

A segment's mean is drawn around the document's with variance B, its sentences around that mean with variance W. The
mean is summed out sentence by sentence (a Kalman filter that starts afresh with each segment), so a segment's evidence
is the product of the predictive densities of its sentences. Within a segment the mean may drift: from one sentence to
the next it keeps the share ``memory`` of itself, so that a text that wanders slowly is not cut.

The directions of a sentence vector are neither equally wide nor independent; the number of independent ones (the
participation ratio of the covariance, estimated from differences of neighbours) scales the evidence.

Source: Kalman (1960); Fearnhead (2006), section 2, for summing parameters out of each segment; Del Giudice (2021),
Multivariate Behavioral Research 56, for the effective number of dimensions. Cost: O(n² d).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class VectorEvidence:
    """The evidence of every segment, for any share of variance between segments and any memory within them."""

    def __init__(self, vectors: NDArray[np.floating]) -> None:
        vectors = np.asarray(vectors, dtype=np.float64)
        self._vectors_ND = vectors - vectors.mean(axis=0)
        self._variance = float((self._vectors_ND**2).mean())
        dimensions = vectors.shape[1]
        self._weight = effective_dimensions(self._vectors_ND) / dimensions

    def scores(self, between: float, memory: float) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            between: the share of the variance that lies between the means, within (0, 1).
            memory: how much of its deviation a segment's mean keeps from one sentence to the next, within (0, 1].
        """
        size, dimensions = self._vectors_ND.shape
        scores = np.zeros((size + 1, size + 1))
        if self._variance == 0:
            return scores
        means = np.zeros((size, dimensions))
        within, uncertain = 1 - between, between
        total = np.zeros(size)
        for length in range(1, size + 1):
            starts = np.arange(size - length + 1)
            error = self._vectors_ND[length - 1 :] - means[: len(starts)]
            spread = uncertain + within
            squares = np.einsum("nd,nd->n", error, error) / self._variance
            total = total[: len(starts)] - (squares / spread + dimensions * np.log(spread)) / 2
            scores[starts, starts + length] = self._weight * total
            means = memory * (means[: len(starts)] + uncertain / spread * error)
            uncertain = memory**2 * uncertain * within / spread + (1 - memory**2) * between
        return scores


def effective_dimensions(vectors_ND: NDArray[np.float64]) -> float:
    """How many independent directions of equal width the noise of the vectors has: tr(Σ)² / tr(Σ²).

    Differences of neighbours take away what changes slowly; tr(Σ²) is the mean squared product of differences that
    share no sentence, which is unbiased. Between 1 and the number of dimensions.
    """
    size, dimensions = vectors_ND.shape
    if size < 4:
        return 1.0
    steps = np.diff(vectors_ND, axis=0)
    products = steps @ steps.T
    apart = products[np.triu_indices(len(steps), 2)]
    square = float(np.mean(apart**2))
    if square == 0:
        return 1.0
    return float(np.clip((np.trace(products) / len(steps)) ** 2 / square, 1.0, dimensions))
