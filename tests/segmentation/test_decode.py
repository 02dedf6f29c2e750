"""The best partition and the sums over all partitions, against going through every one of them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from shoal.segmentation.decode import best_partition, partition_path
from shoal.segmentation.posterior import by_length, credible_sets, length_prior, log_evidences, marginals


@pytest.fixture(params=range(5))
def scores(request: pytest.FixtureRequest) -> np.ndarray:
    size = 3 + 2 * request.param
    values = np.random.default_rng(request.param).normal(size=(size + 1, size + 1)) * 2
    return np.where(np.triu(np.ones_like(values), 1) > 0, values, -np.inf)


def all_partitions(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    last = len(scores) - 1
    sums = {}
    for many in range(last):
        for cuts in combinations(range(1, last), many):
            sums[cuts] = float(sum(scores[edge] for edge in pairwise([0, *cuts, last])))
    return sums


def test_the_best_partition_is_the_best_of_all(scores: np.ndarray) -> None:
    sums = all_partitions(scores)
    assert tuple(best_partition(scores)) == max(sums, key=lambda cuts: sums[cuts])


def test_the_path_holds_the_best_for_each_number_of_segments(scores: np.ndarray) -> None:
    sums = all_partitions(scores)
    for many, (value, cuts) in enumerate(partition_path(scores, len(scores) - 1), start=1):
        best = max((one for one in sums if len(one) == many - 1), key=lambda one: sums[one])
        assert tuple(cuts) == best
        assert value == pytest.approx(sums[best])


def test_the_posterior_is_the_sum_over_all_partitions(scores: np.ndarray) -> None:
    sums = all_partitions(scores)
    total = np.logaddexp.reduce(list(sums.values()))
    posterior = marginals(scores)
    size = len(scores) - 1
    assert posterior.log_evidence == pytest.approx(total)
    for place in range(1, size):
        begun = sum(np.exp(value - total) for cuts, value in sums.items() if place in cuts)
        joined = sum(np.exp(value - total) for cuts, value in sums.items() if not any(cut <= place for cut in cuts))
        assert posterior.boundaries_N[place] == pytest.approx(begun)
        assert posterior.same_NN[0, place] == pytest.approx(joined)


def test_many_priors_at_once_give_what_each_gives_alone(scores: np.ndarray) -> None:
    size = len(scores) - 1
    priors = np.stack([length_prior(size, mean, shape, 1) for mean, shape in [(3, 1), (4, 10), (9, 2)]])
    alone = [marginals(scores + by_length(prior)).log_evidence for prior in priors]
    assert log_evidences(scores, priors) == pytest.approx(alone)


def test_a_boundarys_stretch_holds_most_of_its_posterior() -> None:
    posterior = np.zeros(21)
    posterior[[8, 9, 10, 11, 15]] = [0.05, 0.2, 0.6, 0.1, 1.0]
    assert credible_sets(posterior, [10, 15]) == [(9, 11), (15, 15)]


def test_a_length_prior_sums_to_one() -> None:
    assert np.exp(length_prior(400, 5.0, 2.0, 1)).sum() == pytest.approx(1.0)
    assert np.isneginf(length_prior(20, 5.0, 2.0, 4)[:4]).all()
