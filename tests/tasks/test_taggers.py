"""Word classes checked by a tagger that did not write them."""

from __future__ import annotations

import sys

import pytest

from shoal.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from shoal.tasks import Example, check_word_classes, classes_of_examples, make_task

WORDS = {"king": "noun", "think": "verb", "red": "adjective", "six": "number"}


def test_the_tagger_confirms_the_sets_of_the_task() -> None:
    task = make_task("word-classes")
    check = check_word_classes(classes_of_examples(task.examples))
    assert check.share >= 0.95
    assert check.share in check.interval
    assert sum(check.words.values()) == 200
    assert set(check.words.values()) == {50}
    assert len(check.disagreements) == 200 - sum(check.agreeing.values())


def test_a_wrong_class_is_found() -> None:
    check = check_word_classes({**WORDS, "happy": "verb"})
    assert check.disagreements == {"happy": "adjective"}
    assert check.to_dict()["agreement"] == 0.8
    assert "other class given: happy (adjective)" in str(check)
    assert check.to_frame().set_index("class")["agreeing"].to_dict() == {
        "noun": 1, "verb": 1, "adjective": 1, "number": 1,
    }  # fmt: skip


def test_a_function_is_a_tagger_too() -> None:
    def all_nouns(words: object) -> list[str]:
        return ["noun"] * 4

    check = check_word_classes(WORDS, tagger=all_nouns)
    assert check.tagger == "all_nouns"
    assert check.share == 0.25
    assert str(check).startswith("all_nouns agrees on 1 of 4 words: 25.0%, 95% interval 4.6% to 69.9%")
    assert ", 99.9% interval" in str(check_word_classes(WORDS, tagger=all_nouns, confidence=0.999))
    with pytest.raises(DataError, match="gave 4 classes for 1 words"):
        check_word_classes({"king": "noun"}, tagger=all_nouns)


def test_a_tagger_that_is_absent_is_named_with_its_command_before_the_task_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "HanTa.HanoverTagger", None)
    with pytest.raises(MissingExtraError, match=r"tagging parts of speech .* pip install 'shoal\[tagger\]'"):
        make_task("word-classes", tagger="hanta")


def test_what_cannot_be_checked_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown tagger 'brill'"):
        check_word_classes(WORDS, tagger="brill")
    with pytest.raises(DataError, match="'quickly' is of the class 'adverb'; give noun, verb, adjective, number"):
        check_word_classes({"quickly": "adverb"})
    with pytest.raises(DataError, match="no words to check"):
        check_word_classes({})
    with pytest.raises(UsageError, match="checks examples with the tags 'word' and 'class'"):
        classes_of_examples([Example(prompt="a", completion=" b", tags={"word": "a"})])
