"""The posterior over all segmentations of a document, its hyper-parameters averaged out.

A segmentation's prior is a product over its segments of a length distribution: a gamma density of some mean and shape,
summed to one over whole sentences. With the evidence of each segment, the posterior probability of every boundary
follows by a forward and a backward pass over all segmentations (Fearnhead 2006, Statistics and Computing 16:203-213,
section 2). Two things are chosen by the document itself, empirical Bayes, with the likelihood of the whole document as
the weight:

- **how strongly words come back** (the concentration of `shoal.segmentation.evidence`): children's tales repeat their
  words, news seldom do. The likelihood has one peak, which is walked to by steps of the square root of two; neighbours
  of the peak that are nearly as likely are averaged over;
- **how long segments are** (mean and shape of the prior). So the gain that a cut needs is set by the document: where
  its segments are short, or of like lengths, cuts that fit in cost little, and where nothing changes the longest mean
  wins and a cut costs the most.

Cost: the evidence of all segments some five times, and for each of some ninety priors n steps over vectors of length n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.evidence import SegmentEvidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.channels import Features

CREDIBLE_MASS = 0.9
"""The share of a boundary's posterior that its credible set holds."""

_MAX_STEPS = 8
"""How far the concentration may go: sixteen times less or more than the default. Beyond what any kind of text in
docs/log.md chose (100 to 400), so that the bound stops only texts without repeated words."""

_SHAPES = (1.0, 2.0, 4.0, 10.0, 30.0)
"""1 is the geometric prior: a cut is equally likely anywhere. Larger ones are for segments of more equal lengths,
worth 0.6 points of mean Pk on texts whose lengths are nearly equal in some kinds and not in others (docs/log.md)."""

_SHORTEST_MEAN = 3.0

_NEGLIGIBLE = 3.0
"""Nats below the best evidence from which a setting is left out of an average: less than a twentieth of its weight."""

_LOWEST = -1e300
"""Stands for minus infinity where a difference of two infinities would be NaN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginals:
    """Sums over all segmentations of a text, for one table of scores."""

    log_evidence: float
    """The log of the sum over all segmentations of the exponential of their scores."""

    boundaries_N: NDArray[np.float64]
    """For each place from 0 to n, the probability that a segment begins (or the text ends) there."""

    same_NN: NDArray[np.float64]
    """For each pair of sentences a <= b, the probability that they lie in one segment; 0 for a > b."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """The same averaged over concentrations and priors."""

    boundaries_N: NDArray[np.float64]
    """The probability that a segment begins at each place from 0 to n."""

    same_NN: NDArray[np.float64]
    """The probability that two sentences a <= b lie in one segment."""

    scores: NDArray[np.float64]
    """The evidence of every segment, without the prior, at the likeliest concentration (n + 1 by n + 1)."""

    penalty: float
    """The log odds (nats) against a cut at any one place under the likeliest prior."""


def likely_evidence(features: Features, min_length: int) -> list[NDArray[np.float64]]:
    """The log evidence of every segment, at each concentration that the document makes likely.

    Args:
        features: of the sentences; without words there is one concentration.
        min_length: minimum number of sentences per segment.
    """
    evidence = SegmentEvidence(features)
    if features.counts is None:
        return [evidence.scores(1.0)]
    size = len(features)
    # Geometric priors are enough to find the peak, and a fifth of all priors.
    priors = np.stack([length_prior(size, mean, 1.0, min_length) for mean in _means(size)])
    tables: dict[int, NDArray[np.float64]] = {}

    def likelihood(step: int) -> float:
        tables[step] = evidence.scores(2 ** (step / 2))
        return float(np.logaddexp.reduce(log_evidences(tables[step], priors)))

    known = _walk_to_peak(likelihood)
    best = max(known.values())
    return [tables[step] for step, value in sorted(known.items()) if value > best - _NEGLIGIBLE]


def average_over_priors(tables: Sequence[NDArray[np.float64]], min_length: int) -> Posterior:
    """Average the marginals over length priors and over tables of evidence, weighted by the document's likelihood.

    Args:
        tables: the evidence of every segment (n + 1 by n + 1), one table per concentration.
        min_length: minimum number of sentences per segment.
    """
    size = len(tables[0]) - 1
    settings = [(mean, shape) for mean in _means(size) for shape in _SHAPES]
    priors = np.stack([length_prior(size, mean, shape, min_length) for mean, shape in settings])
    evidences = np.stack([log_evidences(scores, priors) for scores in tables])
    best_table, best = divmod(int(evidences.argmax()), len(settings))
    likely = np.argwhere(evidences > evidences.max() - _NEGLIGIBLE)
    weights = np.exp(evidences[tuple(likely.T)] - evidences.max())
    weights /= weights.sum()
    found = [marginals(tables[table] + by_length(priors[prior])) for table, prior in likely]
    return Posterior(
        same_NN=sum(weight * one.same_NN for weight, one in zip(weights, found, strict=True)),
        boundaries_N=sum(weight * one.boundaries_N for weight, one in zip(weights, found, strict=True)),
        scores=tables[best_table],
        # A geometric prior of mean m cuts at a place with probability 1/m, which is odds of m - 1 against it.
        penalty=float(np.log(settings[best][0] - 1)),
    )


def length_prior(size: int, mean: float, shape: float, min_length: int) -> NDArray[np.float64]:
    """The log prior of a segment of 0, 1, ... n sentences; minus infinity where it is too short.

    The density is summed to one over all lengths, those beyond the text included.

    Args:
        size: the number n of sentences of the text.
        mean: of the gamma density, in sentences.
        shape: of the gamma density; 1 is geometric.
        min_length: minimum number of sentences per segment, at most n.
    """
    # Beyond eight means a geometric prior has e^-8 of its mass.
    lengths = np.arange(1, max(size, round(8 * mean)) + 1)
    logs = (shape - 1) * np.log(lengths) - lengths * shape / mean
    prior: NDArray[np.float64] = np.concatenate([[-np.inf], (logs - np.logaddexp.reduce(logs))[:size]])
    prior[:min_length] = -np.inf
    return prior


def by_length(prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prior of the segment from i to j at [i, j]; minus infinity where j is not behind i."""
    places = np.arange(len(prior))
    table: NDArray[np.float64] = prior[np.maximum(places[None, :] - places[:, None], 0)]
    return table


def log_evidences(scores: NDArray[np.float64], priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each prior, the log of the sum over all segmentations of the exponential of their scores.

    Args:
        scores: n + 1 by n + 1; at [i, j] the log evidence of the segment from i to j (not included).
        priors: the log prior of a segment of each length from 0 to n (priors by n + 1).
    """
    reached = np.full(priors.shape, -np.inf)
    reached[:, 0] = 0.0
    for stop in range(1, len(scores)):
        terms = reached[:, :stop] + scores[:stop, stop] + priors[:, stop:0:-1]
        top = np.maximum(terms.max(axis=1), _LOWEST)
        with np.errstate(divide="ignore"):
            reached[:, stop] = top + np.log(np.exp(terms - top[:, None]).sum(axis=1))
    final: NDArray[np.float64] = reached[:, -1]
    return final


def marginals(scores: NDArray[np.float64]) -> Marginals:
    """Sum over all segmentations.

    Args:
        scores: n + 1 by n + 1; at [i, j] the log of evidence times prior of the segment from i to j (not included).
    """
    ahead = _forward(scores)
    # The backward pass is a forward pass over the text read from its end.
    behind = _forward(scores[::-1, ::-1].T)[::-1]
    # Rounding may bring a probability a little above 1.
    segments = np.exp(np.minimum(ahead[:, None] + scores + behind[None, :] - ahead[-1], 0.0))
    # A pair lies in every segment that begins at or before its first sentence and ends behind its second.
    holding = segments.cumsum(axis=0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return Marginals(
        log_evidence=float(ahead[-1]),
        boundaries_N=np.exp(np.minimum(ahead + behind - ahead[-1], 0.0)),
        same_NN=np.triu(holding[:-1, 1:]),
    )


def credible_sets(boundaries_N: NDArray[np.float64], places: Sequence[int]) -> list[tuple[int, int]]:
    """For each boundary the first and last place of a run around it that holds 90 % of its posterior.

    A boundary's posterior is what lies nearer to it than to the neighbouring ones. The run grows from the boundary to
    whichever side has the more probable next place.

    Args:
        boundaries_N: the probability that a segment begins at each place from 0 to n.
        places: the boundaries, in order.
    """
    edges = [0, *places, len(boundaries_N) - 1]
    sets = []
    for before, place, after in zip(edges, edges[1:], edges[2:], strict=False):
        low, high = min((before + place) // 2 + 1, place), max((place + after - 1) // 2, place)
        sets.append(_grown(boundaries_N, place, low, high))
    return sets


def _grown(boundaries_N: NDArray[np.float64], place: int, low: int, high: int) -> tuple[int, int]:
    """Grow from the place to the side of the more probable next place, until enough is held."""
    first = last = place
    held, needed = boundaries_N[place], CREDIBLE_MASS * boundaries_N[low : high + 1].sum()
    while held < needed and (first > low or last < high):
        left = boundaries_N[first - 1] if first > low else -1.0
        right = boundaries_N[last + 1] if last < high else -1.0
        first, last = (first - 1, last) if left >= right else (first, last + 1)
        held += max(left, right)
    return first, last


def _forward(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each place the log of the sum over all segmentations of the text before it."""
    reached = np.full(len(scores), -np.inf)
    reached[0] = 0.0
    for stop in range(1, len(scores)):
        terms = reached[:stop] + scores[:stop, stop]
        top = terms.max()
        if np.isfinite(top):
            reached[stop] = top + np.log(np.exp(terms - top).sum())
    return reached


def _walk_to_peak(value: Callable[[int], float]) -> dict[int, float]:
    """The values seen on a walk from 0 to a peak by single steps, both neighbours of the peak among them."""
    known = {step: value(step) for step in (-1, 0, 1)}
    while True:
        peak = max(known, key=lambda step: known[step])
        neighbours = [step for step in (peak - 1, peak + 1) if step not in known and abs(step) <= _MAX_STEPS]
        if not neighbours:
            return known
        known |= {step: value(step) for step in neighbours}


def _means(size: int) -> list[float]:
    """Means of the length prior: from 3 sentences on, each √2 times the one before, to about twice the text."""
    count = 1 + max(0, round(2 * np.log2(2 * size / _SHORTEST_MEAN)))
    return [_SHORTEST_MEAN * 2 ** (power / 2) for power in range(count)]
