"""Checks of single constraints, and coverage worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.curation.constraints import ConstraintAxis, ConstraintSpace, find_check, measure_coverage
from shoal.errors import DataError, UnknownNameError, UsageError


@pytest.mark.parametrize(
    ("value", "text", "met"),
    [
        ("dog", "Two DOGS bark.", True),
        ("dog", "A dogma.", False),
        ("walk", "She was walking.", True),
        ("the big dogs", "a big dog", True),
        ("big dogs", "A dog, and a house that is big!", True),
        ("big dogs", "A dog.", False),
        # Irregular forms have other stems.
        ("leaves", "a leaf", False),
        ("the", "nothing of the kind", True),
        ("the", "", True),
        ("dog", "", False),
        ("größe", "Die GRÖSSE zählt; Größe!", True),
        ("3 + 4", "4 and 3", True),
        ("cafe\u0301", "Two caf\u00e9.", True),
        ("caf\u00e9", "CAFE\u0301", True),
        # A vowel of Hindi behind a letter makes another word of it.
        ("क", "कि", False),
        ("3 + 5", "4 and 3", False),
    ],
)
def test_every_word_of_a_mention_must_be_there(value: str, text: str, met: bool) -> None:
    assert find_check("mention").is_met(text, value) is met


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("def solve(a):\n    return a\n", True),
        ("async def solve(a):\n    return a\n", True),
        ("class A:\n    def solve(self):\n        pass\n", True),
        ("def outer():\n    def solve():\n        pass\n", True),
        ("if True:\n    def solve(): ...\n", True),
        ("solve = lambda: 1\n", False),
        ("def Solve(): ...\n", False),
        ("# def solve(): ...\n", False),
        ("'''\ndef solve(): ...\n'''\n", False),
        ("def solve(:\n", False),
        ("def solve(): ...\nthis is no Python", False),
        ("", False),
        ("\x00def solve(): ...", False),
        ("def solve(): ...\n" + "(" * 500, False),
        ("def solve():\n    return " + "-" * 100_000 + "1", False),
    ],
)
def test_a_function_is_found_where_the_code_can_be_parsed(text: str, met: bool) -> None:
    assert find_check("function").is_met(text, "solve") is met


# Two sentences of eight words and nine syllables: 0.39 * 4 + 11.8 * 9 / 8 - 15.59 = -0.755, which is rounded to -1.
SIMPLE = "The cat sat down. The dog ran away."
# One sentence of three words and fourteen syllables: 1.17 + 11.8 * 14 / 3 - 15.59 = 40.6.
HARD = "Internationalisation necessitates organisation."


@pytest.mark.parametrize(
    ("value", "text", "met"),
    [
        ("0-3", SIMPLE, False),
        ("20-60", HARD, True),
        ("0-12", HARD, False),
        ("grades 20 to 60", HARD, True),
        ("20\u201360", HARD, True),
        ("20.5 - 60.5", HARD, True),
        # A text without words has no grade.
        ("0-0", "", False),
        ("0-3", "!!! ...", False),
    ],
)
def test_a_grade_lies_in_its_range(value: str, text: str, met: bool) -> None:
    assert find_check("grade").is_met(text, value) is met


@pytest.mark.parametrize("value", ["", "five", "5", "5-", "9-3", "-", "to"])
def test_what_is_no_range_of_grades_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="names no range of grades; write it as 3-5"):
        find_check("grade").check_value(value)


@pytest.mark.parametrize("value", ["", "add all", "1st", "a-b", "f()"])
def test_what_is_no_name_of_a_function_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="is no name of a Python function"):
        find_check("function").check_value(value)


def test_an_unknown_check_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown check of a constraint 'mentions'; did you mean 'mention'"):
        find_check("mentions")


def space(*axes: tuple[str, tuple[str, ...], str], template: str | None = None) -> ConstraintSpace:
    made = tuple(ConstraintAxis(name=name, values=values, check=check) for name, values, check in axes)
    return ConstraintSpace(axes=made, template=template or " ".join(f"{{{name}}}" for name, _, _ in axes))


@pytest.mark.parametrize(
    ("axes", "template", "message"),
    [
        ([], "", "the axes are none; give at least one"),
        ([("a", ("x",), "none"), ("a", ("y",), "none")], "{a}", "the axes are a, a; give at least one, each with its"),
        ([("a", (), "none")], "{a}", "the axis a has no values, or equal ones"),
        ([("a", ("x", "x"), "none")], "{a}", "the axis a has no values, or equal ones; give each value once"),
        ([("a", ("x",), "none")], "{", "cannot be read"),
        ([("a", ("x",), "none")], "{a} {b}", "the template has places for a, b, the axes are a; write each axis"),
        ([("a", ("x",), "none"), ("b", ("y",), "none")], "{a}", "the template has places for a, the axes are a, b"),
        ([("a", ("x",), "none")], "write", "the template has places for nothing, the axes are a"),
        ([("a", ("x",), "grade")], "{a}", "names no range of grades"),
        ([("a", ("x",), "none")], "{a:d}", "cannot be filled in"),
        ([("prompt", ("x",), "none")], "{prompt}", "no axis may be called prompt"),
    ],
)
def test_a_space_that_cannot_be_drawn_is_refused(axes: list[Any], template: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ConstraintSpace(
            axes=tuple(ConstraintAxis(name=name, values=values, check=check) for name, values, check in axes),
            template=template,
        )


def test_braces_that_are_doubled_stay_single() -> None:
    rows = space(("a", ("x", "y"), "none"), template="{{{a}}} as {a!r:>5}").draw(2)
    assert sorted(row["prompt"] for row in rows) == ["{x} as   'x'", "{y} as   'y'"]


def row(text: str, **values: str) -> dict[str, str]:
    return {"text": text, **values}


@pytest.mark.parametrize(
    ("counts", "evenness"),
    [
        ((1, 1, 1), 1.0),
        ((3, 0, 0), 0.0),
        ((0, 0, 0), 0.0),
        ((1, 1, 0), math.log(2) / math.log(3)),
        ((2, 1, 1), 1.5 * math.log(2) / math.log(3)),
        ((4,), 1.0),
    ],
)
def test_evenness_is_entropy_over_its_maximum(counts: tuple[int, ...], evenness: float) -> None:
    values = tuple(f"word{place}" for place in range(len(counts)))
    rows = [row(value, a=value) for value, count in zip(values, counts, strict=True) for _ in range(count)]
    # A text that misses its constraint, so that there is a row in any case.
    rows.append(row("nothing", a=values[0]))
    (axis,) = measure_coverage(rows, space(("a", values, "mention"))).axes
    assert axis.evenness == pytest.approx(evenness)
    assert tuple(axis.counts.values()) == counts
    assert axis.missing == tuple(value for value, count in zip(values, counts, strict=True) if not count)
    assert (axis.rows, axis.met) == (len(rows), sum(counts))


def test_pairs_count_where_all_constraints_are_met() -> None:
    one = space(("a", ("x", "y"), "mention"), ("b", ("u", "v"), "mention"), ("c", ("p",), "none"))
    rows = [
        row("x u", a="x", b="u", c="p"),
        row("x", a="x", b="v", c="p"),
        row("y v", a="y", b="v", c="p"),
        row("y v again", a="y", b="v", c="p"),
    ]
    found = measure_coverage(rows, one)
    # Pairs of values: 2 * 2 of a and b, 2 of a and c, 2 of b and c. Two rows cover three pairs each.
    assert (found.rows, found.all_met, found.pairs, found.pairs_covered) == (4, 3, 8, 6)
    lines = str(found).splitlines()
    assert lines[0] == "3 of 4 texts meet all of their constraints."
    assert lines[1].startswith("a: met by 100.0% [")
    assert lines[2].startswith("b: met by 75.0% [")
    assert lines[3].startswith("c: met by 100.0% [")
    assert "(not checked), evenness 1.000" in lines[3]
    assert lines[-1] == "6 of 8 pairs of values are covered."


def test_a_single_axis_has_no_pairs() -> None:
    found = measure_coverage([row("x", a="x")], space(("a", ("x",), "mention")))
    assert (found.pairs, found.pairs_covered) == (0, 0)
    assert "pairs" not in str(found)


def test_only_some_of_the_missing_values_are_named() -> None:
    values = tuple(f"word{place}" for place in range(9))
    text = str(measure_coverage([row("word0", a="word0")], space(("a", values, "mention"))))
    assert "no text meets word1, word2, word3, word4 and word5 and 3 more" in text
    assert "word6" not in text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no texts to check; give at least one row"),
        ([{"a": "x"}], "row 0 has no text in 'text'; it has a"),
        ([{"text": 3, "a": "x"}], "row 0 has no text in 'text'"),
        ([{"text": "x"}], "row 0 has a None, which is none of its 1 values"),
        ([{"text": "x", "a": "x"}, {"text": "x", "a": "X"}], "row 1 has a 'X', which is none of its 1 values"),
        ([{"text": "x", "a": ["x"]}], r"row 0 has a \['x'\], which is none"),
    ],
)
def test_rows_of_another_space_are_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        measure_coverage(rows, space(("a", ("x",), "none")))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.booleans()), min_size=1, max_size=20))
def test_counts_add_up(drawn: list[tuple[str, bool]]) -> None:
    rows = [row(value if met else "nothing", a=value) for value, met in drawn]
    found = measure_coverage(rows, space(("a", ("x", "y", "z"), "mention")))
    (axis,) = found.axes
    assert found.all_met == axis.met == sum(axis.counts.values()) == sum(met for _, met in drawn)
    assert 0 <= axis.low <= axis.met / axis.rows <= axis.high <= 1
    assert 0 <= axis.evenness <= 1 + 1e-12
    assert found.to_frame()["met"].sum() == axis.met


@pytest.mark.parametrize(
    ("check", "value"), [("mention", "the"), ("mention", " ?!"), ("mention", ""), ("function", "class")]
)
def test_a_value_that_every_text_or_none_would_meet_is_refused(check: str, value: str) -> None:
    with pytest.raises(UsageError, match="the constraint"):
        find_check(check).check_value(value)
