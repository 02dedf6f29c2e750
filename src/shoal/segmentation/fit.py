"""How each sentence sits in its segment: a number from 0 to 1 and what it is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.special import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.features import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceFit:
    """One sentence."""

    value: float
    """From 0 to 1."""

    says: str
    """What was measured."""

    class_place: int | None = None
    """The place of its most likely class, where the channel has classes."""


def sentence_fits(features: Features, lengths: Sequence[int], classes: Sequence[str] = ()) -> list[SentenceFit]:
    """What a channel says of each sentence: its class, or how much it is like the others of its segment.

    Args:
        features: what the channel made of the sentences.
        lengths: how many sentences each segment has.
        classes: the names of the columns of the likelihoods, where there are any.
    """
    if features.likelihoods is not None:
        return _classes(np.asarray(features.likelihoods, dtype=float), classes)
    segments = np.repeat(np.arange(len(lengths)), lengths)
    if features.vectors is not None:
        values = _cosines(np.asarray(features.vectors, dtype=float), segments)
        return [SentenceFit(value=value, says=f"cosine {value:.2f} with the rest of its segment") for value in values]
    values = _shared(sparse.csr_array(features.counts), segments)
    return [SentenceFit(value=value, says=f"{value:.0%} of its words come again in its segment") for value in values]


def _classes(likelihoods_NC: NDArray[np.float64], classes: Sequence[str]) -> list[SentenceFit]:
    probabilities = softmax(likelihoods_NC, axis=1)
    best = probabilities.argmax(axis=1)
    return [
        SentenceFit(value=float(row[place]), says=f"{classes[place]} {row[place]:.2f}", class_place=int(place))
        for row, place in zip(probabilities, best, strict=True)
    ]


def _cosines(vectors_ND: NDArray[np.float64], segments: NDArray[np.intp]) -> list[float]:
    """Cosines with the mean of the other sentences of the segment, what is below 0 taken as 0; 0 for one alone."""
    sums = np.stack([vectors_ND[segments == segment].sum(axis=0) for segment in range(segments.max() + 1)])
    others = sums[segments] - vectors_ND
    norms = np.linalg.norm(others, axis=1) * np.linalg.norm(vectors_ND, axis=1)
    products = np.einsum("nd,nd->n", others, vectors_ND)
    cosines = np.divide(products, norms, out=np.zeros(len(norms)), where=norms > 1e-12)
    return [float(value) for value in np.clip(cosines, 0, 1)]


def _shared(counts: sparse.csr_array, segments: NDArray[np.intp]) -> list[float]:
    """Of the distinct words of each sentence, the share that another sentence of its segment has; 0 without words."""
    present = (counts > 0).astype(np.float64)
    member = sparse.csr_array((np.ones(len(segments)), (segments, np.arange(len(segments)))))
    times = (member @ present)[segments]
    again = np.asarray(((times > 1).multiply(present)).sum(axis=1)).ravel()
    words = np.asarray(present.sum(axis=1)).ravel()
    return [float(value) for value in np.divide(again, words, out=np.zeros(len(words)), where=words > 0)]
