"""From the posterior to one segmentation: minimum-Bayes-risk decoding, and each boundary at its best place.

The single most likely segmentation may be an unlikely one. What is chosen here maximises the expected number of pairs
of nearby sentences that it rightly joins or separates: a pair that lies in one segment with probability p is worth
2p - 1 to a segmentation that joins it, and nothing to one that separates it. That is a sum over segments, so dynamic
programming finds the best one exactly (Bellman 1961; Auger and Lawrence 1989). Pk counts such pairs at one distance
(Beeferman, Berger and Lafferty 1999, Machine Learning 34, section 6); here all distances up to the expected length of a
segment count. Cost: n steps over vectors of length n, for each number of segments.

What makes a boundary (a change of style, for example) may place it only roughly, while the words around it, which make
none by themselves, change at the very sentence. Where a channel gives such features, each boundary is moved, within its
half of the neighbouring segments, to where both kinds of evidence together are greatest, the other boundaries fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from shoal.segmentation.evidence import SegmentEvidence
from shoal.segmentation.posterior import credible_sets
from shoal.segmentation.result import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.channels import Features
    from shoal.segmentation.posterior import Posterior

_PLACING_WEIGHT = 0.3
"""Of the evidence that places boundaries: words of a text come in bursts, so they count less than independent draws."""

_ROUNDS = 2
"""Moving one boundary changes the windows of its neighbours; a second round settles them."""


def decode(
    posterior: Posterior, *, min_length: int, count: int | None = None, placing: Features | None = None
) -> tuple[Cut, ...]:
    """The segmentation that agrees most with the posterior.

    Args:
        posterior: of a document of n sentences.
        min_length: minimum number of sentences per segment, at most n.
        count: the number of segments; None chooses it.
        placing: features that make no boundary but help to place those that are made.
    """
    agreement = expected_agreement(posterior.same_NN, posterior.boundaries_N, min_length)
    places = best_partition(agreement) if count is None else partition_path(agreement, count)[-1][1]
    if placing is None:
        return _cuts(posterior, places, posterior.boundaries_N)
    return refine_boundaries(posterior, places, placing, min_length)


def expected_agreement(
    same_NN: NDArray[np.float64], boundaries_N: NDArray[np.float64], min_length: int
) -> NDArray[np.float64]:
    """The expected gain of each segment [i, j) (n + 1 by n + 1); minus infinity where it is too short.

    Args:
        same_NN: the probability of each pair a <= b to lie in one segment.
        boundaries_N: the probability that a segment begins at each place from 0 to n.
        min_length: minimum number of sentences per segment, at most n.
    """
    size = len(same_NN)
    reach = max(1, round(size / (1 + boundaries_N[1:-1].sum())))
    places = np.arange(size + 1)
    lags = places[None, :] - places[:, None]
    worth = np.where((lags[:-1, :-1] > 0) & (lags[:-1, :-1] <= reach), 2 * same_NN - 1, 0.0)
    scores = np.full((size + 1, size + 1), -np.inf)
    # Two cumulative sums give at [i, j] the sum over all pairs of sentences from i on and before j.
    scores[:-1, 1:] = worth[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
    scores[lags < max(min_length, 1)] = -np.inf
    return scores


def best_partition(scores: NDArray[np.float64]) -> list[int]:
    """The starts of the segments, without the first, of the partition with the greatest sum of scores.

    Args:
        scores: the value of the segment [i, j) at [i, j] (n + 1 by n + 1); minus infinity where it is not allowed.
    """
    last = len(scores) - 1
    best = np.full(last + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(last + 1, dtype=np.intp)
    for stop in range(1, last + 1):
        totals = best[:stop] + scores[:stop, stop]
        back[stop] = totals.argmax()
        best[stop] = totals[back[stop]]
    return _walk(lambda stop: int(back[stop]), last)


def partition_path(scores: NDArray[np.float64], max_segments: int) -> list[tuple[float, list[int]]]:
    """For 1, 2, ... up to ``max_segments`` segments, the greatest sum of scores and the starts that reach it.

    Args:
        scores: as in `best_partition`.
        max_segments: where the path ends; a number of segments that is not allowed has no starts.
    """
    last = len(scores) - 1
    best = scores[0].copy()
    backs: list[NDArray[np.intp]] = []
    path: list[tuple[float, list[int]]] = [(float(best[last]), [])]
    for _ in range(1, max_segments):
        totals = best[:, None] + scores
        back = totals.argmax(axis=0)
        best = totals[back, np.arange(last + 1)]
        backs.append(back)
        path.append((float(best[last]), _walk_levels(backs, last) if np.isfinite(best[last]) else []))
    return path


def refine_boundaries(
    posterior: Posterior, places: Sequence[int], placing: Features, min_length: int
) -> tuple[Cut, ...]:
    """Move each boundary to where both kinds of evidence together are greatest.

    A confidence is the probability that a boundary is in its window, by the evidence that made it, times the
    probability of the place within the window, by both.

    Args:
        posterior: by the evidence that makes boundaries.
        places: the boundaries that it made.
        placing: features that make no boundary but help to place one.
        min_length: minimum number of sentences per segment.
    """
    if not places:
        return ()
    scores = posterior.scores + _PLACING_WEIGHT * SegmentEvidence(placing).scores()
    size = len(scores) - 1
    # Read before any boundary moves: the windows are those of the evidence that made the boundaries.
    exists = [_mass(posterior.boundaries_N, *window) for window in _windows(places, size, min_length)]
    moved = list(places)
    for _ in range(_ROUNDS):
        for at, (low, high) in enumerate(_windows(moved, size, min_length)):
            before, after = [0, *moved, size][at], [0, *moved, size][at + 2]
            # Windows are those of the beginning of a round; a neighbour may have moved into one since.
            inside = np.arange(max(low, before + 1), min(high, after - 1) + 1)
            moved[at] = int(inside[np.argmax(scores[before, inside] + scores[inside, after])])
    edges = [0, *moved, size]
    refined = np.zeros(size + 1)
    for at, (low, high) in enumerate(_windows(moved, size, min_length)):
        inside = np.arange(low, high + 1)
        totals = scores[edges[at], inside] + scores[inside, edges[at + 2]]
        refined[inside] = np.maximum(refined[inside], exists[at] * softmax(totals))
    return _cuts(posterior, moved, refined)


def _cuts(posterior: Posterior, places: Sequence[int], boundaries_N: NDArray[np.float64]) -> tuple[Cut, ...]:
    """The boundaries with their credible sets and gains."""
    scores = posterior.scores
    edges = [0, *places, len(scores) - 1]
    sets = credible_sets(boundaries_N, places)
    return tuple(
        Cut(
            place=place,
            confidence=float(boundaries_N[place]),
            low=low,
            high=high,
            near=_mass(boundaries_N, low, high),
            gain=float(scores[before, place] + scores[place, after] - scores[before, after]),
        )
        for before, place, after, (low, high) in zip(edges, places, edges[2:], sets, strict=False)
    )


def _windows(places: Sequence[int], size: int, min_length: int) -> list[tuple[int, int]]:
    """For each boundary the places nearer to it than to the next, with room for a segment on both sides."""
    windows = []
    for before, place, after in zip([0, *places], places, [*places[1:], size], strict=False):
        low = max((before + place) // 2 + 1, before + min_length) if before else min_length
        high = min((place + after) // 2, after - min_length) if after < size else size - min_length
        # In a segment with no room on both sides the window would be empty; its boundary stays.
        windows.append((min(low, place), max(high, place)))
    return windows


def _mass(boundaries_N: NDArray[np.float64], low: int, high: int) -> float:
    return float(min(1.0, boundaries_N[low : high + 1].sum()))


def _walk(back: Callable[[int], int], stop: int) -> list[int]:
    starts = []
    while (stop := back(stop)) > 0:
        starts.append(stop)
    return starts[::-1]


def _walk_levels(backs: list[NDArray[np.intp]], stop: int) -> list[int]:
    starts = []
    for back in reversed(backs):
        stop = int(back[stop])
        starts.append(stop)
    return starts[::-1]
