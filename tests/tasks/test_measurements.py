"""The measurements of narrowness against the plainest programs that say the same."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from shoal.tasks import Example
from shoal.tasks.narrowing.measurements import (
    END,
    EncodedExample,
    compare_lengths,
    nearest_prompts,
    sample,
    sample_sizes,
    score_rule,
    score_shortcuts,
)

tokens = st.lists(st.integers(0, 3), max_size=12).map(tuple)
encoded = st.builds(EncodedExample, prompt=tokens, completion=tokens.filter(bool), ends=st.booleans())
part = st.lists(encoded, min_size=1, max_size=5)


def by_table(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Wagner and Fischer's table of edit distances, a row at a time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


@settings(max_examples=80, deadline=None)
@given(seen=part, held_out=part)
def test_the_nearest_prompt_is_the_first_of_least_distance(
    seen: list[EncodedExample], held_out: list[EncodedExample]
) -> None:
    found = nearest_prompts(seen, held_out)
    steps, shares, right, positions = [], [], 0, 0
    for item in held_out:
        distances = [by_table(item.prompt, other.prompt) for other in seen]
        nearest = seen[distances.index(min(distances))]
        steps.append(min(distances))
        shares.append(min(distances) / max(1, len(item.prompt), len(nearest.prompt)))
        right += nearest.target == item.target
        positions += sum(a == b for a, b in zip(nearest.target, item.target, strict=False))
    assert (found.items, found.seen, found.copy_right) == (len(held_out), len(seen), right)
    assert found.steps == pytest.approx(sum(steps) / len(steps))
    assert found.distance == pytest.approx(sum(shares) / len(shares))
    assert found.copy_token_accuracy == pytest.approx(positions / sum(len(item.target) for item in held_out))
    assert found.copy_accuracy == right / len(held_out)


def test_prompts_longer_than_a_machine_word_have_their_distance_too() -> None:
    draw = random.Random(0)
    for length in (63, 64, 65, 129, 300):
        text = tuple(draw.randrange(5) for _ in range(length))
        query = tuple(token for token in text if draw.random() > 0.1)
        one = nearest_prompts([EncodedExample(text, (1,), True)], [EncodedExample(query, (1,), True)])
        assert one.steps == by_table(query, text)


@settings(max_examples=80, deadline=None)
@given(seen=part, held_out=part)
def test_lengths_are_counted_position_by_position(seen: list[EncodedExample], held_out: list[EncodedExample]) -> None:
    found = compare_lengths(seen, held_out)
    context = max(len(item.prompt + item.target) for item in seen)
    beyond = [len(item.prompt) + place >= context for item in held_out for place in range(len(item.target))]
    assert found.context_seen == context
    assert found.beyond_context == pytest.approx(sum(beyond) / len(beyond))
    assert found.longer == sum(all(len(item.target) > len(other.target) for other in seen) for item in held_out)
    assert found.longer_prompts == sum(all(len(item.prompt) > len(other.prompt) for other in seen) for item in held_out)


def test_a_target_has_the_end_behind_it_where_the_completion_ends() -> None:
    assert EncodedExample((1,), (2, 3), True).target == (2, 3, END)
    assert EncodedExample((1,), (2, 3), False).target == (2, 3)


def test_shortcuts_come_the_best_first_and_of_equals_in_their_order() -> None:
    rows = [Example(prompt=letter, completion=letter * 2) for letter in "abc"]
    shortcuts = {
        "none": lambda prompt, seen: "",
        "first": lambda prompt, seen: seen[0].completion,
        "double": lambda prompt, seen: prompt * 2,
        "nothing": lambda prompt, seen: "x",
    }
    scores = score_shortcuts(shortcuts, rows[:1], rows)
    assert [(score.name, score.right, score.items) for score in scores] == [
        ("double", 3, 3), ("first", 1, 3), ("none", 0, 3), ("nothing", 0, 3),
    ]  # fmt: skip
    assert scores[1].accuracy == 1 / 3
    assert score_rule(str.upper, rows).right == 0


@given(size=st.integers(0, 12), seed=st.integers(0, 5))
def test_a_sample_is_drawn_without_replacement_and_in_order(size: int, seed: int) -> None:
    drawn = sample(range(10), size, seed)
    assert len(drawn) == min(size, 10)
    assert drawn == sorted(set(drawn))
    assert drawn == sample(range(10), size, seed)


def test_few_rows_are_all_compared_and_many_never_fewer_than_the_least() -> None:
    assert sample_sizes(["x" * 50] * 300, ["x" * 50] * 200) == (300, 200)
    seen, held_out = sample_sizes(["x" * 100_000] * 5000, ["x" * 100_000] * 5000)
    assert (seen, held_out) == (100, 30)
