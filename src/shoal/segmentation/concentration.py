"""How strongly words come back in a text: the concentration, chosen for each document by the document itself.

Children's tales say the same words over and over, news seldom do. The likelihood of the whole document, all
segmentations summed out, says which concentration its words have; it has one peak, which is walked to by steps of the
square root of two. Those next to it that the document makes nearly as likely are averaged over with it.

Cost: the evidence of all segments some five times, and the sums over segmentations as often under geometric priors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.confidence import log_evidences
from shoal.segmentation.evidence import Evidence
from shoal.segmentation.penalty import NEGLIGIBLE, geometric_priors

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shoal.segmentation.features import Features

_STEPS = 8
"""How far the walk goes: sixteen times less or more than where it starts."""


def likely_scores(features: Features, min_length: int) -> list[NDArray[np.float64]]:
    """The log evidence of every segment, at each concentration that the document makes likely.

    Args:
        features: of the sentences; without words there is nothing to choose.
        min_length: sentences that a segment has at least.
    """
    evidence = Evidence(features)
    if features.counts is None:
        return [evidence.scores(1.0)]
    priors = geometric_priors(len(features), min_length)
    tables: dict[int, NDArray[np.float64]] = {}

    def worth(step: int) -> float:
        tables[step] = evidence.scores(2 ** (step / 2))
        return float(np.logaddexp.reduce(log_evidences(tables[step], priors)))

    known = _walk(worth)
    best = max(known.values())
    return [tables[step] for step, value in sorted(known.items()) if value > best - NEGLIGIBLE]


def _walk(worth: Callable[[int], float]) -> dict[int, float]:
    """Go from 0 to a peak, by single steps; what was seen on the way, the peak's neighbours among it."""
    known = {step: worth(step) for step in (-1, 0, 1)}
    while True:
        peak = max(known, key=lambda step: known[step])
        beside = [step for step in (peak - 1, peak + 1) if step not in known and abs(step) <= _STEPS]
        if not beside:
            return known
        known |= {step: worth(step) for step in beside}
