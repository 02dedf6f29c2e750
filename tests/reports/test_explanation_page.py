"""The page of what explains a model's answers, with what a search found."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shoal.attribution import Explanation, ItemAnswer, candidates_of, explain_answers
from shoal.attribution.programs import FoundProgram, SearchResult, ShowingItem
from shoal.reports import explanation_page
from shoal.reports.explanation import trainings_section
from shoal.tasks import make_task


@pytest.fixture(scope="module")
def explained() -> Explanation:
    """A model that copies its prompt in the order in which it stands."""
    task = make_task("reverse", examples=60)
    table = candidates_of(task, task.held_out)
    copied = task.shortcuts["same-order"]
    answers = [
        ItemAnswer(
            prompt=item.prompt,
            expected=item.completion,
            answer=str(copied(item.prompt, task.seen)),
            ends=True,
            log_probs={},
        )
        for item in task.held_out
    ]
    return explain_answers(table, answers, task.seen, task=task.name)


def program(*, agrees: int, found: bool) -> FoundProgram:
    return FoundProgram(
        text="the last word of the prompt",
        notation="at[-1](words)",
        bits=12.0,
        bits_saved=30.5,
        agrees=agrees,
        differs=16,
        follows=15,
        share=0.9,
        items=18,
        posterior=0.99,
        equal_programs=0,
        found=found,
        showing=(ShowingItem(prompt="a <b>:", expected=" b", answer=" a"),),
        shortcut=cast("Any", None),
    )


def searched(*programs: FoundProgram) -> SearchResult:
    return SearchResult(programs=programs, tried=5_000, named=("rule",), alpha=0.01, min_share=0.1)


def test_what_a_search_found_stands_in_the_second_line_and_before_all_explanations(explained):
    page = explanation_page(explained, model="mine", search=searched(program(agrees=17, found=True)))
    assert "A search found 1 shortcut that nobody named; it gives the model" in page
    assert "17 of 18 items" in page
    assert page.index("the last word of the prompt") < page.index("Every explanation")
    assert "a &lt;b&gt;:" in page


def test_several_programs_are_counted_and_the_closest_one_is_measured(explained):
    search = searched(program(agrees=9, found=True), program(agrees=12, found=True))
    page = explanation_page(explained, model="mine", search=search)
    assert "found 2 shortcuts that nobody named; the closest gives" in page
    assert "12 of 18 items" in page
    assert "Items that show number 2" in page


def test_a_search_that_found_nothing_says_so_and_shows_the_best(explained):
    page = explanation_page(explained, model="mine", search=searched(program(agrees=3, found=False)))
    assert "found no shortcut that is not named here" in page
    assert "The best of 5,000 programs" in page
    assert "Shortcuts that nobody named" not in explanation_page(explained, model="mine")


def test_few_arms_are_a_list_and_many_a_table_with_the_rest_behind_one_line_each(explained):
    few = trainings_section({"left": {0: explained}, "right": {0: explained}}, confidence=0.95)
    assert few is not None
    assert "<li><b>left</b>: " in few
    assert few.count("<summary>") == 2
    many = trainings_section({f"arm {place}": {0: explained} for place in range(6)}, confidence=0.95)
    assert many is not None
    assert "<li>" not in many
    assert "What explains the answers of each arm" in many
    for folded in ("Answers equal to those of each explanation, arm by arm", "What each arm answers instead"):
        assert many.count(f"<summary>{folded}</summary>") == 1
