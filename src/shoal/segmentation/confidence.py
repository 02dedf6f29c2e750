"""How sure each boundary is: sums over all segmentations instead of the best one.

With a prior over segmentations and the evidence of each segment, the posterior probability of every segment follows by
a forward and a backward pass (Fearnhead 2006, Statistics and Computing 16:203-213, section 2). Cost: n steps over
vectors of length n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEVEL = 0.9
"""How much of a boundary's posterior its stretch of places holds."""

_LOWEST = -1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What a text's scores say of all its segmentations."""

    log_evidence: float
    """The log of the sum over all segmentations of the exponential of their scores."""

    boundaries_N: NDArray[np.float64]
    """For each place from 0 to n, the probability that a segment begins (or the text ends) there."""

    same_NN: NDArray[np.float64]
    """For each pair of sentences a <= b, the probability that they lie in one segment; 0 for a > b."""


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


def posterior_of(scores: NDArray[np.float64]) -> Posterior:
    """Sum over all segmentations.

    Args:
        scores: n + 1 by n + 1; at [i, j] the log of evidence times prior of the segment from i to j (not included).
    """
    ahead = _forward(scores)
    behind = _forward(scores[::-1, ::-1].T)[::-1]
    segments = np.exp(np.minimum(ahead[:, None] + scores + behind[None, :] - ahead[-1], 0.0))
    holding = segments.cumsum(axis=0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return Posterior(
        log_evidence=float(ahead[-1]),
        boundaries_N=np.exp(np.minimum(ahead + behind - ahead[-1], 0.0)),
        same_NN=np.triu(holding[:-1, 1:]),
    )


def places_around(boundaries_N: NDArray[np.float64], cuts: Sequence[int]) -> list[tuple[int, int]]:
    """For each cut the first and the last place of the shortest stretch around it that holds most of its posterior.

    A boundary's posterior is what lies nearer to its cut than to the neighbouring ones.
    """
    edges = [0, *cuts, len(boundaries_N) - 1]
    stretches = []
    for before, place, after in zip(edges, edges[1:], edges[2:], strict=False):
        low, high = min((before + place) // 2 + 1, place), max((place + after - 1) // 2, place)
        stretches.append(_shortest(boundaries_N, place, low, high))
    return stretches


def _shortest(boundaries_N: NDArray[np.float64], place: int, low: int, high: int) -> tuple[int, int]:
    """Grow from the place to whichever side holds more, until enough is held."""
    first = last = place
    held, wanted = boundaries_N[place], LEVEL * boundaries_N[low : high + 1].sum()
    while held < wanted and (first > low or last < high):
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
