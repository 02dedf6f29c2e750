"""Decoding: the best partition, and the segmentation that agrees most, against going through every one of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from partitions import all_partitions, random_scores
from shoal.segmentation import Features
from shoal.segmentation.decode import best_partition, decode, expected_agreement, partition_path, refine_boundaries
from shoal.segmentation.posterior import Posterior, average_over_priors, marginals


@pytest.fixture(params=range(5))
def scores(request: pytest.FixtureRequest) -> np.ndarray:
    return random_scores(3 + 2 * request.param, request.param)


def test_the_best_partition_is_the_best_of_all(scores: np.ndarray) -> None:
    sums = all_partitions(scores)
    assert tuple(best_partition(scores)) == max(sums, key=lambda cuts: sums[cuts])


def test_the_path_holds_the_best_for_each_number_of_segments(scores: np.ndarray) -> None:
    sums = all_partitions(scores)
    for many, (value, cuts) in enumerate(partition_path(scores, len(scores) - 1), start=1):
        best = max((one for one in sums if len(one) == many - 1), key=lambda one: sums[one])
        assert tuple(cuts) == best
        assert value == pytest.approx(sums[best])


def posterior_of(scores: np.ndarray) -> Posterior:
    found = marginals(scores)
    return Posterior(boundaries_N=found.boundaries_N, same_NN=found.same_NN, scores=scores, penalty=1.0)


def expected_gain(cuts: tuple[int, ...], scores: np.ndarray, reach: int) -> float:
    """The pairs within reach that a segmentation joins, rightly less wrongly, in the mean over all segmentations."""
    sums = all_partitions(scores)
    weights = np.exp(np.array(list(sums.values())) - np.logaddexp.reduce(list(sums.values())))
    size = len(scores) - 1
    own = np.searchsorted(cuts, np.arange(size), side="right")
    gain = 0.0
    for weight, true in zip(weights, sums, strict=True):
        other = np.searchsorted(true, np.arange(size), side="right")
        for first in range(size):
            for second in range(first + 1, min(size, first + reach + 1)):
                if own[first] == own[second]:
                    gain += weight * (1 if other[first] == other[second] else -1)
    return gain


@pytest.mark.parametrize("seed", range(4))
def test_what_is_decoded_agrees_most_with_the_posterior(seed: int) -> None:
    scores = random_scores(6, seed)
    posterior = posterior_of(scores)
    reach = max(1, round(6 / (1 + posterior.boundaries_N[1:-1].sum())))
    agreement = expected_agreement(posterior.same_NN, posterior.boundaries_N, 1)
    gains = {cuts: expected_gain(cuts, scores, reach) for cuts in all_partitions(scores)}
    for cuts, gain in gains.items():
        assert sum(agreement[edge] for edge in pairwise([0, *cuts, 6])) == pytest.approx(gain)
    assert gains[tuple(best_partition(agreement))] == pytest.approx(max(gains.values()))


@pytest.mark.parametrize("min_length", [1, 2, 3])
def test_segments_have_the_minimum_length(min_length: int) -> None:
    posterior = posterior_of(random_scores(9, 0))
    places = [cut.place for cut in decode(posterior, min_length=min_length)]
    assert min(np.diff([0, *places, 9])) >= min_length
    assert decode(posterior, min_length=9) == ()


def test_a_count_is_kept_and_cuts_say_what_they_gain() -> None:
    scores = random_scores(9, 1)
    posterior = posterior_of(scores)
    cuts = decode(posterior, min_length=1, count=3)
    edges = [0, *(cut.place for cut in cuts), 9]
    assert len(cuts) == 2
    for cut, before, after in zip(cuts, edges, edges[2:], strict=False):
        assert cut.confidence == posterior.boundaries_N[cut.place]
        gain = scores[before, cut.place] + scores[cut.place, after] - scores[before, after]
        assert cut.gain == pytest.approx(gain)
        assert cut.near == pytest.approx(min(1.0, posterior.boundaries_N[cut.low : cut.high + 1].sum()))


def test_boundaries_move_to_where_the_words_change_and_none_is_made() -> None:
    counts = np.zeros((20, 8))
    for place in range(20):
        counts[place, (4 if place >= 9 else 0) + np.arange(4)] = 1
    placing = Features(counts=counts, background=np.full(8, 1e-4))
    flat = np.where(np.triu(np.ones((21, 21)), 1) > 0, 0.0, -np.inf)
    posterior = average_over_priors([flat], 2)
    (cut,) = refine_boundaries(posterior, [11], placing, 2)
    assert cut.place == 9
    assert cut.confidence <= posterior.boundaries_N.sum()
    assert refine_boundaries(posterior, [], placing, 2) == ()
