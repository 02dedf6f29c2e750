"""Candidates: what each explanation would answer."""

from __future__ import annotations

import pytest

from shoal.attribution import candidates_of
from shoal.errors import DataError, UsageError
from shoal.tasks import Example, make_task, task_from_rows


def counting(largest=30):
    return make_task("counting", largest=largest)


def rows_task(rule=None, shortcuts=None):
    rows = [Example(prompt=f"{n}+1=", completion=f" {n + 1}") for n in range(20)]
    return task_from_rows(rows, split="random(share=0.3)", rule=rule, shortcuts=shortcuts)


def test_the_rule_comes_first_and_gives_the_completions_of_the_held_out_examples():
    task = counting()
    table = candidates_of(task)
    assert table.names[0] == "rule"
    assert table.kinds[0] == "rule"
    assert table.column("rule") == tuple(example.completion for example in task.held_out)


def test_neighbours_are_marked_as_such():
    table = candidates_of(counting())
    kinds = dict(zip(table.names, table.kinds, strict=True))
    assert kinds["copy-nearest-edit"] == "nearest"
    assert kinds["stop-at-next-ten"] == "shortcut"


def test_explanations_with_the_same_answers_to_all_items_are_one_class():
    table = candidates_of(counting())
    group = next(group for group in table.classes() if "stop-at-nearest-seen" in group)
    assert "copy-nearest-length" in group
    assert all(table.column(name) == table.column(group[0]) for name in group)


def test_an_explanation_that_applies_to_no_item_is_in_no_class():
    # No held-out prompt was seen, so that looking it up answers nothing.
    table = candidates_of(counting())
    assert "look-up" in table.names
    assert all("look-up" not in group for group in table.classes())


def test_a_table_without_one_explanation_keeps_the_others_as_they_were():
    table = candidates_of(counting())
    smaller = table.without("stop-at-next-ten")
    assert set(table.names) - set(smaller.names) == {"stop-at-next-ten"}
    assert smaller.column("never-stop") == table.column("never-stop")


def test_a_further_shortcut_gets_a_column_and_may_not_take_a_name():
    table = candidates_of(counting(), shortcuts={"one": lambda prompt, seen: " 1"})
    assert set(table.column("one")) == {" 1"}
    with pytest.raises(UsageError, match="'rule' of a shortcut is taken"):
        candidates_of(counting(), shortcuts={"rule": lambda prompt, seen: " 1"})


def test_no_items_are_refused():
    with pytest.raises(UsageError, match="no items"):
        candidates_of(counting(), [])


def test_a_rule_that_disagrees_with_an_item_is_named_with_both_answers():
    with pytest.raises(DataError, match=r"the rule answers ' 0' to .*' \d+'"):
        candidates_of(rows_task(rule=lambda prompt: " 0"))


def test_a_rule_that_raises_is_named_with_the_prompt():
    with pytest.raises(DataError, match=r"the rule failed on the prompt .*ZeroDivisionError"):
        candidates_of(rows_task(rule=lambda prompt: str(1 // 0)))


def test_a_shortcut_that_raises_or_gives_no_text_is_named():
    with pytest.raises(DataError, match=r"the shortcut 'mine' failed .*KeyError"):
        candidates_of(rows_task(shortcuts={"mine": lambda prompt, seen: {}[prompt]}))
    with pytest.raises(DataError, match=r"the shortcut 'mine' gave 7 .* must return a text"):
        candidates_of(rows_task(shortcuts={"mine": lambda prompt, seen: 7}))


def test_items_of_one_group_are_one_cluster():
    task = make_task("counting", largest=12, start=(1, 2))
    table = candidates_of(task)
    assert len(set(table.clusters)) < len(table.clusters)


def test_the_frame_has_a_row_for_each_item():
    table = candidates_of(counting())
    assert list(table.to_frame().columns) == ["prompt", *table.names]
    assert len(table.to_frame()) == len(table.prompts)
