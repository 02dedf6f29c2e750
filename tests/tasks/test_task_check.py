"""What is wrong with a task is named before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shoal.errors import DataError
from shoal.tasks import Example, Task, check_task, known_tasks, make_task, task_from_rows

ROWS = [
    Example(prompt=f"{a}+{b}=", completion=f" {a + b}", tags={"part": "held_out" if a == b else "seen"})
    for a in range(1, 7)
    for b in range(1, 7)
]


def add(prompt: str) -> str:
    first, second = prompt.rstrip("=").split("+")
    return f" {int(first) + int(second)}"


def double(prompt: str, seen: object) -> str:
    return f" {2 * int(prompt.split('+')[0])}"


def task(rows: list[Example] = ROWS, **parts: Any) -> Task:
    return task_from_rows(rows, split="part", **{"rule": add, **parts})


@pytest.mark.parametrize("name", sorted(known_tasks()))
def test_every_task_of_the_registry_passes_by_each_of_its_splits(name: str) -> None:
    if name == "reasoning-gym":
        pytest.importorskip("reasoning_gym", reason="the extra gym is not installed: pip install 'shoal[gym]'")
    for split in ("random(share=0.3)", known_tasks()[name].structural_split):
        check = check_task(make_task(name, split=split, **({"base": "decimal"} if name == "counting" else {})))
        check.raise_for_problems()
        assert check.agreement
        assert {row.name: row.seen for row in check.agreement}["look-up"] == check.seen


def test_the_agreement_of_a_shortcut_is_counted_on_both_parts() -> None:
    check = check_task(task(shortcuts={"first": {"word": 1}, "double": double}))
    rows = {row.name: (row.applies, row.seen, row.held_out) for row in check.agreement}
    assert (check.seen, check.held_out) == (30, 6)
    assert rows["double"] == (36, 0, 6)
    assert rows["first"] == (36, 0, 0)
    assert rows["look-up"] == (30, 30, 0)
    assert check.agreement[0].name == "double"
    assert "double" in str(check).splitlines()[1]
    assert next(iter(check.to_frame()["name"])) == "double"
    assert check.to_dict()["agreement"][0]["held_out"] == 6


def test_a_rule_that_contradicts_the_data_is_a_problem_with_its_rows() -> None:
    wrong = [replace(row, completion=" 0") if place in (3, 8, 9, 20, 21) else row for place, row in enumerate(ROWS)]
    check = check_task(task(wrong))
    expected = (
        "the rule disagrees with 5 of 36 examples (examples 4, 9, 10 and 2 more); first: it gives ' 5' for '1+4=', and "
        "the example has ' 0'"
    )
    assert check.problems == (expected,)
    with pytest.raises(DataError, match=r"^the task 'rows' cannot be used: the rule disagrees with 5 of 36 examples"):
        check.raise_for_problems()


def test_a_rule_that_fails_is_a_problem_with_its_rows() -> None:
    rows = [*ROWS, Example(prompt="six and one=", completion=" 7", tags={"part": "seen"})]
    problem = check_task(task(rows)).problems[0]
    assert problem.startswith("the rule fails on 1 of 37 examples (example 37); first: the rule failed on the prompt ")
    assert "ValueError" in problem


def test_a_rule_that_gives_no_text_is_a_problem() -> None:
    assert "the rule gave None for the prompt '1+1='" in check_task(task(rule=lambda prompt: None)).problems[0]


def test_a_shortcut_that_never_applies_is_a_problem_and_one_that_fails_too() -> None:
    def broken(prompt: str, seen: object) -> str:
        raise ZeroDivisionError(prompt, seen)

    def unreadable(prompt: str, seen: object) -> str:
        raise DataError("not of this form")

    check = check_task(task(shortcuts={"nothing": lambda prompt, seen: "", "broken": broken, "other": unreadable}))
    assert len(check.problems) == 3
    assert "the shortcut 'broken' failed on the prompt '1+2=' (ZeroDivisionError" in check.problems[0]
    assert "the shortcut 'nothing' applies to none of 36 examples" in check.problems[1]
    assert "the shortcut 'other' applies to none of 36 examples" in check.problems[2]
    with pytest.raises(DataError, match=r"\(and 2 more problems\)$"):
        check.raise_for_problems()


def test_a_shortcut_that_is_always_right_is_a_warning_where_others_are_not() -> None:
    check = check_task(task(shortcuts={"double": double, "twice": double, "first": {"word": 1}}))
    assert check.problems == ()
    assert check.warnings == (
        "the split part cannot tell 'double' and 'twice' from the rule: right on all of 6 held-out examples",
    )


def test_it_is_a_problem_where_every_shortcut_is() -> None:
    lone = replace(task(shortcuts={"double": double}), shortcuts={"double": double})
    problem = check_task(lone).problems[0]
    assert problem.startswith(
        "every shortcut that applies (double) is right on all of 6 held-out examples of the split"
    )


def test_two_shortcuts_that_answer_alike_are_a_warning() -> None:
    check = check_task(task(shortcuts={"first": {"word": 1}, "same": {"regex": r"^(\d)", "template": r" \1"}}))
    assert check.warnings == (
        "the split part cannot tell 'first' and 'same' apart: they give the same answers to the held-out examples",
    )


def test_prompts_and_groups_on_both_sides_and_contradictory_rows_are_warnings() -> None:
    rows = [
        Example(prompt="a", completion=" 1", tags={"part": "seen", "group": "x"}),
        Example(prompt="a", completion=" 2", tags={"part": "held_out", "group": "x"}),
        Example(prompt="b", completion=" 1", tags={"part": "seen", "group": "y"}),
    ]
    warnings = check_task(task_from_rows(rows, split="part")).warnings
    assert [text.split(":")[0] for text in warnings] == [
        "1 prompt with more than one completion",
        "1 prompt on both sides of the split",
        "1 group on both sides of the split",
    ]
