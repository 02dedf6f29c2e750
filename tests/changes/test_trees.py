"""Context trees against their definition."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, strategies as st

from shoal.changes.trees import grow, predictions

DEPTH = 3
steps = st.lists(st.tuples(st.integers(0, 2**DEPTH - 1), st.integers(0, 1)), min_size=1, max_size=30)


def kt(zeros: int, ones: int) -> float:
    """The Krichevsky-Trofimov probability of a sequence, digit by digit."""
    probability, seen = 1.0, [0, 0]
    for digit in [0] * zeros + [1] * ones:
        probability *= (seen[digit] + 0.5) / (sum(seen) + 1.0)
        seen[digit] += 1
    return probability


def weighted(pairs: list[tuple[int, int]], bit: int) -> float:
    own = kt(sum(digit == 0 for _, digit in pairs), sum(digit == 1 for _, digit in pairs))
    if bit < 0:
        return own
    halves = [[pair for pair in pairs if (pair[0] >> bit) & 1 == side] for side in (0, 1)]
    return 0.5 * own + 0.5 * weighted(halves[0], bit - 1) * weighted(halves[1], bit - 1)


@given(pairs=steps)
def test_the_evidence_is_the_weighted_probability_of_all_trees(pairs: list[tuple[int, int]]) -> None:
    joined = np.array([2 * context + digit for context, digit in pairs])
    assert math.isclose(grow([joined], DEPTH).evidence[0], math.log(weighted(pairs, DEPTH - 1)), abs_tol=1e-9)


@given(pairs=steps, others=steps)
def test_a_tree_knows_nothing_of_those_beside_it(pairs: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    first, second = (np.array([2 * context + digit for context, digit in rows]) for rows in (pairs, others))
    both, alone = grow([first, second], DEPTH), grow([second], DEPTH)
    assert both.evidence[1] == alone.evidence[0]
    assert all(
        np.array_equal(mine[1], own[0])
        for mine, own in zip(predictions(both), predictions(both.chosen([1])), strict=True)
    )
    assert all(np.array_equal(mine[1], own[0]) for mine, own in zip(predictions(both), predictions(alone), strict=True))


@given(pairs=steps, context=st.integers(0, 2**DEPTH - 1))
def test_a_fresh_prediction_is_the_ratio_of_two_evidences(pairs: list[tuple[int, int]], context: int) -> None:
    predicted = np.exp(predictions(grow([np.array([2 * c + d for c, d in pairs])], DEPTH))[DEPTH][0, 0])
    for digit in (0, 1):
        ratio = weighted([*pairs, (context, digit)], DEPTH - 1) / weighted(pairs, DEPTH - 1)
        assert math.isclose(predicted[digit, context], ratio, rel_tol=1e-5)


@given(pairs=steps)
def test_a_counted_digit_is_taken_out_of_the_counts(pairs: list[tuple[int, int]]) -> None:
    digits = [digit for _, digit in pairs]
    seen = np.exp(predictions(grow([np.array(digits)], 0))[0][0, 1])
    for digit in set(digits):
        assert math.isclose(seen[digit, 0], (digits.count(digit) - 0.5) / len(digits), rel_tol=1e-5)


def test_shorter_contexts_predict_without_the_last_bits() -> None:
    contexts = np.random.default_rng(0).integers(0, 8, 500)
    found = predictions(grow([2 * contexts + (contexts >> 2)], DEPTH))
    assert [level.shape for level in found] == [(1, 2, 2, 1), (1, 2, 2, 2), (1, 2, 2, 4), (1, 2, 2, 8)]
    assert np.exp(found[1][0, 0, 1, 1]) > 0.95
    assert abs(np.exp(found[0][0, 0, 1, 0]) - 0.5) < 0.1
