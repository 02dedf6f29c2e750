"""Tests of a share that are valid at every look: exact error probabilities, and evidence where there is some."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.statistics import (
    clopper_pearson_interval,
    log_e_share_above,
    log_e_share_below,
    share_confidence_sequence,
)


def crossing_probability(share: float, threshold: float, looks: int, log_e: Callable[..., Any]) -> float:
    """The exact probability that the e-value ever reaches the threshold, by the distribution of the successes."""
    alive, crossed = np.array([1.0]), 0.0
    for trials in range(1, looks + 1):
        alive = np.append(alive * (1 - share), 0.0) + np.append(0.0, alive * share)
        over = log_e(np.arange(trials + 1), np.full(trials + 1, trials), share) >= threshold
        crossed += float(alive[over].sum())
        alive[over] = 0.0
    return crossed


@pytest.mark.parametrize("log_e", [log_e_share_below, log_e_share_above])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_true_share_is_rejected_at_some_look_with_at_most_alpha(
    log_e: Callable[..., Any], share: float, alpha: float
) -> None:
    wrong = crossing_probability(share, math.log(1 / alpha), 300, log_e)
    # Above a quarter of alpha the test is not merely never wrong because it never rejects.
    assert alpha / 4 < wrong <= alpha


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_the_mean_of_the_e_value_is_one_at_the_share_and_less_on_the_side_of_the_null(share: float) -> None:
    trials = 40
    counts = np.arange(trials + 1)
    ways = np.array([math.comb(trials, int(count)) for count in counts], dtype=float)
    values = np.exp(log_e_share_below(counts, np.full(trials + 1, trials), share))

    def mean(truth: float) -> float:
        return float((ways * truth**counts * (1 - truth) ** (trials - counts) * values).sum())

    assert mean(share) == pytest.approx(1.0)
    assert mean(min(0.99, share + 0.1)) < 1.0 < mean(share - 0.1)


def test_a_share_near_zero_is_found_within_a_handful_of_trials_and_a_smaller_one_in_time() -> None:
    assert log_e_share_below(0, 5, 0.5) >= math.log(20) > log_e_share_below(0, 4, 0.5)
    assert log_e_share_below(430, 1000, 0.5) >= math.log(20)
    assert log_e_share_below(500, 1000, 0.5) < 0


def test_both_sides_mirror_each_other() -> None:
    assert log_e_share_above(7, 9, 0.7) == pytest.approx(log_e_share_below(2, 9, 0.3))


def test_arrays_give_arrays() -> None:
    found = log_e_share_below([0, 1, 2], [3, 3, 3], 0.5)
    assert found.shape == (3,)
    assert found[1] == pytest.approx(float(log_e_share_below(1, 3, 0.5)))


def test_large_counts_neither_overflow_nor_underflow() -> None:
    assert np.isfinite(log_e_share_below([0, 10**6], [10**6, 10**6], 0.5)).all()


def test_all_intervals_of_a_sequence_hold_the_share_as_often_as_they_should() -> None:
    generator = np.random.default_rng(0)
    missed = 0
    for _ in range(60):
        hits = np.cumsum(generator.random(80) < 0.8)
        intervals = [share_confidence_sequence(int(hits[look - 1]), look) for look in (5, 10, 20, 40, 80)]
        missed += any(0.8 not in interval for interval in intervals)
    assert missed <= 8  # 5% of 60 are 3; more than 8 have a probability below one in a hundred


def test_the_ends_are_where_the_tests_begin_to_reject() -> None:
    interval = share_confidence_sequence(30, 100, confidence=0.9)
    assert log_e_share_below(30, 100, interval.high) == pytest.approx(math.log(20), abs=1e-6)
    assert log_e_share_above(30, 100, interval.low) == pytest.approx(math.log(20), abs=1e-6)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (5, 10), (10, 10), (90, 100)])
def test_stopping_at_will_costs_width_but_not_much(successes: int, trials: int) -> None:
    sequence = share_confidence_sequence(successes, trials)
    fixed = clopper_pearson_interval(successes, trials)
    assert sequence.low <= fixed.low
    assert fixed.high <= sequence.high
    assert sequence.high - sequence.low < 2 * (fixed.high - fixed.low)


def test_without_a_trial_every_share_is_possible() -> None:
    interval = share_confidence_sequence(0, 0)
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_cannot_be_tested_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="must lie between 0 and 1"):
        log_e_share_below(1, 2, share)


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(UsageError, match="between 0 and the trials"):
        log_e_share_below(successes, trials, 0.5)
    with pytest.raises(UsageError, match="between 0 and the trials"):
        share_confidence_sequence(successes, trials)


@pytest.mark.parametrize("counts", [(1, float("nan")), (float("nan"), 3)])
def test_counts_that_are_no_numbers_are_refused(counts):
    with pytest.raises(UsageError, match="between 0 and the trials"):
        log_e_share_below(*counts, 0.5)
