from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from shoal.tasks import Example, make_task, task_from_rows
from shoal.tasks.shortcuts import COPYING

UP = make_task("counting", base="decimal")
DOWN = make_task("counting", base="decimal", direction="down")


def far_end(task_name: str, shortcut: str, number: int) -> int:
    """The number that the shortcut counts to where it was asked for this one."""
    task = {"up": UP, "down": DOWN}[task_name]
    prompt = task.examples[number - 1].prompt
    numbers = [int(word) for word in task.shortcuts[shortcut](prompt, task.seen).split()]
    assert min(numbers) == 1
    assert numbers == sorted(numbers, reverse=task_name == "down")
    return max(numbers)


@pytest.mark.parametrize(
    ("shortcut", "number", "counted_to"),
    [
        ("copy-longest", 37, 100),
        ("copy-nearest-edit", 37, 30),  # the first of the seen numbers that one replaced digit makes
        ("stop-at-next-ten", 37, 40),
        ("stop-at-next-ten", 40, 40),
        ("stop-at-previous-ten", 37, 30),
        ("stop-at-previous-ten", 7, 1),
        ("stop-at-nearest-seen", 37, 36),
        ("stop-at-nearest-seen", 36, 36),
        ("stop-at-token-phase", 37, 29),  # 33 and 41 are held out; 29 and 45 are as near
        ("stop-at-whole-token", 37, 40),
        ("stop-at-whole-token", 41, 44),
        ("never-stop", 37, 200),
    ],
)
def test_each_counting_shortcut_counts_to_a_number_of_its_own(shortcut: str, number: int, counted_to: int) -> None:
    assert far_end("up", shortcut, number) == counted_to


def test_counting_down_the_shortcuts_begin_elsewhere() -> None:
    assert far_end("down", "stop-at-next-ten", 37) == 40
    assert far_end("down", "stop-at-nearest-seen", 37) == 36
    assert "never-stop" not in DOWN.shortcuts


def test_no_shortcut_answers_a_held_out_number_but_1() -> None:
    for shortcut in UP.shortcuts.values():
        right = [e.tags["index"] for e in UP.held_out if shortcut(e.prompt, UP.seen) == e.completion]
        assert set(right) <= {1}


def test_the_look_up_knows_what_was_seen_and_nothing_else() -> None:
    look_up = UP.shortcuts["look-up"]
    assert all(look_up(example.prompt, UP.seen) == example.completion for example in UP.seen)
    assert all(look_up(example.prompt, UP.seen) == "" for example in UP.held_out)


def test_copying_shortcuts_of_any_task() -> None:
    seen = [
        Example(prompt="red apple", completion="fruit"),
        Example(prompt="a green bean from the garden", completion="vegetable"),
        Example(prompt="pear", completion="fruit"),
    ]
    said = {name: shortcut("bear", seen) for name, shortcut in COPYING.items()}
    assert said == {
        "look-up": "",
        "copy-nearest-length": "fruit",
        "copy-nearest-edit": "fruit",
        "copy-longest": "vegetable",
        "copy-commonest": "fruit",
    }
    assert COPYING["copy-nearest-length"]("a green bear from the barn", seen) == "vegetable"
    assert {shortcut("bear", []) for shortcut in COPYING.values()} == {""}


def test_rows_of_ones_own_have_the_copying_shortcuts_beside_their_own() -> None:
    rows = [Example(prompt=p, completion=p.upper()) for p in "abc"]
    task = task_from_rows(rows, split="random", shortcuts={"echo": lambda prompt, seen: prompt})
    assert set(task.shortcuts) == {*COPYING, "echo"}
    assert task.shortcuts["echo"]("x", task.seen) == "x"


@settings(max_examples=60, deadline=None)
@given(prompt=st.text("abc", max_size=8), seen=st.lists(st.text("abc", max_size=8), min_size=1, max_size=6))
def test_the_nearest_by_edits_is_the_first_of_least_distance(prompt: str, seen: list[str]) -> None:
    rows = [Example(prompt=text, completion=str(place)) for place, text in enumerate(seen)]
    distances = [by_table(prompt, text) for text in seen]
    assert COPYING["copy-nearest-edit"](prompt, rows) == str(distances.index(min(distances)))


def by_table(a: str, b: str) -> int:
    """Wagner and Fischer's table of edit distances, a row at a time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


@pytest.mark.parametrize("number", range(1, 101))
def test_every_far_end_is_what_its_name_says(number: int) -> None:
    seen = [example.tags["index"] for example in UP.seen]
    assert far_end("up", "stop-at-next-ten", number) == next(k for k in range(number, 200) if k % 10 == 0)
    assert far_end("up", "stop-at-whole-token", number) == next(k for k in range(number, 200) if k % 4 == 0)
    assert far_end("up", "stop-at-nearest-seen", number) == min(seen, key=lambda k: (abs(k - number), k))
    same = [k for k in seen if k % 4 == number % 4]
    assert far_end("up", "stop-at-token-phase", number) == min(same, key=lambda k: (abs(k - number), k))
