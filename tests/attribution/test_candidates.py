"""Candidates: what each explanation would answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.attribution import candidates_of
from shoal.errors import DataError, UnknownNameError, UsageError
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


def test_a_name_that_is_misspelt_is_no_explanation():
    table = candidates_of(counting())
    for use in (table.column, table.without, lambda name: table.of(["rule", name])):
        with pytest.raises(UnknownNameError, match=r"unknown explanation 'never-stops'; did you mean 'never-stop'\?"):
            use("never-stops")


def test_a_table_of_some_items_in_another_order_is_the_table_of_those_items():
    task = counting()
    places = [5, 0, 3]
    assert candidates_of(task).rows(places) == candidates_of(task, [task.held_out[place] for place in places])


def test_a_shortcut_without_an_answer_is_silent_whether_it_is_empty_or_refuses():
    def refuses(prompt, seen):
        raise DataError("cannot read this")

    table = candidates_of(rows_task(shortcuts={"empty": lambda prompt, seen: "", "refuses": refuses}))
    assert set(table.column("empty")) == set(table.column("refuses")) == {None}
    assert table.classes() == table.without("empty").without("refuses").classes()


def test_explanations_that_agree_wherever_both_answer_are_two_classes():
    table = candidates_of(
        rows_task(shortcuts={"half": lambda prompt, seen: f" {int(prompt[:-3]) + 1}" if int(prompt[:-3]) % 2 else ""})
    )
    assert any(text is None for text in table.column("half"))
    assert all(half in (None, right) for half, right in zip(table.column("half"), table.column("rule"), strict=True))
    assert ("rule",) in table.classes()


def test_an_empty_completion_is_the_right_answer_of_an_item_and_no_answer_of_a_rule():
    rows = [Example(prompt=f"{n}:", completion="" if n % 2 else f" {n}") for n in range(20)]
    table = candidates_of(task_from_rows(rows, split="random(share=0.5)"), rows[:4])
    assert table.column("rule") == (" 0", "", " 2", "")
    by_prompt = {row.prompt: row.completion for row in rows}
    with pytest.raises(DataError, match="the rule gave '' for the prompt '1:'"):
        candidates_of(task_from_rows(rows, split="random(share=0.5)", rule=by_prompt.__getitem__), rows[:4])


def test_equal_prompts_are_one_cluster_and_keep_their_own_right_answers():
    rows = [Example(prompt="same:", completion=text) for text in (" a", " b")]
    rows += [Example(prompt=f"{n}:", completion=f" {n}") for n in range(10)]
    table = candidates_of(task_from_rows(rows, split="random(share=0.3)"), rows[:3])
    assert table.column("rule") == (" a", " b", " 0")
    assert table.clusters == ("same:", "same:", "0:")


def test_shortcuts_see_the_seen_examples_and_never_a_held_out_one():
    shown = []
    task = rows_task(shortcuts={"nosy": lambda prompt, seen: shown.append(tuple(seen)) or " 1"})
    candidates_of(task)
    assert len(shown) == len(task.held_out)
    assert all(examples == tuple(task.seen) for examples in shown)


def test_a_further_shortcut_gets_a_column_and_may_not_take_a_name():
    table = candidates_of(counting(), shortcuts={"one": lambda prompt, seen: " 1"})
    assert set(table.column("one")) == {" 1"}
    with pytest.raises(UsageError, match="'rule' of a shortcut is taken"):
        candidates_of(counting(), shortcuts={"rule": lambda prompt, seen: " 1"})


@pytest.mark.parametrize("name", ["rule", "noise"])
def test_a_shortcut_of_a_task_that_has_the_name_of_another_explanation_is_refused(name):
    task = counting()
    shortcuts = {**task.shortcuts, name: lambda prompt, seen: " 1"}
    with pytest.raises(UsageError, match=f"a shortcut of the task is called '{name}', which is no shortcut"):
        candidates_of(replace(task, shortcuts=shortcuts))


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
