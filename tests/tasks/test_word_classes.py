"""The word classes: balanced by design, and hard for their shortcuts."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.errors import DataError, UsageError
from shoal.tasks import WORD_CLASSES, make_task
from shoal.tasks.catalog.word_classes import class_by_ending, listed_classes, word_sets
from shoal.tasks.word_lists import word_lines, words_of_section

TASK = make_task("word-classes")


def test_no_word_is_listed_twice() -> None:
    in_sets = [word for words in word_sets() for word in words.values()]
    others = [word for name in WORD_CLASSES for word in words_of_section("word_classes", name)]
    assert len({*in_sets, *others}) == len(in_sets) + len(others) == len(listed_classes())
    assert set(word_lines("word_classes")) == {"number noun verb adjective", *WORD_CLASSES}


def test_the_words_of_a_set_have_the_same_length_and_hyphens_and_often_the_same_first_letter() -> None:
    for words in word_sets():
        assert len({len(word) for word in words.values()}) == 1, words
        assert len({"-" in word for word in words.values()}) == 1, words
    same_letter = sum(len({word[0] for word in words.values()}) == 1 for words in word_sets())
    assert same_letter >= 0.4 * len(word_sets())


@pytest.mark.parametrize("split", ["random(share=0.3)", "random(share=0.5,seed=3)"])
def test_both_sides_of_a_random_split_are_balanced_in_class_and_length(split: str) -> None:
    task = make_task("word-classes", split=split)
    for side in (task.seen, task.held_out):
        counts = Counter(example.tags["class"] for example in side)
        assert set(counts.values()) == {len(side) // 4}
        lengths = {
            name: sorted(int(example.tags["length"]) for example in side if example.tags["class"] == name)
            for name in WORD_CLASSES
        }
        assert len({tuple(values) for values in lengths.values()}) == 1


def test_every_class_has_words_whose_ending_misleads_and_words_whose_ending_does_not() -> None:
    counts = Counter((example.tags["class"], example.tags["misleading"]) for example in TASK.examples)
    assert all(counts[name, misleading] >= 8 for name in WORD_CLASSES for misleading in (True, False))


@pytest.mark.parametrize(
    ("word", "ending", "right"),
    [("king", "verb", "noun"), ("lily", "adjective", "noun"), ("speed", "verb", "noun"), ("tired", "verb", "adjective"),
     ("rely", "adjective", "verb"), ("nobility", "number", "noun"), ("fourteen", "number", "number"),
     ("selfish", "adjective", "adjective"), ("sixty-nine", "number", "number"), ("oil", "noun", "noun")],
)  # fmt: skip
def test_the_ending_answers_some_words_and_not_others(word: str, ending: str, right: str) -> None:
    assert class_by_ending(word) == ending
    assert TASK.rule(f"noun, verb, adjective or number? {word}:") == f" {right}"


@pytest.mark.parametrize(
    ("word", "shortcut", "answer"),
    [("lily", "ending", " adjective"), ("stone", "contains-number", " number"), ("red", "contains-number", " noun"),
     ("well-known", "hyphen-is-number", " number"), ("red", "hyphen-is-number", " noun")],
)  # fmt: skip
def test_each_shortcut_answers_in_its_own_way(word: str, shortcut: str, answer: str) -> None:
    assert TASK.shortcuts[shortcut](f"noun, verb, adjective or number? {word}:", TASK.seen) == answer


def test_shortcuts_from_the_seen_words_take_the_nearest_and_the_commonest() -> None:
    seen = [example for example in TASK.examples if example.tags["word"] in ("speed", "succeed", "selfish", "seven")]
    prompt = "noun, verb, adjective or number? steed:"
    assert TASK.shortcuts["copy-same-ending"](prompt, seen) in (" noun", " verb")
    assert TASK.shortcuts["same-length"](prompt, seen) in (" noun", " number")
    assert TASK.shortcuts["same-first-letter"](prompt.replace("steed", "oil"), seen) == ""
    assert TASK.shortcuts["copy-same-ending"](prompt, []) == ""


def test_frequency_can_be_held_out() -> None:
    task = make_task("word-classes", split="tag(tag='child_word',values=True)")
    assert {example.tags["child_word"] for example in task.held_out} == {True}
    assert {example.tags["class"] for example in task.held_out} == set(WORD_CLASSES)


def test_a_word_of_unknown_class_is_named() -> None:
    with pytest.raises(DataError, match="the word 'glorp' is not in the lists of word classes"):
        TASK.rule("noun, verb, adjective or number? glorp:")


def test_a_tagger_leaves_out_the_sets_that_it_does_not_confirm() -> None:
    confirmed = make_task("word-classes", tagger="hanta", examples=120)
    assert not {"seventy-seven", "new-fangled"} & {example.tags["word"] for example in confirmed.examples}
    with pytest.raises(UsageError, match=r"different prompts that the tagger 'hanta' confirms"):
        make_task("word-classes", tagger="hanta", examples=216)
