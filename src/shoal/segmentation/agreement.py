"""The segmentation that is most in agreement with the posterior.

The single most likely segmentation may be an unlikely one. What is chosen here maximises the expected number of pairs
of nearby sentences that it rightly joins or parts: a pair that lies in one segment with probability p is worth 2p - 1
to a segmentation that joins it, and nothing to one that parts it. That is a sum over segments, so dynamic programming
finds the best one. Pk counts such pairs at one distance (Beeferman, Berger and Lafferty 1999, Machine Learning 34,
section 6); here all distances up to the expected length of a segment count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def agreement_scores(
    same_NN: NDArray[np.float64], boundaries_N: NDArray[np.float64], min_length: int
) -> NDArray[np.float64]:
    """What each segment is worth; minus infinity where it is too short.

    Args:
        same_NN: the probability of each pair a <= b to lie in one segment.
        boundaries_N: the probability that a segment begins at each place from 0 to n.
        min_length: sentences that a segment has at least, where the text has as many.
    """
    size = len(same_NN)
    reach = max(1, round(size / (1 + boundaries_N[1:-1].sum())))
    places = np.arange(size + 1)
    lags = places[None, :] - places[:, None]
    worth = np.where((lags[:-1, :-1] > 0) & (lags[:-1, :-1] <= reach), 2 * same_NN - 1, 0.0)
    scores = np.full((size + 1, size + 1), -np.inf)
    scores[:-1, 1:] = worth[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
    scores[lags < (min_length if size >= min_length else 1)] = -np.inf
    return scores
