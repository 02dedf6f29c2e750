"""Augmented examples have right answers, are none of the held-out part, and every dropped one is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endpoints import serving
from shoal import Augmentation, augment
from shoal.curation.augmentation import Augmenter, known_augmenters, make_augmenter
from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import Example, Task, make_task, rule_answer, task_from_rows

METHODS = ["spelling-noise", "synonyms", "reordering(unit='words')", "reordering", "counterfactuals"]
TASKS: dict[str, dict[str, Any]] = {
    "counting": {"largest": 30, "wording": "varied"},
    "majority": {"examples": 40},
    "article": {"examples": 60},
    "story-facts": {"examples": 40},
    "addition": {"examples": 60},
}


@pytest.mark.parametrize("name", TASKS)
def test_every_added_example_is_right_new_and_not_held_out(name: str) -> None:
    task = make_task(name, **TASKS[name])
    found = augment(task, METHODS, copies=2)
    assert found.added
    assert found.examples[: found.originals] == task.seen
    for example in found.added:
        assert rule_answer(task.rule, example.prompt) == example.completion
    prompts = [example.prompt for example in found.examples]
    assert len(set(prompts)) == len(prompts)
    assert not {" ".join(prompt.lower().split()) for prompt in prompts} & {
        " ".join(example.prompt.lower().split()) for example in task.held_out
    }


def test_a_counterfactual_that_is_an_item_of_the_held_out_part_is_dropped_though_its_wording_is_new() -> None:
    task = make_task("counting", largest=30, wording="varied")
    found = augment(task, ["counterfactuals"], copies=5)
    held_out = {example.tags["index"] for example in task.held_out}
    assert not {example.tags["index"] for example in found.added} & held_out
    assert found.methods[0].held_out > 0


def test_a_method_that_turns_answers_loses_the_wrong_ones_and_they_are_counted() -> None:
    task = make_task("article", examples=60)
    (count,) = augment(task, ["spelling-noise"]).methods
    assert count.wrong > 0
    assert count.made == count.accepted + count.wrong + count.unreadable + count.duplicate + count.unchanged
    (words,) = augment(make_task("majority", examples=60), ["spelling-noise"]).methods
    assert words.accepted == 0
    assert words.unreadable == words.made


def test_draws_hang_on_the_seed_and_not_on_other_methods() -> None:
    task = make_task("counting", largest=20)
    first = augment(task, ["spelling-noise"], seed=1).added
    assert first == augment(task, ["spelling-noise", "counterfactuals"], seed=1).added[: len(first)]
    assert first != augment(task, ["spelling-noise"], seed=2).added


def test_the_counts_are_printed_and_framed() -> None:
    found = augment(make_task("counting", largest=10), ["counterfactuals"])
    assert str(found).startswith("7 examples added to 7, each checked by the rule\n  counterfactuals: ")
    assert found.to_frame().loc["counterfactuals", "accepted"] == 7
    assert found.to_dict()["added"] == 7


# Rows without a rule.

ROWS = [Example(prompt=f"The big dog number {n} ran.", completion=f" {n}") for n in range(6)]


def test_rows_without_a_rule_are_refused_unless_unchecked_examples_are_accepted() -> None:
    with pytest.raises(UsageError, match="these rows have no rule that shows whether their answers stay right"):
        augment(ROWS, ["synonyms"])
    found = augment(ROWS, ["synonyms"], unchecked=True)
    assert (found.checked, len(found.added)) == (False, 6)
    assert "not checked: no rule is known" in str(found)


def test_of_rows_with_parts_the_held_out_ones_are_left_alone() -> None:
    rows = [Example(prompt=row.prompt, completion=row.completion, tags={"part": part}) for row, part in
            zip(ROWS, ["seen", "seen", "seen", "test", "test", "test"], strict=True)]  # fmt: skip
    found = augment(rows, ["spelling-noise"], unchecked=True)
    assert found.originals == 3
    assert not {row.prompt for row in rows[3:]} & {row.prompt for row in found.examples}


def test_an_example_that_becomes_equal_to_a_held_out_one_is_dropped(tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("dog, cat\n")
    rows = [
        Example(prompt="A dog.", completion=" x", tags={"part": "seen"}),
        Example(prompt="a  CAT.", completion=" x", tags={"part": "held_out"}),
    ]
    found = augment(rows, [{"name": "synonyms", "table": str(table)}], unchecked=True)
    assert found.added == ()
    assert found.methods[0].held_out == found.methods[0].made > 0


def test_rows_with_a_rule_of_the_user_are_checked() -> None:
    task = task_from_rows(ROWS, split="random(share=0.3)", rule=lambda prompt: f" {prompt.split()[4].strip('.')}")
    found = augment(task, ["reordering(unit='words')"], copies=3)
    assert found.checked
    assert found.methods[0].wrong > 0


# The methods.


def rewritten(method: str, text: str, **parameters: Any) -> set[str]:
    """What a method makes of a text, over many draws."""
    example = Example(prompt=text, completion=" x")
    made = [augment([example], [{"name": method, **parameters}], unchecked=True, seed=seed) for seed in range(40)]
    return {row.prompt for found in made for row in found.added}


def test_spelling_noise_hits_words_and_never_numbers_or_letters() -> None:
    texts = rewritten("spelling-noise", "count k a 1234 up", rate=1.0)
    assert len(texts) > 3
    assert all(text.split()[1:4] == ["k", "a", "1234"] and text.split()[0] != "count" for text in texts)


def test_synonyms_keep_the_capital_and_take_the_forms_of_a_table(tmp_path: Path) -> None:
    assert rewritten("synonyms", "Big trees.") == {"Large trees.", "Huge trees."}
    table = tmp_path / "table.txt"
    table.write_text("# a comment\nred, crimson\n")
    assert rewritten("synonyms", "red Red", rate=1.0, table=str(table)) == {"crimson Crimson"}
    # An accent of its own is a part of the letter before it.
    table.write_text("cafe, bar\nmai\u0308s, corn\n")
    assert rewritten("synonyms", "cafe\u0301 mai\u0308s", rate=1.0, table=str(table)) == {"cafe\u0301 corn"}


def test_reordering_swaps_neighbouring_units() -> None:
    assert rewritten("reordering", "One came. Two left. It rained.") == {
        "Two left. One came. It rained.",
        "One came. It rained. Two left.",
    }
    # The white space of the text stays, and a text of one sentence has no other order.
    assert rewritten("reordering", " One came.\n\nTwo  left: ") == {" Two  left:\n\nOne came. "}
    assert rewritten("reordering", " One  came.\n") == set()
    assert rewritten("reordering", "When it rained, we ran.", unit="clauses") == {"We ran, when it rained."}
    assert rewritten("reordering", "sort b a:", unit="words") == {"b sort a:", "sort a b:"}


def test_templates_write_a_prompt_in_another_wording_with_its_parts() -> None:
    wordings = ["add {a} to {b}:", "{b} plus {a} is", "what is {a} and {b}?"]
    assert rewritten("templates", "add {b} to 3:", wordings=wordings) == {"3 plus {b} is", "what is {b} and 3?"}
    assert rewritten("templates", "multiply 2 by 3:", wordings=wordings) == set()


def test_counting_in_other_words_is_checked_by_its_rule() -> None:
    exact, question = (
        "Please count up in unary, starting at {a} and stopping at {b}:",
        "What do you say if you count up in unary from {a} to {b}?",
    )
    found = augment(make_task("counting", largest=10), [{"name": "templates", "wordings": [exact, question]}])
    assert found.added[0].prompt == "What do you say if you count up in unary from 1 to 11?"


def test_back_translation_goes_there_and_back_and_is_recorded(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        text = prompt.split("---")[1].strip()
        return text.replace("big", "grand") if "into French" in prompt else text.replace("grand", "large")

    with serving(answer) as (url, _):
        method = {"name": "back-translation", "url": url, "model": "m", "record": str(tmp_path / "record.jsonl")}
        found = augment(ROWS, [method], unchecked=True)
        assert found.added[0].prompt == "The large dog number 0 ran."
        assert len(asked) == 12
        assert augment(ROWS, [method], unchecked=True).added == found.added
        assert len(asked) == 12


def test_back_translation_leaves_a_dash_of_the_text_where_it_is(tmp_path: Path) -> None:
    with serving("---\n-5 ist kalt.\n---", "-5 is cold.") as (url, _):
        method = {"name": "back-translation", "url": url, "model": "m", "record": str(tmp_path / "record.jsonl")}
        assert augment(ROWS, [method], unchecked=True).added[0].prompt == "-5 is cold."


# Bad input.

BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: make_augmenter("spelling-nose"), UnknownNameError, "did you mean 'spelling-noise'"),
    (lambda: make_augmenter("spelling-noise(rat=1)"), UnknownNameError, "did you mean 'rate'"),
    (lambda: make_augmenter("spelling-noise(rate=2)"), UsageError, "the rate of spelling-noise is 2"),
    (lambda: make_augmenter("spelling-noise(rate=)"), UsageError, "write it as spelling-noise"),
    (lambda: make_augmenter({"rate": 0.1}), UsageError, "give its name, or a table with its name"),
    (lambda: make_augmenter("reordering(unit='lines')"), UnknownNameError, "unknown unit of reordering 'lines'"),
    (lambda: make_augmenter("counterfactuals(kind='all')"), UnknownNameError, "unknown kind of counterfactuals"),
    (lambda: make_augmenter("templates"), UsageError, "needs wordings"),
    (lambda: make_augmenter("templates(wordings=('a {x}',))"), UsageError, "needs two wordings or more"),
    (lambda: make_augmenter("templates(wordings=('a {x}', 'b {y}'))"), UsageError, "needs the same parts in braces"),
    (lambda: make_augmenter("templates(wordings=('a {1}', 'b {1}'))"), UsageError, "the part {1} of templates begins"),
    (lambda: make_augmenter("spelling-noise(0.2,rate=0.1)"), UsageError, "has two values of rate; give it once"),
    (lambda: make_augmenter("spelling-noise(rate=0.2,rate=0.1)"), UsageError, "has two values of rate"),
    (lambda: make_augmenter("synonyms(table='/nowhere')"), DataError, "the table of synonyms /nowhere cannot be read"),
    (lambda: augment(ROWS, [], unchecked=True), UsageError, "no method of augmentation is given"),
    (lambda: augment(ROWS, ["synonyms"], copies=0, unchecked=True), UsageError, "copies is 0"),
    (lambda: augment([], ["synonyms"], unchecked=True), DataError, "there is no example to augment"),
    (lambda: augment(ROWS, ["counterfactuals"], unchecked=True), UsageError, "rows without a task cannot make"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), BAD)
def test_bad_input_is_named(call: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        call()
    assert message in str(raised.value)


def test_a_broken_table_of_synonyms_names_the_line(tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("big, large\nalone\n")
    with pytest.raises(DataError, match="line 2: 'alone' is no set of two or more words"):
        make_augmenter({"name": "synonyms", "table": str(table)})


def test_a_method_of_the_users_own_is_known_as_soon_as_it_is_defined() -> None:
    from shoal.curation.augmentation import TextAugmenter

    class Upper(TextAugmenter):
        name = "upper"
        summary = "capital letters"

        def rewrite(self, text: str, generator: Any) -> str:
            return text.upper()

    try:
        assert augment(ROWS[:1], ["upper"], unchecked=True).added[0].prompt == "THE BIG DOG NUMBER 0 RAN."
    finally:
        del Augmenter.registry["upper"]
    assert all(kind.summary for kind in known_augmenters().values())


def test_a_task_without_variants_cannot_make_counterfactuals() -> None:
    task: Task = task_from_rows(ROWS, split="random(share=0.3)", rule=lambda prompt: " x", name="mine")
    with pytest.raises(UsageError, match="the task 'mine' cannot make counterfactuals"):
        augment(task, ["counterfactuals"])


def test_the_result_is_the_public_type() -> None:
    assert isinstance(augment(ROWS, ["synonyms"], unchecked=True), Augmentation)
