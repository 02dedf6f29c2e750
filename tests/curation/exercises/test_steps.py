"""Every step of an exercise does what its phrase states: values worked out by hand."""

from __future__ import annotations

import pytest

from shoal.curation.exercises.steps import FILTERS, LISTING, MAPPINGS, REDUCTIONS, TOPICS

K = 3
FILTERED = {
    ("even", "int"): ([1, 2, 0, -4, -3], [2, 0, -4]),
    ("odd", "int"): ([1, 2, 0, -4, -3], [1, -3]),
    ("positive", "int"): ([1, 0, -1], [1]),
    ("greater_than_{k}", "int"): ([2, 3, 4], [4]),
    ("at_most_{k}", "int"): ([2, 3, 4], [2, 3]),
    ("multiples_of_{k}", "int"): ([0, 3, 4, -6], [0, 3, -6]),
    ("longer_than_{k}", "str"): (["cat", "bird", ""], ["bird"]),
    ("up_to_{k}_letters", "str"): (["cat", "bird", ""], ["cat", ""]),
    ("with_vowel_first", "str"): (["owl", "Eel", "cat", ""], ["owl", "Eel"]),
    ("with_e", "str"): (["eel", "Eve", "cat", "E"], ["eel", "Eve"]),
    ("capitalized", "str"): (["Cat", "cat", "", "É"], ["Cat", "É"]),
    ("palindromes", "str"): (["anna", "Anna", "", "ab"], ["anna", ""]),
}
MAPPED = {
    ("squares", "int"): ([-3, 0, 4], [9, 0, 16]),
    ("doubles", "int"): ([-3, 0, 4], [-6, 0, 8]),
    ("distances_to_{k}", "int"): ([-3, 3, 4], [6, 0, 1]),
    ("remainders_by_{k}", "int"): ([-1, 3, 4], [2, 0, 1]),
    ("lengths", "str"): (["cat", "", "日本"], [3, 0, 2]),
    ("vowel_counts", "str"): (["Owl", "eerie", "xyz"], [1, 4, 0]),
    ("uppercase", "str"): (["cat", "é"], ["CAT", "É"]),
    ("reversed", "str"): (["cat", ""], ["tac", ""]),
    ("initials", "str"): (["cat", ""], ["c", ""]),
    ("endings", "str"): (["bird", "at", ""], ["ird", "at", ""]),
}
REDUCED = {
    ("sum", "int"): [([1, 2, 3], 6), ([], 0), ([-1], -1)],
    ("largest", "int"): [([1, 3, 2], 3), ([], 0), ([-1], -1)],
    ("smallest", "int"): [([1, 3, 2], 1), ([], 0), ([-1], -1)],
    ("sorted", "int"): [([3, 1, 2, 1], [1, 1, 2, 3]), ([], [])],
    ("distinct", "int"): [([1, 2, 1], {1, 2}), ([], set())],
    ("count", "int"): [([1, 2, 1], 3), ([], 0)],
    ("joined", "str"): [(["a", "b"], "a b"), ([], ""), (["a"], "a")],
    ("longest", "str"): [(["a", "bb", "cc"], "bb"), ([], "")],
    ("sorted", "str"): [(["b", "a", "B"], ["B", "a", "b"]), ([], [])],
    ("distinct", "str"): [(["a", "b", "a"], {"a", "b"}), ([], set())],
    ("count", "str"): [(["a", "a"], 2), ([], 0)],
}


def result(code, **names):
    return eval(code, {}, names)  # the code is the exercises' own


def of_kind(steps, key):
    (found,) = [step for step in steps if (step.name, step.takes) == key]
    return found


def test_every_step_is_worked_out_by_hand():
    for steps, values in ((FILTERS, FILTERED), (MAPPINGS, MAPPED), (REDUCTIONS, REDUCED)):
        assert {(step.name, step.takes) for step in steps} == set(values)
        assert len(steps) == len(values)


@pytest.mark.parametrize("key", FILTERED, ids=str)
def test_a_filter_takes_the_items_of_its_phrase(key):
    items, taken = FILTERED[key]
    code = of_kind(FILTERS, key).code.format(x="x", k=K)
    assert [x for x in items if result(code, x=x)] == taken


@pytest.mark.parametrize("key", MAPPED, ids=str)
def test_a_mapping_makes_of_each_item_what_its_phrase_states(key):
    items, wanted = MAPPED[key]
    step = of_kind(MAPPINGS, key)
    found = [result(step.code.format(x="x", k=K), x=x) for x in items]
    assert found == wanted
    assert {type(value).__name__ for value in found} == {step.gives}


@pytest.mark.parametrize(
    ("key", "items", "wanted"),
    # A set is written in another order in each process, so that it is no part of a test's name.
    [pytest.param(key, *pair, id=f"{key[0]}-{key[1]}-{pair[0]}") for key, pairs in REDUCED.items() for pair in pairs],
)
def test_a_reduction_makes_of_all_items_what_its_phrase_states(key, items, wanted):
    code = of_kind(REDUCTIONS, key).code.format(items="items", k=K)
    # Of an iterable that can be read once, as the generators of the solutions are.
    found = result(code, items=iter(items))
    assert found == wanted
    assert type(found) is type(wanted)
    assert result(LISTING.code.format(items="items"), items=iter(items)) == items


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_gives_items_of_its_type(topic):
    argument = {"list[int]": [3, 12], "int": 312, "list[str]": ["owl", "cat"], "str": "an owl  sees"}[topic.annotation]
    items = result(topic.expression.format(argument=topic.argument), **{topic.argument: argument})
    assert {type(item).__name__ for item in items} == {topic.takes}
    if topic.name == "digits":
        assert items == [3, 1, 2]
    if topic.name == "text":
        assert items == ["an", "owl", "sees"]


def test_names_of_functions_can_be_made_of_steps():
    for step in (*FILTERS, *MAPPINGS, *REDUCTIONS, LISTING):
        assert step.name.format(k=K).isidentifier()
        # What the phrase leaves to the number is what the code reads of it.
        assert ("{k}" in step.phrase) is ("{k}" in step.code)
        assert "{k}" in step.phrase or "{k}" not in step.name
    for topic in TOPICS:
        assert topic.argument.isidentifier()
        assert topic.item.isidentifier()
        assert topic.argument != topic.item
