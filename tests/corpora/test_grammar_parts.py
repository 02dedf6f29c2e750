"""The parts of the story grammar by themselves: forms, possession, questions, features, the parser, rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import pytest

from shoal.corpora.grammar import (
    FEATURES,
    Event,
    RequiredWords,
    ask_questions,
    child_words,
    find_features,
    instruct,
    lexicon,
    missing_words,
    read_events,
    row_schema,
    story_row,
    summarize,
    tell_stories,
    tell_story,
    word_classes,
)
from shoal.corpora.grammar.forms import FORMS, NARRATED, OPENERS, SPOKEN, STATES
from shoal.corpora.grammar.world import holders
from shoal.errors import DataError

SLOTS = set("ABabtuxyzpsfvdklrocenqiwjm") | {"at", "he", "his", "him", "bhe", "bhis", "bhim"}


def event(kind: str, **slots: str) -> Event:
    return Event(kind, slots)


def test_every_form_is_a_sentence_of_known_slots() -> None:
    for kind, forms in FORMS.items():
        assert forms, kind
        for form in forms:
            assert set(re.findall(r"\{(\w+)\}", form)) <= SLOTS, form
            assert form.endswith((".", "!", "?", '"')), form
            assert form.count('"') % 2 == 0, form


def test_no_form_stands_twice_under_one_kind() -> None:
    assert [kind for kind, forms in FORMS.items() if len(set(forms)) < len(forms)] == []


def test_narrated_and_spoken_forms_part_the_forms() -> None:
    for kind, forms in FORMS.items():
        assert sorted([*NARRATED[kind], *SPOKEN[kind]]) == sorted(forms)
        assert NARRATED[kind], f"{kind} cannot be written in a story without dialogue"


def test_kinds_without_an_opener_are_kinds_of_forms() -> None:
    assert STATES - {"favorite"} <= FORMS.keys()
    assert all(opener[0].isupper() for opener in OPENERS)


@pytest.mark.parametrize("name", ["THINGS", "FOODS", "ANIMALS", "LOOKS", "TRAITS", "SPOTS", "SIGHTS"])
def test_no_word_of_the_lexicon_stands_twice(name: str) -> None:
    words = getattr(lexicon, name)
    assert len(set(words)) == len(words)


def test_things_are_made_of_things() -> None:
    assert set(lexicon.RECIPES) <= set(lexicon.THINGS)
    assert {part for parts in lexicon.RECIPES.values() for part in parts} <= set(lexicon.THINGS)


@pytest.mark.parametrize(
    ("words", "whole"), [("apple", "an apple"), ("red ball", "a red ball"), ("old owl", "an old owl")]
)
def test_the_article_follows_the_first_letter(words: str, whole: str) -> None:
    assert lexicon.article(words) == whole


def test_a_thing_changes_hands_and_is_lost() -> None:
    events = [
        event("have", a="Ben", x="red ball"),
        event("give", a="Ben", b="Sue", t="ball"),
        event("swap", a="Sue", b="Tom", t="ball", y="big box"),
        event("lose", a="Tom", t="ball", p="park"),
        event("find_again", a="Ben", t="ball", s="in the mud"),
    ]
    assert holders(events) == {"ball": ["Ben", "Sue", "Tom", "", "Ben"], "box": ["Tom", "Sue"]}


def test_the_same_holder_twice_in_succession_counts_once() -> None:
    events = [event("have", a="Ben", x="red ball"), event("take", a="Ben", b="Sue", t="ball")]
    assert holders(events) == {"ball": ["Ben"]}


@pytest.mark.parametrize(
    ("events", "question", "answer"),
    [
        ([event("intro", a="Ben", k="owl", r="shy")], "What is Ben?", "an owl"),
        ([event("meet", a="Ben", b="Sue", k="girl", r="shy")], "What is Sue like?", "shy"),
        ([event("live", a="Ben", p="farm", at="on")], "Where does Ben live?", "the farm"),
        ([event("go", a="Ben", p="park"), event("go", a="Ben", p="sea")], "Where did Ben go last?", "the sea"),
        ([event("favorite", a="Ben", c="red")], "What is Ben's favorite color?", "red"),
        ([event("win", a="Ben", b="Sue")], "Who won the race?", "Ben"),
        ([event("stuck", a="Ben", s="in the mud")], "Where was Ben stuck?", "in the mud"),
        ([event("twist", a="Ben", k="wolf", r="tiny", l="frog")], "What was the wolf really?", "a tiny frog"),
        ([event("want", a="Ben", x="old egg")], "What did Ben want?", "an egg"),
        ([event("want", a="Ben", x="old egg")], "What does the egg look like?", "old"),
        ([event("find", a="Ben", x="red ball", s="in the hay")], "Where did Ben find the ball?", "in the hay"),
        ([event("find_again", a="Ben", t="ball", s="in the hay")], "Where did Ben find the ball?", "in the hay"),
        ([event("lose", a="Ben", t="ball", p="park")], "Where did Ben lose the ball?", "the park"),
        ([event("hide", a="Ben", t="ball", s="in the hay")], "Where did Ben hide the ball?", "in the hay"),
        ([event("give", a="Ben", b="Sue", t="ball")], "What did Ben give to Sue?", "the ball"),
        ([event("give", a="Ben", b="Sue", t="ball")], "Who gave the ball to Sue?", "Ben"),
        ([event("swap", a="Ben", b="Sue", t="ball", y="big box")], "What did Ben get for the ball?", "the box"),
        ([event("break", a="Ben", t="cup")], "Who broke the cup?", "Ben"),
        ([event("tear", a="Ben", t="hat")], "Who tore the hat?", "Ben"),
        ([event("fix", a="Ben", t="cup")], "Who fixed the cup?", "Ben"),
        ([event("make", a="Ben", x="new kite", t="stick", u="string")], "What did Ben make?", "a kite"),
        ([event("eat", a="Ben", o="a warm bun")], "What did Ben eat?", "a warm bun"),
        ([event("feed", a="Ben", b="Sue", o="a warm bun")], "What did Sue eat?", "a warm bun"),
        ([event("feel", a="Ben", f="sad"), event("feel", a="Ben", f="glad")], "How did Ben feel at the end?", "glad"),
        ([event("sad_for", a="Ben", f="sad", t="ball")], "Why was Ben sad?", "the ball was gone"),
        ([event("sad_broke", a="Ben", f="sad", t="cup")], "Why was Ben sad?", "the cup was broken"),
        ([event("sad_torn", a="Ben", f="sad", t="hat")], "Why was Ben sad?", "the hat was torn"),
        ([event("glad_for", a="Ben", f="glad", t="ball")], "Why was Ben glad?", "Ben had the ball"),
        ([event("have", a="Ben", x="red ball"), event("lose", a="Ben", t="ball", p="park")],
         "Who had the ball, in order?", "Ben, nobody"),
        ([event("have", a="Ben", x="hat"), event("fix", a="Sue", t="hat"), event("lose", a="Sue", t="hat", p="sea")],
         "Who had the hat, in order?", "Ben, Sue, nobody"),
    ],
)  # fmt: skip
def test_each_kind_of_event_answers_its_question(events: list[Event], question: str, answer: str) -> None:
    assert {one.question: one.answer for one in ask_questions(events)}[question] == answer


def test_a_question_with_two_answers_is_left_out() -> None:
    events = [
        event("find", a="Ben", x="red ball", s="in the hay"),
        event("find_again", a="Ben", t="ball", s="in the mud"),
    ]
    assert "Where did Ben find the ball?" not in {one.question for one in ask_questions(events)}


def test_questions_come_in_one_order_in_every_process() -> None:
    code = (
        "from shoal.corpora.grammar import *\n"
        "from itertools import islice\n"
        "print([ask_questions(s.events) for s in islice(tell_stories(seed=3), 20)])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("text", "events", "feature", "there"),
    [
        ('"Hi," he said.', [], "dialogue", True),
        ("He said hi.", [], "dialogue", False),
        ("", [event("lose", a="Ben", t="ball"), event("feel", a="Ben", f="sad")], "bad ending", True),
        ("", [event("lose", a="Ben", t="ball"), event("feel", a="Ben", f="glad")], "bad ending", False),
        ("", [event("lose", a="Ben", t="cup"), event("fix", a="Ben", t="cup"), event("feel", a="Ben", f="sad")],
         "bad ending", False),
        ("", [event("think", a="Ben", k="wolf"), event("twist", a="Ben", k="wolf")], "twist", True),
        ("", [event("twist", a="Ben", k="wolf")], "twist", False),
        ("", [event("twist_thing", a="Ben", t="box")], "twist", True),
        ("", [event("moral", a="Ben", m="share")], "moral", True),
        ("", [event("hint_dream", a="Ben", x="red cup"), event("find", a="Ben", x="red cup")], "foreshadowing", True),
        ("", [event("find", a="Ben", x="red cup"), event("hint_dream", a="Ben", x="red cup")], "foreshadowing", False),
        ("", [event("quarrel", a="Ben", b="Sue")], "conflict", True),
    ],
)  # fmt: skip
def test_a_feature_is_found_by_its_definition(text: str, events: list[Event], feature: str, there: bool) -> None:
    assert feature in FEATURES
    assert (feature in find_features(text, events)) is there


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("The cats danced in a red hat.", ()),
        ("The cat's red hat. Dance!", ()),
        ("A dog ran.", ("cat", "dance", "red")),
        ("Catnip, dancer, redder.", ("cat", "dance", "red")),
    ],
)
def test_required_words_are_found_in_their_forms_alone(text: str, missing: tuple[str, ...]) -> None:
    assert missing_words(text, RequiredWords(noun="cat", verb="dance", adjective="red")) == missing


@pytest.mark.parametrize(
    ("sentence", "kind", "slots"),
    [
        ("Ben went to the park.", "go", {"a": "Ben", "p": "park"}),
        ("Soon, Ben went to the park.", "go", {"a": "Ben", "p": "park"}),
        ("Once upon a time, there was a shy owl named Ben.", "intro", {"r": "shy", "k": "owl", "a": "Ben"}),
        ("The farmer helped Sue.", "help", {"a": "the farmer", "b": "Sue"}),
    ],
)
def test_a_sentence_is_parsed_into_its_event(sentence: str, kind: str, slots: dict[str, str]) -> None:
    (found,) = read_events(sentence)
    assert found == Event(kind, slots)


def test_a_pronoun_stands_for_the_one_who_acted_last_and_joined_sentences_are_two_events() -> None:
    events = read_events("Ben went to the park. He was sad.\nSue clapped her hands and went to the sea.")
    assert [(one.kind, one.slots.get("a")) for one in events] == [
        ("go", "Ben"), ("feel", "Ben"), ("cheer", "Sue"), ("go", "Sue"),
    ]  # fmt: skip


def test_a_sentence_of_no_form_is_named() -> None:
    with pytest.raises(DataError, match=r"no form of the story grammar gives 'Ben ate the moon\.'"):
        read_events("Ben went to the park. Ben ate the moon.")


def test_rows_hold_what_was_requested_of_them() -> None:
    story = tell_story(5, 0, frozenset({"moral"}))
    row = story_row(story)
    assert row["text"] == story.text
    assert list(row) == row_schema().names
    full = story_row(story, instructed=True, facts=True)
    assert list(full) == row_schema(facts=True).names
    assert full["text"] == instruct(story)
    assert full["summary"] == summarize(story)
    assert [one["question"] for one in full["questions"]] == [one.question for one in ask_questions(story.events)]


def test_rows_fit_their_schema() -> None:
    pa = pytest.importorskip("pyarrow")
    rows = [story_row(story, facts=True) for story in islice(tell_stories(seed=2), 20)]
    table = pa.Table.from_pylist(
        [{**row, "events": [{**one, "slots": list(one["slots"].items())} for one in row["events"]]} for row in rows],
        schema=row_schema(facts=True),
    )
    assert table.num_rows == 20


def test_a_summary_has_the_right_articles() -> None:
    events = (
        event("intro", r="kind", k="owl", a="Zoe"),
        event("give", a="Ann", b="Zoe", t="ball"),
        event("twist", r="big", l="dog", k="elephant"),
    )
    assert summarize(replace(next(tell_stories(seed=1)), events=events)) == (
        "This is about Zoe, an owl. Ann gives the ball to Zoe. Zoe meets a big dog that seemed to be an elephant."
    )


def test_a_summary_is_about_the_hero_and_ends() -> None:
    for story in islice(tell_stories(seed=4), 50):
        hero = next(one.slots["a"] for one in story.events if one.kind == "intro")
        assert hero in summarize(story)
        assert summarize(story).endswith(".")


def test_every_word_that_can_be_requested_is_a_childs_word() -> None:
    assert {word for words in word_classes().values() for word in words} <= child_words()
