"""The article task: the sound that decides, and what only looks like it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from shoal.errors import DataError
from shoal.tasks import make_task
from shoal.tasks.catalog.article import article_of
from shoal.tasks.word_lists import word_lines, words_of_section

TASK = make_task("article")
VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])


@pytest.mark.parametrize("section", sorted(word_lines("article")))
def test_the_rule_agrees_with_every_section_of_the_lists(section: str) -> None:
    role, article, *misleading = section.split()
    words = words_of_section("article", section)
    assert role in ("noun", "adjective")
    assert len(words) > 15
    assert {article_of(word) for word in words} == {article}
    letters = {word for word in words if (word[0].lower() in "aeiou") == (article == "an")}
    assert letters == (set() if misleading else set(words))


@pytest.mark.parametrize(
    ("word", "article"),
    [
        ("hour", "an"), ("honest", "an"), ("hound", "a"), ("university", "a"), ("uninteresting", "an"),
        ("unanimous", "a"), ("unable", "an"), ("European", "a"), ("one-way", "a"), ("onerous", "an"),
        ("onion", "an"), ("MP", "an"), ("UFO", "a"), ("X-ray", "an"), ("NASA", "an"),
        ("8-sided", "an"), ("11", "an"), ("18-hole", "an"), ("180", "a"), ("80", "an"),
        ("11000", "an"), ("18000-word", "an"), ("110000", "a"), ("11000000", "an"), ("180000", "a"),
        ("1", "a"), ("urn", "an"), ("urine", "a"), ("Usher", "an"), ("use", "a"),
    ],
)  # fmt: skip
def test_the_article_follows_the_sound(word: str, article: str) -> None:
    assert article_of(word) == article


def test_the_article_agrees_with_a_pronouncing_dictionary(data_folder: Path) -> None:
    with zipfile.ZipFile(data_folder / "nltk" / "cmudict.zip") as archive:
        lines = archive.read("cmudict/cmudict").decode("latin-1").splitlines()
    articles: dict[str, set[str]] = {}
    for word, _, sound, *_ in map(str.split, lines):
        articles.setdefault(word.lower(), set()).add("an" if sound[:2] in VOWELS else "a")
    wrong = [word for word, right in articles.items() if article_of(word) not in right]
    assert len(articles) > 100_000
    assert len(wrong) / len(articles) < 0.002


@pytest.mark.parametrize(
    ("shortcut", "answer"),
    [
        ("first-letter", " an"), ("noun-letter", " an"), ("noun-sound", " an"), ("any-vowel-letter", " an"),
        ("letter-or-h", " an"), ("always-a", " a"),
    ],
)  # fmt: skip
def test_each_shortcut_answers_in_its_own_way(shortcut: str, answer: str) -> None:
    assert TASK.rule("a or an? useful old apple:") == " a"
    assert TASK.shortcuts[shortcut]("a or an? useful old apple:", TASK.seen) == answer


def test_the_nearest_beginning_is_copied() -> None:
    seen = [example for example in TASK.examples if example.tags["group"] in ("heirloom", "unicorn")] or TASK.examples
    prompt = f"{seen[0].prompt[:-2]}s:"
    assert TASK.shortcuts["copy-same-beginning"](prompt, seen) == seen[0].completion
    assert TASK.shortcuts["copy-same-beginning"](prompt, []) == ""


def test_a_share_of_the_words_misleads_and_a_split_can_hold_it_out() -> None:
    misleading = [example for example in TASK.examples if example.tags["misleading"]]
    assert 0.3 < len(misleading) / len(TASK.examples) < 0.5
    split = make_task("article", split="tag(tag='misleading',values=True)")
    letter = split.shortcuts["first-letter"]
    assert all(letter(example.prompt, split.seen) == example.completion for example in split.seen)
    assert all(letter(example.prompt, split.seen) != example.completion for example in split.held_out)


def test_another_form_is_refused_with_the_expected_one() -> None:
    with pytest.raises(DataError, match=r"it should look like 'a or an\? useful old map:'"):
        TASK.rule("a or the? map:")
