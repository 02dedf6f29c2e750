"""Filters do what lm-evaluation-harness's filters of the same names do."""

from __future__ import annotations

import pytest

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.evaluation.benchmarks.filters import make_chain


def filtered(steps, responses, document=None):
    return make_chain("c", steps, "a test").apply(responses, document or {})


@pytest.mark.parametrize(
    ("steps", "responses", "left"),
    [
        ([{"function": "take_first"}], ["a", "b"], "a"),
        ([{"function": "take_first_k", "k": 2}], ["a", "b", "c"], ["a", "b"]),
        ([{"function": "majority_vote"}, {"function": "take_first"}], ["b", "a", "a", "b", "a"], "a"),
        ([{"function": "majority_vote"}, {"function": "take_first"}], ["b", "a"], "b"),
        ([{"function": "remove_whitespace"}, {"function": "take_first"}], ["  a\n"], "a"),
        ([{"function": "lowercase"}, {"function": "take_first"}], ["AbC"], "abc"),
        ([{"function": "uppercase"}, {"function": "take_first"}], ["AbC"], "ABC"),
        ([{"function": "map", "mapping_dict": {"a": "1"}, "default_value": "0"}], ["a", "b"], ["1", "0"]),
        ([{"function": "regex"}, {"function": "take_first"}], ["so\n#### -1,200"], "-1,200"),
        ([{"function": "regex"}, {"function": "take_first"}], ["nothing"], "[invalid]"),
        ([{"function": "regex", "regex_pattern": "([0-9]+)", "group_select": -1}], ["1 2 3"], ["3"]),
        ([{"function": "regex", "regex_pattern": "(x)|([0-9]+)"}], ["7 x"], ["7"]),
        ([{"function": "regex", "regex_pattern": "(x)?(y)?", "fallback": "none"}], ["abc"], ["none"]),
    ],
)
def test_a_filter_leaves_what_its_name_says(steps, responses, left):
    assert filtered(steps, responses) == left


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is (B).", "(B)"),
        ("it must be guilty of romance", "(B)"),  # the longer choice is not hidden by the shorter one
        ("I say: A", "(A)"),
        ("no idea", "[invalid]"),
    ],
)
def test_the_letter_of_a_choice_is_found_by_pattern_text_or_colon(response, letter):
    step = {"function": "multi_choice_regex", "regex_pattern": r"(\([A-Z]\))", "ignore_case": True}
    assert filtered([step], [response], {"choices": ["Guilty", "Guilty of Romance"]}) == [letter]


def test_what_a_filter_needs_is_said():
    with pytest.raises(DataError, match="column choices"):
        filtered([{"function": "multi_choice_regex"}], ["a"], {"question": "q"})
    with pytest.raises(DataError, match="raise repeats"):
        filtered([{"function": "take_first_k", "k": 2}], ["a"])
    with pytest.raises(DataError, match="matched 1 times"):
        filtered([{"function": "regex", "regex_pattern": "(a)", "group_select": 3}], ["a"])


@pytest.mark.parametrize(
    ("steps", "kind", "message"),
    [
        ([{"function": "take_frist"}], UnknownNameError, "take_first"),
        ("take_first", DataError, "the filter 'c' of a test must be a list of mappings with function"),
        ([{"k": 1}], DataError, "must be a list of mappings with function"),
        ([{"function": "take_first_k"}], UsageError, "take_first_k of a test cannot be made with {}"),
        ([{"function": "take_first_k", "k": 0}], UsageError, "k is no whole number of 1 or more"),
        ([{"function": "take_first_k", "k": "2"}], UsageError, "k is no whole number of 1 or more"),
        ([{"function": "regex", "regex_pattern": "("}], UsageError, "unterminated subpattern"),
        ([{"function": "regex", "regex_pattern": 5}], UsageError, "cannot be made with {'regex_pattern': 5}"),
        ([{"function": "regex", "group_select": "0"}], UsageError, "group_select is no whole number"),
        ([{"function": "map", "mapping_dict": "a"}], UsageError, "mapping_dict is no mapping"),
        ([{"function": "lowercase", "words": 1}], UsageError, "lowercase of a test cannot be made"),
    ],
)
def test_a_filter_that_cannot_be_made_is_refused_before_anything_is_generated(steps, kind, message):
    with pytest.raises(kind) as fault:
        make_chain("c", steps, "a test")
    assert message in str(fault.value)


@pytest.mark.parametrize("name", ["lowercase", "uppercase", "remove_whitespace"])
def test_a_filter_of_texts_says_that_it_is_given_none(name):
    steps = [{"function": "map", "mapping_dict": {"a": " B "}}, {"function": name}]
    assert filtered(steps, ["a"]) == [getattr(" B ", {"remove_whitespace": "strip"}.get(name, name[:5]))()]
    with pytest.raises(DataError, match=f"the filter {name} is given None, which is no text"):
        filtered(steps, ["a", "c"])


def test_a_fallback_may_be_a_number():
    step = {"function": "regex", "regex_pattern": "(x)?(y)?", "fallback": 0}
    assert filtered([step], ["abc", ""]) == [0, 0]
