from __future__ import annotations

import hashlib
import re

import pytest

from shoal.corpora import check_never_counts_up, generate_stories, story_names
from shoal.errors import UnknownNameError

EVERY = dict.fromkeys(story_names(), 1.0)


def test_equal_seeds_give_equal_stories_and_others_differ() -> None:
    assert generate_stories(50, EVERY, seed=1) == generate_stories(50, EVERY, seed=1)
    assert generate_stories(50, EVERY, seed=1) != generate_stories(50, EVERY, seed=2)


def test_no_generated_story_counts_up() -> None:
    assert check_never_counts_up(generate_stories(1500, EVERY, seed=3)) == 1500


def test_a_mixture_gives_the_stories_that_it_names() -> None:
    stories = generate_stories(60, {"copy-unary": 1, "copy-digits": 0}, seed=0)
    assert all(re.search(r"\b1+\b", story) and not re.search(r"[02-9]", story) for story in stories)


def test_an_unknown_story_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="search-unary"):
        generate_stories(1, {"serch-unary": 1}, seed=0)


def test_a_search_ends_where_the_sought_number_is_found() -> None:
    for story in generate_stories(200, {"search-unary": 1}, seed=5):
        numbers = re.findall(r"(?<!\d)1+(?!\d)", story)
        # Some requests name the first thing on the way as well, and the sought number follows it.
        sought = numbers[-1]
        assert sought in numbers[:2]
        assert numbers.count(sought) <= 3


def test_a_comparison_says_yes_exactly_where_the_things_are_equal() -> None:
    pattern = re.compile(r"Is (?P<a>.+) the same as (?P<b>.+)\? (?P<answer>Yes|No)\.")
    matches = [pattern.search(story) for story in generate_stories(200, {"same-unary": 1, "same-object": 1}, seed=6)]
    answers = {match["answer"] for match in matches if match}
    assert answers == {"Yes", "No"}
    assert all(match and (match["a"] == match["b"]) == (match["answer"] == "Yes") for match in matches)


def test_a_list_is_said_twice_in_its_order() -> None:
    for story in generate_stories(100, {"lists-unary": 1}, seed=7):
        numbers = re.findall(r"1+", story)
        half = len(numbers) // 2
        assert numbers[:half] == numbers[half:]


def test_the_way_is_at_most_as_long_as_asked_for() -> None:
    stories = generate_stories(200, {"search-unary": 1}, seed=8, max_distractors=2)
    assert max(len(re.findall(r"1+", story)) for story in stories) <= 5


def test_the_stories_of_a_seed_never_change():
    """`bundled:searches` was trained on this text."""
    stories = generate_stories(2000, dict.fromkeys(story_names(), 1.0), seed=7)
    digest = hashlib.sha256("\n".join(stories).encode()).hexdigest()
    assert digest == "df189ed551380f625036b13c0c7b3a838fdb4a8859fb89ce03db8fc7e5aec0d8"
