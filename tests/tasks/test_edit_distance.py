from __future__ import annotations

import random

from hypothesis import given, settings, strategies as st

from shoal.tasks.edit_distance import Texts


def by_table(a: list[int], b: list[int]) -> int:
    """Wagner and Fischer's table, a row at a time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


tokens = st.lists(st.integers(0, 3), max_size=80)


@settings(max_examples=80, deadline=None)
@given(query=tokens, texts=st.lists(tokens, min_size=1, max_size=4))
def test_distances_are_those_of_the_table(query: list[int], texts: list[list[int]]) -> None:
    assert Texts(texts).distances(query).tolist() == [by_table(query, text) for text in texts]


def test_queries_longer_than_a_word_of_bits_carry_over() -> None:
    draw = random.Random(0)
    for length in (63, 64, 65, 127, 128, 129, 300):
        text = [draw.randrange(5) for _ in range(length)]
        queries = [text, [t for t in text if draw.random() > 0.1], text[::-1], [9] * length]
        for query in queries:
            assert Texts([text, text[: length // 2]]).distances(query).tolist() == [
                by_table(query, text),
                by_table(query, text[: length // 2]),
            ]


def test_the_nearest_is_the_first_of_equals() -> None:
    assert Texts([[1, 2, 3], [1, 2], [1, 9]]).nearest([1, 2, 4, 5]) == (0, 2)
    assert Texts([[9], [1, 7], [1, 8]]).nearest([1, 2]) == (1, 1)
