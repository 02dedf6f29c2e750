"""Samples of long sequences."""

from __future__ import annotations

from shoal.statistics import even_sample


def test_a_short_sequence_is_taken_whole() -> None:
    assert even_sample((1, 2, 3), 3) == [1, 2, 3]
    assert even_sample([], 5) == []


def test_a_long_one_is_sampled_evenly_and_in_order() -> None:
    assert even_sample(range(10), 5) == [0, 2, 4, 6, 8]
    assert even_sample("abcdefg", 3) == ["a", "c", "e"]
    assert even_sample(range(10), 0) == []
