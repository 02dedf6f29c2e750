"""Context trees against their definition."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
    assert math.isclose(grow(joined, DEPTH).evidence, math.log(weighted(pairs, DEPTH - 1)), abs_tol=1e-9)


@given(pairs=steps, context=st.integers(0, 2**DEPTH - 1))
def test_a_fresh_prediction_is_the_ratio_of_two_evidences(pairs: list[tuple[int, int]], context: int) -> None:
    predicted = np.exp(predictions(grow(np.array([2 * c + d for c, d in pairs]), DEPTH))[0])
    for digit in (0, 1):
        ratio = weighted([*pairs, (context, digit)], DEPTH - 1) / weighted(pairs, DEPTH - 1)
        assert math.isclose(predicted[2 * context + digit], ratio, rel_tol=1e-6)


@given(pairs=steps)
def test_a_counted_digit_is_taken_out_of_the_counts(pairs: list[tuple[int, int]]) -> None:
    ones = [(0, digit) for _, digit in pairs]
    seen = np.exp(predictions(grow(np.array([digit for _, digit in ones]), 0))[1])
    for digit in {digit for _, digit in ones}:
        count = sum(other == digit for _, other in ones)
        assert math.isclose(seen[digit], (count - 0.5) / len(ones), rel_tol=1e-9)


def test_shorter_contexts_predict_without_the_last_bits() -> None:
    contexts = np.random.default_rng(0).integers(0, 8, 500)
    joined = 2 * contexts + (contexts >> 2)
    tree = grow(joined, DEPTH)
    assert predictions(tree, 2).shape == (2, 4)
    assert np.exp(predictions(tree, 2)[0, 3]) > 0.95
    assert abs(np.exp(predictions(tree, 3)[0, 1]) - 0.5) < 0.1
