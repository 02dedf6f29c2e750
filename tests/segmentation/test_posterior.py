"""The posterior over segmentations: sums over all of them, priors averaged, and the concentration that is chosen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from partitions import all_partitions, random_scores
from shoal.segmentation import Features
from shoal.segmentation.evidence import SegmentEvidence
from shoal.segmentation.posterior import (
    CREDIBLE_MASS,
    average_over_priors,
    by_length,
    credible_sets,
    length_prior,
    likely_evidence,
    log_evidences,
    marginals,
)

USUAL = 400.0
WORDS = 2000


def drawn(concentration: float, seed: int) -> Features:
    """Forty segments of six sentences of twenty words, each from a Polya urn of a concentration."""
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.full(WORDS, 0.5))
    rows = []
    for _ in range(40):
        law = draw.dirichlet(concentration * shares + 1e-9)
        rows += [draw.multinomial(20, law) for _ in range(6)]
    return Features(counts=np.array(rows), background=shares)


def test_words_that_come_back_often_are_weighed_at_a_low_concentration() -> None:
    for concentration in (100.0, 1600.0):
        features = drawn(concentration, seed=1)
        best = max(likely_evidence(features, 2), key=lambda scores: scores[:-1, 1:].diagonal(5)[::6].sum())
        near = [SegmentEvidence(features).scores(concentration * by / USUAL) for by in (0.5, 2**-0.5, 1.0, 2**0.5, 2.0)]
        assert any(np.allclose(best, scores) for scores in near)


def test_the_walk_does_not_go_beyond_its_bounds_and_keeps_few() -> None:
    features = Features(counts=np.eye(30, dtype=int), background=np.full(30, 1e-4))
    tables = likely_evidence(features, 2)
    assert 1 <= len(tables) <= 17
    assert all(np.isfinite(table).all() for table in tables)


def test_where_there_are_no_words_there_is_nothing_to_choose() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 3))
    (table,) = likely_evidence(Features(vectors=vectors), 2)
    assert np.array_equal(table, SegmentEvidence(Features(vectors=vectors)).scores())


@pytest.fixture(params=range(5))
def scores(request: pytest.FixtureRequest) -> np.ndarray:
    return random_scores(3 + 2 * request.param, request.param)


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


def test_a_credible_set_holds_most_of_its_posterior() -> None:
    posterior = np.zeros(21)
    posterior[[8, 9, 10, 11, 15]] = [0.05, 0.2, 0.6, 0.1, 1.0]
    assert credible_sets(posterior, [10, 15]) == [(9, 11), (15, 15)]


def test_a_length_prior_sums_to_one() -> None:
    assert np.exp(length_prior(400, 5.0, 2.0, 1)).sum() == pytest.approx(1.0)
    assert np.isneginf(length_prior(20, 5.0, 2.0, 4)[:4]).all()


def test_the_average_is_over_means_shapes_and_tables_by_their_evidence() -> None:
    size, min_length = 6, 1
    tables = [random_scores(size, 1), random_scores(size, 2)]
    means = [3.0 * 2 ** (power / 2) for power in range(5)]  # up to about twice the text
    evidences, boundaries = [], []
    for table in tables:
        for mean in means:
            for shape in (1.0, 2.0, 4.0, 10.0, 30.0):
                prior = length_prior(size, mean, shape, min_length)
                sums = all_partitions(table + by_length(prior))
                total = np.logaddexp.reduce(list(sums.values()))
                evidences.append(total)
                begun = [
                    sum(np.exp(value - total) for cuts, value in sums.items() if place in cuts) for place in range(7)
                ]
                boundaries.append(begun)
    shares = np.exp(np.array(evidences) - max(evidences))
    shares[shares <= np.exp(-3.0)] = 0.0  # less than a twentieth of the best counts for nothing
    expected = shares @ np.array(boundaries) / shares.sum()
    found = average_over_priors(tables, min_length)
    assert found.boundaries_N[1:-1] == pytest.approx(expected[1:-1])
    best = int(np.argmax(evidences))
    assert found.scores is tables[best // 25]
    assert found.penalty == pytest.approx(np.log(means[best % 25 // 5] - 1))


def test_credible_sets_hold_enough_and_no_place_more_than_the_last_that_was_needed() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        boundaries = rng.dirichlet(np.full(13, 0.3))
        place = int(boundaries[1:12].argmax()) + 1
        ((low, high),) = credible_sets(boundaries, [place])
        first, last = place // 2 + 1, max((place + 12 - 1) // 2, place)
        needed = CREDIBLE_MASS * boundaries[first : last + 1].sum()
        assert first <= low <= place <= high <= last
        assert boundaries[low : high + 1].sum() >= needed or (low, high) == (first, last)
        if high > low:  # without one of its ends, the last that was taken in, it would hold too little
            assert boundaries[low : high + 1].sum() - max(boundaries[low], boundaries[high]) < needed


@pytest.mark.parametrize("seed", range(3))
def test_a_text_of_separate_vocabularies_has_its_boundaries_where_they_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.zeros((24, 30), dtype=int)
    for place in range(24):
        counts[place, (10 * (place // 8)) + rng.choice(10, 6, replace=False)] = 1
    features = Features(counts=counts, background=np.full(30, 1e-3))
    found = average_over_priors(likely_evidence(features, 2), 2)
    assert {int(place) for place in np.argsort(-found.boundaries_N[1:-1])[:2] + 1} == {8, 16}
    assert all(found.same_NN[start, stop - 1] > 0.5 for start, stop in pairwise([0, 8, 16, 24]))
