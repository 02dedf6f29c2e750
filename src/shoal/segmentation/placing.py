"""Where exactly a boundary lies, once it is known that there is one.

What makes a boundary (a change of style, say) may place it only roughly, while the words around it, which make none by
themselves, change at the very sentence. So each boundary is moved, within its half of the segments beside it, to where
both kinds of evidence together are greatest, the neighbouring boundaries held; twice round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from shoal.segmentation.confidence import places_around
from shoal.segmentation.evidence import Evidence
from shoal.segmentation.result import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.features import Features
    from shoal.segmentation.penalty import Choice

_WEIGHT = 0.3
"""Of the evidence beside: words of a text come in bursts, so they tell less than as many independent draws."""

_ROUNDS = 2


def placed_cuts(choice: Choice, places: Sequence[int], beside: Features, min_length: int) -> tuple[Cut, ...]:
    """The boundaries at their places by both kinds of evidence.

    A confidence is the probability that a boundary is in the window, by the first kind of evidence, times the
    probability of the place within it, by both.

    Args:
        choice: what the evidence that makes boundaries says.
        places: where they were made.
        beside: what makes no boundary but helps to place one.
        min_length: sentences that a segment has at least.
    """
    if not places:
        return ()
    scores = choice.scores + _WEIGHT * Evidence(beside).scores()
    size = len(scores) - 1
    exists = [_mass(choice.boundaries_N, *window) for window in _windows(places, size, min_length)]
    moved = list(places)
    for _ in range(_ROUNDS):
        for at, (low, high) in enumerate(_windows(moved, size, min_length)):
            before, after = [0, *moved, size][at], [0, *moved, size][at + 2]
            inside = np.arange(max(low, before + 1), min(high, after - 1) + 1)
            moved[at] = int(inside[np.argmax(scores[before, inside] + scores[inside, after])])
    edges = [0, *moved, size]
    posterior = np.zeros(size + 1)
    for at, (low, high) in enumerate(_windows(moved, size, min_length)):
        inside = np.arange(low, high + 1)
        totals = scores[edges[at], inside] + scores[inside, edges[at + 2]]
        posterior[inside] = np.maximum(posterior[inside], exists[at] * softmax(totals))
    around = places_around(posterior, moved)
    plain = choice.scores
    return tuple(
        Cut(
            place=place,
            confidence=float(posterior[place]),
            low=low,
            high=high,
            near=min(1.0, float(posterior[low : high + 1].sum())),
            gain=float(plain[before, place] + plain[place, after] - plain[before, after]),
        )
        for before, place, after, (low, high) in zip(edges, moved, edges[2:], around, strict=False)
    )


def _windows(places: Sequence[int], size: int, min_length: int) -> list[tuple[int, int]]:
    """For each boundary the places nearer to it than to the next, with room for a segment on both sides."""
    windows = []
    for before, place, after in zip([0, *places], places, [*places[1:], size], strict=False):
        low = max((before + place) // 2 + 1, before + min_length) if before else min_length
        high = min((place + after) // 2, after - min_length) if after < size else size - min_length
        windows.append((min(low, place), max(high, place)))
    return windows


def _mass(boundaries_N: NDArray[np.float64], low: int, high: int) -> float:
    return float(min(1.0, boundaries_N[low : high + 1].sum()))
