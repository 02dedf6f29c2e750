"""How many segments: chosen for each document by the document itself.

A segmentation's prior is a product over its segments of a length distribution: a gamma density of some mean and shape,
summed to one over whole sentences. Each mean and shape gives the document an evidence, all segmentations summed out;
they are averaged with it as their weight. So what a cut has to gain is set by the document: where its segments are
short, or of like lengths, cuts that fit in cost little, and where nothing changes the longest mean wins and a cut
costs the most.

Cost: n steps over vectors of length n for each mean and shape; they are some ninety.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.confidence import log_evidences, posterior_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHAPES = (1.0, 2.0, 4.0, 10.0, 30.0)
"""1 is the geometric prior: a cut is as likely anywhere. Larger ones are for segments of more equal lengths."""

_SHORTEST_MEAN = 3.0

NEGLIGIBLE = 3.0
"""What has an evidence so many nats below the best one's is left out of an average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What all priors together say of a document."""

    same_NN: NDArray[np.float64]
    """The probability that two sentences lie in one segment."""

    boundaries_N: NDArray[np.float64]
    """The probability that a segment begins at each place from 0 to n."""

    scores: NDArray[np.float64]
    """The evidence of every segment, without the prior, where the document is likeliest."""

    penalty: float
    """What the best prior asks of a cut in nats: the log odds against a cut at any one place."""


def average_priors(tables: Sequence[NDArray[np.float64]], min_length: int) -> Choice:
    """Average over the priors, and over ways of weighing the evidence.

    Args:
        tables: the evidence of every segment, n + 1 by n + 1, in one way or several.
        min_length: sentences that a segment has at least.
    """
    size = len(tables[0]) - 1
    settings = [(mean, shape) for mean in _means(size) for shape in _SHAPES]
    priors = np.stack([length_prior(size, mean, shape, min_length) for mean, shape in settings])
    evidences = np.stack([log_evidences(scores, priors) for scores in tables])
    way, best = divmod(int(evidences.argmax()), len(settings))
    kept = np.argwhere(evidences > evidences.max() - NEGLIGIBLE)
    weights = np.exp(evidences[tuple(kept.T)] - evidences.max())
    weights /= weights.sum()
    posteriors = [posterior_of(tables[table] + by_length(priors[place])) for table, place in kept]
    return Choice(
        same_NN=sum(weight * one.same_NN for weight, one in zip(weights, posteriors, strict=True)),
        boundaries_N=sum(weight * one.boundaries_N for weight, one in zip(weights, posteriors, strict=True)),
        scores=tables[way],
        penalty=float(np.log(settings[best][0] - 1)),
    )


def geometric_priors(size: int, min_length: int) -> NDArray[np.float64]:
    """The priors under which a cut is as likely anywhere, one a mean."""
    return np.stack([length_prior(size, mean, 1.0, min_length) for mean in _means(size)])


def length_prior(size: int, mean: float, shape: float, min_length: int) -> NDArray[np.float64]:
    """The log prior of a segment of 0, 1, ... n sentences; minus infinity where it is too short.

    The density is summed to one over all lengths, those beyond the text included.
    """
    lengths = np.arange(1, max(size, round(8 * mean)) + 1)
    logs = (shape - 1) * np.log(lengths) - lengths * shape / mean
    prior: NDArray[np.float64] = np.concatenate([[-np.inf], (logs - np.logaddexp.reduce(logs))[:size]])
    if size >= min_length:
        prior[:min_length] = -np.inf
    return prior


def by_length(prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prior of the segment from i to j at [i, j]; minus infinity where j is not behind i."""
    places = np.arange(len(prior))
    table: NDArray[np.float64] = prior[np.maximum(places[None, :] - places[:, None], 0)]
    return table


def _means(size: int) -> list[float]:
    """From 3 sentences on, each √2 times the one before, to about twice the text."""
    count = 1 + max(0, round(2 * np.log2(2 * size / _SHORTEST_MEAN)))
    return [_SHORTEST_MEAN * 2 ** (power / 2) for power in range(count)]
