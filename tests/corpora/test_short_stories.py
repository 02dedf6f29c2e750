"""Stories of a few events, and what they are about."""

from __future__ import annotations

import random

import pytest

from shoal.corpora.grammar import entity_words, read_events, write_short_story


@pytest.mark.parametrize("events", [1, 3, 7])
def test_a_story_has_as_many_events_as_requested_and_its_text_gives_them_back(events: int) -> None:
    stories = [write_short_story(random.Random(seed), events) for seed in range(40)]
    assert all(len(read_events(story)) == events for story in stories)
    assert len(set(stories)) > 30


def test_equal_generators_give_equal_stories() -> None:
    assert write_short_story(random.Random(3), 5) == write_short_story(random.Random(3), 5)


def test_a_thing_is_given_only_by_whoever_has_it() -> None:
    for seed in range(60):
        owners: dict[str, str] = {}
        for event in read_events(write_short_story(random.Random(seed), 8)):
            noun = event.slots.get("t", "")
            if event.kind in ("give", "lose", "hide", "break"):
                assert owners.pop(noun) == event.slots["a"]
            if event.kind == "find":
                owners[event.noun("x") or ""] = event.slots["a"]
            elif event.kind in ("give", "fix"):
                owners[noun] = event.slots["b" if event.kind == "give" else "a"]


def test_no_word_is_of_two_kinds() -> None:
    kinds = entity_words()
    words = [word for kind in kinds for word in kinds[kind]]
    assert len(set(words)) == len(words)
