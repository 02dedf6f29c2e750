"""The distribution of right guesses, against every outcome counted in whole numbers."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings, strategies as st

from shoal.evaluation.benchmarks.chance import guessing_p_value

CHANCES = st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(1, 5), Fraction(0), Fraction(1)])


def counted(right: int, chances: list[Fraction]) -> Fraction:
    """Twice the smaller tail, by going through all outcomes."""
    below = above = Fraction(0)
    for outcome in itertools.product((0, 1), repeat=len(chances)):
        share = Fraction(1)
        for hit, chance in zip(outcome, chances, strict=True):
            share *= chance if hit else 1 - chance
        below += share * (sum(outcome) <= right)
        above += share * (sum(outcome) >= right)
    return min(Fraction(1), 2 * min(below, above))


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANCES, min_size=1, max_size=7), st.data())
def test_the_p_value_is_that_of_all_outcomes(chances: list[Fraction], data: st.DataObject) -> None:
    right = data.draw(st.integers(0, len(chances)))
    found = guessing_p_value(right, [float(chance) for chance in chances])
    assert found == pytest.approx(float(counted(right, chances)), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANCES, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(chances: list[Fraction], random: object) -> None:
    floats = [float(chance) for chance in chances]
    turned = floats[:]
    random.shuffle(turned)  # type: ignore[attr-defined]
    for right in range(len(floats) + 1):
        assert guessing_p_value(right, turned) == pytest.approx(guessing_p_value(right, floats), abs=1e-12)


@pytest.mark.parametrize(("right", "items"), [(0, 40), (10, 40), (25, 40), (40, 40), (300, 1000)])
def test_items_of_one_chance_are_binomial(right: int, items: int) -> None:
    # Exact tails in whole numbers: three wrong choices for each right one.
    ways = [comb(items, hits) * 3 ** (items - hits) for hits in range(items + 1)]
    smaller = min(sum(ways[: right + 1]), sum(ways[right:]))
    assert guessing_p_value(right, [0.25] * items) == pytest.approx(
        min(1.0, float(Fraction(2 * smaller, 4**items))), rel=1e-9
    )


@pytest.mark.parametrize(
    ("right", "chances", "p_value"),
    [
        (0, [0.5], 1.0),
        (1, [0.25], 0.5),
        (0, [0.25], 1.0),
        (3, [0.5, 0.5, 0.5], 0.25),
        (2, [1.0, 1.0], 1.0),
        (1, [1.0, 1.0], 0.0),
        (1, [0.0, 0.0], 0.0),
        (0, [0.0], 1.0),
    ],
)
def test_a_few_items_by_hand(right: int, chances: list[float], p_value: float) -> None:
    assert guessing_p_value(right, chances) == pytest.approx(p_value, abs=1e-12)


def test_more_right_answers_are_less_likely_guesses() -> None:
    chances = [0.25] * 30 + [0.5] * 10
    values = [guessing_p_value(right, chances) for right in range(13, 41)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < 1e-20
