"""The data sets of reasoning-gym as tasks, with the library itself."""

from __future__ import annotations

import random
import sys

import pytest

from shoal.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from shoal.tasks import Task, make_task, read_rows, write_rows
from shoal.tasks.catalog import reasoning_gym as module

pytest.importorskip("reasoning_gym", reason="the extra gym is not installed: pip install 'shoal[gym]'")


@pytest.fixture(scope="module")
def legs() -> Task:
    return make_task("reasoning-gym:leg_counting", examples=40, options={"max_animals": 3})


def test_the_name_may_hold_the_data_set(legs: Task) -> None:
    same = make_task("reasoning-gym", dataset="leg_counting", examples=40, options={"max_animals": 3})
    assert same.examples == legs.examples
    assert {example.tags["dataset"] for example in legs.examples} == {"leg_counting"}


def test_options_reach_the_data_set(legs: Task) -> None:
    assert all(example.prompt.count(",") <= 3 for example in legs.examples)
    wide = make_task("reasoning-gym:leg_counting", examples=40)
    assert any(example.prompt.count(",") > 5 for example in wide.examples)


def test_the_rule_answers_what_was_generated_and_nothing_else(legs: Task) -> None:
    assert not legs.rule_known
    assert legs.draw is not None
    drawn = legs.draw(random.Random(1))
    assert legs.rule(drawn.prompt) == drawn.completion
    assert drawn.prompt not in {example.prompt for example in legs.examples}
    with pytest.raises(DataError, match="reasoning-gym gives no program"):
        legs.rule("How many legs has a cow?\nAnswer:")


def test_the_score_is_that_of_the_library_for_rows_of_a_file_too(legs: Task, tmp_path) -> None:
    write_rows(legs.examples, tmp_path / "legs.jsonl")
    score = legs.measures["gym_score"]
    for example in read_rows(tmp_path / "legs.jsonl")[:5]:
        assert score(example, example.completion) == 1.0
        assert score(example, " no number") == 0.0


def test_a_scorer_may_accept_another_answer_than_the_one_listed() -> None:
    task = make_task("reasoning-gym:word_ladder", examples=5)
    example = task.examples[0]
    assert task.measures["gym_score"](example, example.completion.upper()) == 1.0


@pytest.mark.parametrize(
    ("shortcut", "answer"),
    [
        ("first-number", " 7"),
        ("last-number", " 12"),
        ("largest-number", " 12"),
        ("count-of-numbers", " 3"),
        ("last-word", " left"),
    ],
)
def test_each_shortcut_reads_the_question(legs: Task, shortcut: str, answer: str) -> None:
    assert legs.shortcuts[shortcut]("Of 7 eggs 2 fell, and 12 are left?\nAnswer:", legs.seen) == answer


def test_a_minus_behind_a_number_is_no_sign() -> None:
    last = module.GYM_SHORTCUTS["last-number"]
    assert [last(f"What is {text}?", ()) for text in ("5-3", "5 - 3", "-3", "5 + -3")] == [" 3", " 3", " -3", " -3"]


def test_a_question_without_numbers_has_no_number_to_answer(legs: Task) -> None:
    assert legs.shortcuts["first-number"]("How many?\nAnswer:", legs.seen) == ""
    assert legs.shortcuts["copy-nearest-words"](legs.seen[3].prompt, legs.seen) == legs.seen[3].completion
    assert legs.shortcuts["copy-nearest-words"]("How many?\nAnswer:", []) == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"dataset": "leg_count"},
            UnknownNameError,
            "unknown data set of reasoning-gym 'leg_count'; did you mean 'leg_counting'",
        ),
        (
            {"options": {"max_animal": 3}},
            UnknownNameError,
            "unknown option .* 'max_animal'; did you mean 'max_animals'",
        ),
        ({"options": {"min_animals": 20}}, UsageError, "refuses the options .*max_animals must be >= min_animals"),
        ({"options": {"max_animals": "x"}}, UsageError, "refuses the options"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_task("reasoning-gym", **{"dataset": "leg_counting", **options})


def test_a_data_set_with_few_questions_says_how_many_it_has() -> None:
    with pytest.raises(
        DataError, match=r"has only .* different questions among 1200 items; give fewer examples than 400"
    ):
        make_task("reasoning-gym:leg_counting", options={"max_animals": 1, "min_animals": 1, "max_instances": 1})


def test_a_data_set_that_lists_no_answers_is_refused() -> None:
    with pytest.raises(DataError, match="'propositional_logic' lists no answer to item 0, only a scorer"):
        make_task("reasoning-gym:propositional_logic", examples=5)


def test_a_library_that_is_absent_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    module._load.cache_clear()
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[gym\]'"):
        make_task("reasoning-gym:leg_counting")
