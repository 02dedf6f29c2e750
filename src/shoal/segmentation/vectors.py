"""Vectors: segments in which sentences point the same way.

A segment has a mean m, drawn afresh around the origin with the share ``between`` of the vectors' variance; a sentence's
vector is x = t m + e, with its trust t (1 where nothing is known) and noise e that fills the vector up to its usual
length. From one sentence to the next the mean keeps the share ``memory`` of itself and is drawn afresh for the rest, so
that a text that wanders slowly is not cut. The mean is summed out sentence by sentence (a Kalman filter that starts
with each segment), which makes a segment's evidence the product of the predictive densities of its sentences.

That means are drawn around the origin, not around the document's mean, matters: the sentences of a document of one
subject then share one mean, and a cut would have to draw the same mean twice.

The directions of a vector are neither equally wide nor independent; half the number of independent ones (the
participation ratio of the covariance, from differences of neighbours) scales the evidence.

Source: Kalman (1960); Fearnhead (2006), section 2, for summing parameters out of each segment; Del Giudice (2021),
Multivariate Behavioral Research 56, for the effective number of dimensions. Cost: O(n² d).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CAUTION = 0.5
"""Neighbouring sentences are not independent given their mean, so a direction counts half."""


class VectorEvidence:
    """The evidence of every segment, for any share of variance between segments and any memory within them.

    Args:
        vectors_ND: a vector for each of n sentences, measured from an origin that says nothing.
        trust_N: how much of a sentence's vector its segment can explain, beside that of a long sentence; within (0, 1].
    """

    def __init__(self, vectors_ND: NDArray[np.floating], trust_N: NDArray[np.floating] | None = None) -> None:
        vectors_ND = np.asarray(vectors_ND, dtype=np.float64)
        self._variance = float((vectors_ND**2).mean()) if vectors_ND.size else 0.0
        self._vectors_ND = vectors_ND / np.sqrt(self._variance or 1.0)
        self._trust_N = np.ones(len(vectors_ND)) if trust_N is None else np.asarray(trust_N, dtype=np.float64)
        self._weight = _CAUTION * effective_dimensions(self._vectors_ND) / max(1, vectors_ND.shape[1])

    def scores(self, between: float, memory: float) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            between: the share of the variance that lies between the means, within (0, 1).
            memory: how much of itself a segment's mean keeps from one sentence to the next, within (0, 1].
        """
        size, dimensions = self._vectors_ND.shape
        scores = np.zeros((size + 1, size + 1))
        if self._variance == 0:
            return scores
        # Row i is the filter that started with sentence i; all of them are one sentence further at each step.
        means_ND = np.zeros((size, dimensions))
        spread_N = np.full(size, between)
        total_N = np.zeros(size)
        for length in range(1, size + 1):
            starts = np.arange(size - length + 1)
            trust, spread = self._trust_N[length - 1 :], spread_N[: len(starts)]
            error_ND = self._vectors_ND[length - 1 :] - trust[:, None] * means_ND[: len(starts)]
            variance = trust**2 * spread + 1 - trust**2 * between
            squares = np.einsum("nd,nd->n", error_ND, error_ND)
            total_N = total_N[: len(starts)] - (squares / variance + dimensions * np.log(variance)) / 2
            scores[starts, starts + length] = self._weight * total_N
            gain = trust * spread / variance
            means_ND = memory * (means_ND[: len(starts)] + gain[:, None] * error_ND)
            spread_N = memory**2 * spread * (1 - gain * trust) + (1 - memory**2) * between
        return scores


def effective_dimensions(vectors_ND: NDArray[np.float64]) -> float:
    """How many independent directions of equal width the noise of the vectors has: tr(Σ)² / tr(Σ²).

    Differences of neighbours take away what changes slowly; tr(Σ²) is the mean squared product of differences that
    share no sentence, which is unbiased. Between 1 and the number of dimensions.
    """
    size, dimensions = vectors_ND.shape
    if size < 4:
        return 1.0
    steps_ND = np.diff(vectors_ND, axis=0)
    products = steps_ND @ steps_ND.T
    square = float(np.mean(products[np.triu_indices(len(steps_ND), 2)] ** 2))
    if square == 0:
        return 1.0
    return float(np.clip((np.trace(products) / len(steps_ND)) ** 2 / square, 1.0, max(1, dimensions)))
