"""Decision accuracy against rankings that are counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.statistics import decision_accuracy


def test_pairs_are_counted_as_by_hand():
    small = [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]
    large = [[1.0, 2.0, 4.0], [1.2, 2.4, 4.0]]
    found = decision_accuracy(small, large)
    # The second small seed turns one of three pairs; the means of the small ones tie there.
    assert found.one_seed.value == pytest.approx((3 + 2) / 6)
    assert found.mean_of_seeds.value == pytest.approx((2 + 0.5) / 3)
    assert found.large_with_itself == 1
    assert (found.pairs, found.reversed_pairs) == (3, ())


def test_an_opposite_ranking_decides_nothing_right_and_names_its_pairs():
    found = decision_accuracy([[3.0, 2.0, 1.0]] * 3, [[1.0, 2.0, 3.0]] * 3)
    assert found.one_seed.value == found.mean_of_seeds.value == 0
    assert found.reversed_pairs == ((0, 1), (0, 2), (1, 2))
    # Three seeds of one order cannot show how often another would change it.
    assert (found.one_seed.low, found.one_seed.high) == (None, None)


def test_the_better_candidate_by_the_large_experiment_comes_first_in_a_reversed_pair():
    found = decision_accuracy([[1.0, 2.0]], [[2.0, 1.0]])
    assert found.reversed_pairs == ((1, 0),)
    assert found.large_with_itself is None
    assert found.one_seed.low is None


def test_the_interval_is_that_of_all_samples_of_seeds():
    draws = np.random.default_rng(3)
    small, large = draws.normal(size=(3, 5)), draws.normal(size=(3, 5))
    found = decision_accuracy(small.tolist(), large.tolist())
    values = []
    for one, other in itertools.product(itertools.product(range(3), repeat=3), repeat=2):
        target = large[list(other)].mean(axis=0)
        values.append(np.mean([_same(small[seed], target) for seed in one]))
    half = 4.302653 * np.std(values) * np.sqrt(3 / 2)
    assert found.one_seed.low == pytest.approx(max(0, found.one_seed.value - half), abs=1e-5)
    assert found.one_seed.high == pytest.approx(min(1, found.one_seed.value + half), abs=1e-5)


def test_intervals_cover_the_expected_accuracy_about_as_often_as_they_state():
    draws = np.random.default_rng(0)
    truth = np.arange(6) * 0.5
    # The accuracy of one seed, since that is what is estimated.
    expected = np.mean([_same(truth + draws.normal(size=6), truth) for _ in range(500)])
    covered = 0
    for _ in range(25):
        small, large = truth + draws.normal(size=(3, 6)), truth + 0.05 * draws.normal(size=(3, 6))
        interval = decision_accuracy(small.tolist(), large.tolist()).one_seed
        low, high = interval.bounds
        covered += low <= expected <= high
    # 0.95 of 25 are 24; four standard errors below.
    assert covered >= 19


def _same(one, other):
    pairs = list(itertools.combinations(range(len(one)), 2))
    return np.mean([np.sign(one[a] - one[b]) == np.sign(other[a] - other[b]) for a, b in pairs])


@pytest.mark.parametrize(
    ("small", "large", "message"),
    [
        ([[1.0]], [[1.0]], "two candidates"),
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], "the same ones"),
        ([[1.0, float("nan")]], [[1.0, 2.0]], "no finite number"),
    ],
)
def test_tables_that_cannot_be_ranked_are_refused(small, large, message):
    with pytest.raises(UsageError, match=message):
        decision_accuracy(small, large)


def test_equal_shares_of_all_samples_give_no_interval_whatever_rounding_makes_of_them():
    small = [[0.0, 1.0, 2.0, 3.0, 4.0]] * 3
    for large in ([1.0, 0.0, 3.0, 2.0, 4.0], [2.0, 1.0, 0.0, 3.0, 4.0], [2.0, 1.0, 0.0, 4.0, 3.0]):
        found = decision_accuracy(small, [large] * 3)
        assert (found.one_seed.low, found.one_seed.high) == (None, None)
        assert (found.mean_of_seeds.low, found.mean_of_seeds.high) == (None, None)


def test_means_that_are_equal_but_for_rounding_are_a_tie():
    small = [[0.4, 0.3], [0.5, 0.3], [0.3, 0.6]]
    found = decision_accuracy(small, [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert found.mean_of_seeds.value == 0.5
    assert decision_accuracy([[0.0, 1.0]], small).reversed_pairs == ()
