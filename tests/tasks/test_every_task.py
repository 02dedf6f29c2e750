"""What every task of the registry holds."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from importlib.util import find_spec

import pytest
from rapidfuzz.distance import Levenshtein

from shoal.errors import DataError, UsageError
from shoal.tasks import Task, known_tasks, make_task
from shoal.tasks.shortcuts import COPYING

# The extra gym is no part of `make install`: one of the packages that it needs is compiled on the spot.
NAMES = sorted(known_tasks().keys() - (set() if find_spec("reasoning_gym") else {"reasoning-gym"}))
GENERATED = [name for name in NAMES if "examples" in known_tasks()[name].options]

ENDLESS = ("reasoning-gym", "story-facts")
"""Tasks that have no smallest range of few prompts."""


@pytest.fixture(scope="module", params=NAMES)
def task(request: pytest.FixtureRequest) -> Task:
    options = {"base": "decimal"} if request.param == "counting" else {}
    return make_task(request.param, **options)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the shortcuts of a task's own answer, and what is right."""

    right: tuple[str, ...]
    own: dict[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def answers(task: Task) -> Answers:
    """On every held-out example, some seen ones, and drawn ones, of which some are larger than any example."""
    assert task.draw is not None
    seen = task.seen
    examples = [*task.held_out, *seen[:60], *(task.draw(random.Random(seed)) for seed in range(40))]
    return Answers(
        right=tuple(example.completion for example in examples),
        own={
            name: tuple(shortcut(example.prompt, seen) for example in examples)
            for name, shortcut in task.shortcuts.items()
            if name not in COPYING
        },
    )


def test_the_rule_is_right_on_all_examples_and_on_drawn_ones(task: Task) -> None:
    assert task.draw is not None
    drawn = [task.draw(random.Random(seed)) for seed in range(60)]
    assert all(task.rule(example.prompt) == example.completion for example in [*task.examples, *drawn])
    assert len({example.prompt for example in drawn}) > 30
    listed = {example.prompt for example in task.examples}
    assert any(example.prompt not in listed for example in drawn)


def test_prompts_are_distinct_and_completions_begin_with_a_blank(task: Task) -> None:
    assert len({example.prompt for example in task.examples}) == len(task.examples)
    assert all(example.prompt[-1] in ":=?" and example.prompt[0] != " " for example in task.examples)
    assert all(example.completion[0] == " " and example.completion.strip() for example in task.examples)
    assert all(example.tags.get("group") is not None for example in task.examples)


def test_every_shortcut_of_its_own_applies_and_differs_from_the_rule(answers: Answers) -> None:
    assert len(answers.own) >= 3
    assert [name for name, given in answers.own.items() if not any(given) or given == answers.right] == []


def test_no_two_shortcuts_of_its_own_are_one(answers: Answers) -> None:
    assert len(set(answers.own.values())) == len(answers.own)


def test_the_structural_split_holds_out_what_is_larger_than_all_that_is_seen(task: Task) -> None:
    spec = known_tasks()[task.name].structural_split
    structural = make_task(task.name, split=spec)
    assert 0.1 < len(structural.held_out) / len(structural.examples) < 0.7
    if task.name in GENERATED:
        assert all("length" in example.tags for example in structural.examples)
    tag = re.search(r"tag='(\w+)'", spec)
    if tag is not None:
        assert min(row.tags[tag[1]] for row in structural.held_out) > max(row.tags[tag[1]] for row in structural.seen)


def test_the_random_split_leaves_both_sides_and_parts_no_group(task: Task) -> None:
    split = make_task(task.name, split="random(share=0.3)")
    groups = [{example.tags["group"] for example in side} for side in (split.seen, split.held_out)]
    assert groups[0]
    assert groups[1]
    assert not groups[0] & groups[1]


def test_variants_keep_their_promise(task: Task) -> None:
    if task.name == "reasoning-gym":
        pytest.skip("questions of a library that makes no variants of them")
    assert task.variants is not None
    kinds = set()
    for place, example in enumerate(task.examples[:80]):
        variants = task.variants(example, random.Random(place))
        prompts = [variant.example.prompt for variant in variants]
        assert len(set(prompts)) == len(prompts)
        assert example.prompt not in prompts
        for variant in variants:
            kinds.add(variant.kind)
            other = variant.example
            assert task.rule(other.prompt) == other.completion
            if variant.kind == "same-surface-other-answer":
                assert other.completion != example.completion
                # In a story, a name stands more than once.
                assert Levenshtein.distance(example.prompt, other.prompt) <= max(4, len(example.prompt) // 10)
            else:
                assert other.completion == example.completion
    assert kinds == {"same-surface-other-answer", "other-surface-same-answer"}


def test_measures_are_full_for_the_right_answer_and_lower_for_a_wrong_one(task: Task) -> None:
    for measure in task.measures.values():
        right = [measure(example, example.completion) for example in task.examples]
        wrong = [measure(example, " ?") for example in task.examples]
        assert set(right) == {1.0}
        assert all(value is None or 0 <= value < 1 for value in wrong)
        assert "." not in measure.meaning


def test_the_rule_refuses_what_it_cannot_read(task: Task) -> None:
    for prompt in ("", "the cat sat on the mat", "=", ":"):
        with pytest.raises(DataError):
            task.rule(prompt)


@pytest.mark.parametrize("name", GENERATED)
def test_examples_are_those_of_the_seed_and_more_leave_the_first_as_they_are(name: str) -> None:
    few, more = make_task(name, examples=50), make_task(name, examples=90)
    assert more.examples[:50] == few.examples
    assert make_task(name, examples=50).examples == few.examples
    assert make_task(name, examples=50, seed=1).examples != few.examples


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize(("option", "value"), [("examples", 1), ("examples", 5.0), ("seed", -1)])
def test_an_option_that_cannot_be_used_is_named(name: str, option: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"^{option} is {value}; give a whole number (of at least|from)"):
        make_task(name, **{option: value})


@pytest.mark.parametrize("name", [name for name in GENERATED if name not in ENDLESS])
def test_more_examples_than_there_are_prompts_are_refused(name: str) -> None:
    options = known_tasks()[name].options
    least = {option: 1 for option in options if option.startswith(("min_", "max_"))}
    with pytest.raises(UsageError, match="different prompts with these options, and examples is 9000; give fewer"):
        make_task(name, examples=9000, **least)
