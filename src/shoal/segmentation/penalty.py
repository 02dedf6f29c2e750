"""How many segments: chosen for each document by the evidence of the document itself.

A segmentation's prior is a product over its segments of a length distribution (a gamma density of some mean and shape,
summed to one over whole sentences). Every setting of the channel's evidence and of that prior gives an evidence of the
whole document, all segmentations summed out; settings are averaged with it as their weight. So what a cut has to gain
is set by the document: by how its own words or vectors vary, and by how long its own segments are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.confidence import Posterior, posterior_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_SHAPES = (1.0, 3.0)
"""1 is the geometric prior: a cut is as likely anywhere. Larger ones are for segments of more equal lengths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What all settings together say of a document."""

    same_NN: NDArray[np.float64]
    """The probability that two sentences lie in one segment."""

    boundaries_N: NDArray[np.float64]
    """The probability that a segment begins at each place from 0 to n."""

    scores: NDArray[np.float64]
    """The evidence of every segment under the best setting, without the prior."""

    penalty: float
    """What the best setting's prior asks of a cut, in nats."""


def average_settings(scored: Iterable[NDArray[np.float64]], min_length: int) -> Choice:
    """Average over the settings of a channel and of the prior.

    Args:
        scored: the evidence of every segment, for each setting.
        min_length: sentences that a segment has at least.
    """
    found: list[tuple[float, Posterior, NDArray[np.float64], float]] = []
    for scores in scored:
        size = len(scores) - 1
        for mean in _means(size):
            for shape in _SHAPES:
                prior = length_prior(size, mean, shape, min_length)
                posterior = posterior_of(scores + prior)
                found.append((posterior.log_evidence, posterior, scores, float(np.log(max(mean - 1, 1.0)))))
    best = max(found, key=lambda entry: entry[0])
    weights = np.exp([entry[0] - best[0] for entry in found])
    weights /= weights.sum()
    return Choice(
        same_NN=sum(weight * entry[1].same_NN for weight, entry in zip(weights, found, strict=True)),
        boundaries_N=sum(weight * entry[1].boundaries_N for weight, entry in zip(weights, found, strict=True)),
        scores=best[2],
        penalty=best[3],
    )


def length_prior(size: int, mean: float, shape: float, min_length: int) -> NDArray[np.float64]:
    """The log prior of the segment from i to j at [i, j]; minus infinity where it is too short or j is not behind i."""
    longest = max(size, round(8 * mean))
    lengths = np.arange(1, longest + 1)
    logs = (shape - 1) * np.log(lengths) - lengths * shape / mean
    logs -= np.logaddexp.reduce(logs)
    table = np.concatenate([[-np.inf], logs[:size]])
    if size >= min_length:
        table[:min_length] = -np.inf
    places = np.arange(size + 1)
    prior: NDArray[np.float64] = table[np.maximum(places[None, :] - places[:, None], 0)]
    return prior


def _means(size: int) -> list[float]:
    """Mean lengths from 4 sentences to twice the text, each twice the one before."""
    return [4.0 * 2**power for power in range(max(1, int(np.ceil(np.log2(max(size, 2) / 2)))))]
