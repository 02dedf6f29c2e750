"""Choosing a word by its class."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.errors import DataError
from shoal.tasks import WORD_CLASSES, make_task

TASK = make_task("word-choice")
PROMPT = "Which is an adjective? lily, think, silly, apple, seven:"


@pytest.mark.parametrize(
    ("shortcut", "answer"),
    [
        ("first-word", " lily"),
        ("last-word", " seven"),
        ("longest-word", " think"),
        ("first-in-alphabet", " apple"),
        ("ending", " lily"),
        ("answered-before", ""),
    ],
)
def test_each_shortcut_answers_in_its_own_way(shortcut: str, answer: str) -> None:
    with pytest.raises(DataError, match="'apple' is not in the lists"):
        TASK.rule(PROMPT)
    assert TASK.rule(PROMPT.replace(" apple,", "")) == " silly"
    assert TASK.shortcuts[shortcut](PROMPT, ()) == answer


def test_a_seen_answer_is_known_again_for_its_class_alone() -> None:
    known = next(example for example in TASK.examples if example.tags["class"] == "verb")
    verb = known.completion.strip()
    answered = TASK.shortcuts["answered-before"]
    assert answered(f"Which is a verb? red, {verb}:", [known]) == f" {verb}"
    assert answered(f"Which is a noun? red, {verb}:", [known]) == ""


def test_neither_place_nor_length_gives_the_answer() -> None:
    places = Counter(
        example.prompt.partition("? ")[2].rstrip(":").split(", ").index(example.completion.strip())
        for example in TASK.examples
        if example.tags["length"] == 4
    )
    assert set(places) == {0, 1, 2, 3}
    four = [example.prompt.partition("? ")[2].rstrip(":").split(", ") for example in TASK.examples]
    assert all(len({len(word) for word in words}) == 1 for words in four if len(words) <= 4)


def test_every_class_is_looked_for_and_a_class_can_be_held_out() -> None:
    counts = Counter(example.tags["class"] for example in TASK.examples)
    assert set(counts) == set(WORD_CLASSES)
    assert min(counts.values()) > 0.15 * len(TASK.examples)
    split = make_task("word-choice", split="tag(tag='class',values='verb')")
    assert {example.tags["class"] for example in split.held_out} == {"verb"}


@pytest.mark.parametrize("words", ["king, lily", "think, bring"])
def test_exactly_one_word_may_be_of_the_class(words: str) -> None:
    with pytest.raises(DataError, match=r"of the words .* are of the class verb; give exactly one"):
        TASK.rule(f"Which is a verb? {words}:")
