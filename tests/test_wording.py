"""Plurals, lists, capitals, durations and messages in one line."""

from __future__ import annotations

import pytest

from shoal.wording import (
    aligned_rows,
    capital,
    format_duration,
    in_one_line,
    joined,
    plural,
    quoted,
    short_number,
    uncapital,
)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1200, "1,200 steps"), (-1, "-1 steps")]
)
def test_a_noun_follows_its_count(count: int, text: str) -> None:
    assert plural(count, "step") == text


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_parts_become_a_list_in_a_sentence(parts: list[str], text: str) -> None:
    assert joined(parts) == text


def test_a_long_text_is_quoted_by_its_beginning() -> None:
    assert quoted(" a\n cat ") == "“a cat”"
    assert quoted("one two three", limit=9) == "“one two …”"


def test_columns_of_a_table_stand_under_each_other() -> None:
    rows = [("name", "count", "what"), ("a", "1,200", "words"), ("longest", "7", "")]
    assert aligned_rows(rows) == ["name     count  what", "a        1,200  words", "longest  7"]
    assert aligned_rows(rows, right={1}) == ["name     count  what", "a        1,200  words", "longest      7"]


def test_only_the_first_letter_changes() -> None:
    assert [capital(text) for text in ("", "a Bc", "\u00e9t\u00e9", "1 a")] == ["", "A Bc", "\u00c9t\u00e9", "1 a"]
    assert [uncapital(text) for text in ("", "A Bc", "XML")] == ["", "a Bc", "xML"]


def test_numbers_that_differ_behind_six_digits_read_otherwise() -> None:
    assert [short_number(value) for value in (0.1, 3.0, 1e-5, 0.1234567, 1234567.0)] == [
        "0.1", "3", "1e-05", "0.1234567", "1234567.0",
    ]  # fmt: skip


def test_letters_stay_where_the_other_form_is_two_letters() -> None:
    assert [capital(text) for text in ("\u00dfa", "\ufb01n")] == ["\u00dfa", "\ufb01n"]
    assert uncapital("\u0130a") == "\u0130a"


def test_a_message_of_several_lines_becomes_one_and_is_cut() -> None:
    assert in_one_line(ValueError("one\n  two\tthree")) == "one two three"
    assert in_one_line("a  b") == "a b"
    assert in_one_line(ValueError("x" * 301)) == "x" * 300 + " ..."
    assert in_one_line(ValueError("x" * 300)) == "x" * 300
    assert in_one_line(ValueError("abc"), limit=2) == "ab ..."


def test_an_error_without_a_message_is_named() -> None:
    assert in_one_line(KeyboardInterrupt()) == "KeyboardInterrupt"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (0.4, "1 s"), (42.4, "42 s"), (99.4, "99 s"), (100, "2 min"), (5399, "90 min"), (5400, "1.5 h")],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
