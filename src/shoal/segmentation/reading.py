"""From a channel's features to cuts, for a text that is read as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.segmentation.agreement import agreement_scores
from shoal.segmentation.concentration import likely_scores
from shoal.segmentation.confidence import places_around
from shoal.segmentation.partition import best_partition, partition_path
from shoal.segmentation.penalty import average_priors
from shoal.segmentation.placing import placed_cuts
from shoal.segmentation.result import Cut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shoal.segmentation.features import Features
    from shoal.segmentation.penalty import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was made of a text."""

    cuts: tuple[Cut, ...]

    boundaries_N: NDArray[np.float64]
    """The probability that a segment begins at each place from 0 to n."""

    penalty: float
    """What a cut has to gain, in nats."""


def read_whole(features: Features, min_length: int, count: int | None = None) -> Reading:
    """Cut a text.

    Args:
        features: of its sentences.
        min_length: sentences that a segment has at least.
        count: the number of segments; None chooses it.
    """
    choice = average_priors(likely_scores(features, min_length), min_length)
    agreement = agreement_scores(choice.same_NN, choice.boundaries_N, min_length)
    places = best_partition(agreement) if count is None else partition_path(agreement, count)[-1][1]
    if features.placing is None:
        cuts = _plain_cuts(choice, places)
    else:
        cuts = placed_cuts(choice, places, features.placing, min_length)
    return Reading(cuts=cuts, boundaries_N=choice.boundaries_N, penalty=choice.penalty)


def _plain_cuts(choice: Choice, places: list[int]) -> tuple[Cut, ...]:
    edges = [0, *places, len(choice.same_NN)]
    around = places_around(choice.boundaries_N, places)
    return tuple(
        Cut(
            place=place,
            confidence=float(choice.boundaries_N[place]),
            low=low,
            high=high,
            near=min(1.0, float(choice.boundaries_N[low : high + 1].sum())),
            gain=float(choice.scores[before, place] + choice.scores[place, after] - choice.scores[before, after]),
        )
        for before, place, after, (low, high) in zip(edges, places, edges[2:], around, strict=False)
    )
