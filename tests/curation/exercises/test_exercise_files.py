"""Files of exercises and of solutions: read back whatever stands in them, and named where they are none."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.curation.exercises import Exercise, read_exercises, write_exercises
from shoal.curation.exercises.scoring import function_body, read_solutions, score_solutions
from shoal.curation.sandbox import FunctionTest
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers() | st.text(), max_size=3)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)

ONE = Exercise(
    name="größte", prompt='def größte(a):\n    """Ein “Wort”."""\n', solution="    return max(a)\n",
    tests=(FunctionTest(arguments=([1, 2],), expected=2), FunctionTest(arguments=((3,),), expected=3)),
    topic="Zahlen", difficulty=2, group="g",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, max_size=3), VALUES)
def test_a_test_survives_json_with_the_types_of_its_values(arguments: list[Any], expected: Any) -> None:
    one = FunctionTest(arguments=tuple(arguments), expected=expected)
    back = FunctionTest.from_dict(json.loads(json.dumps(one.to_dict())))
    assert back == one
    # 1 == True == 1.0 in Python, so that types are compared as well.
    assert repr(back.expected) == repr(one.expected) or isinstance(expected, (set, dict, list, tuple))
    assert type(back.expected) is type(expected)


@pytest.mark.parametrize("value", [object(), len, 1 + 2j, [object()], {"a": {1: print}}])
def test_what_is_no_plain_value_cannot_be_written_down(value: Any) -> None:
    with pytest.raises(DataError, match=r"cannot be written down: .*; give plain values alone"):
        FunctionTest(arguments=(value,), expected=1).to_dict()


def test_values_without_end_cannot_be_written_down() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DataError, match="cannot be written down"):
        FunctionTest(arguments=(1,), expected=endless).to_dict()


@pytest.mark.parametrize(
    "table", [{}, {"arguments": []}, {"arguments": 3, "expected": 1}, [], 7, "text", None, {"expected": 1}]
)
def test_what_is_no_test_is_named(table: Any) -> None:
    with pytest.raises(DataError, match="is no test of a function"):
        FunctionTest.from_dict(table)


@pytest.mark.parametrize("name", ["some.jsonl", "some.parquet"])
def test_exercises_are_read_back(tmp_path: Path, name: str) -> None:
    some = [ONE, replace(ONE, name="b", tests=(), difficulty=9, group="")]
    write_exercises(some, tmp_path / name)
    assert read_exercises(tmp_path / name) == some


def row(**changes: Any) -> dict[str, Any]:
    tags: dict[str, Any] = {"name": "f", "tests": "[]", "topic": "t", "difficulty": 1, "group": "g"} | changes
    return {"prompt": "def f():\n", "completion": "    pass\n"} | {k: v for k, v in tags.items() if v is not ...}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": ...}, "is no exercise: it has no group; give a file that shoal curate exercises wrote"),
        ({"name": ..., "topic": ..., "tests": ...}, "it has no name and no tests and no topic"),
        ({"tests": "{"}, "the tests of the exercise 'f' cannot be read"),
        ({"tests": "7"}, "the tests of the exercise 'f' cannot be read"),
        ({"tests": "[7]"}, "7 is no test of a function"),
        ({"tests": '[{"arguments": []}]'}, "is no test of a function"),
        ({"tests": "[" * 100_000}, "the tests of the exercise 'f' cannot be read"),
        ({"difficulty": "hard"}, "the difficulty of the exercise 'f' is 'hard'; give a whole number"),
        ({"difficulty": ""}, "the difficulty of the exercise 'f' is ''"),
        ({"difficulty": 1.5}, "the difficulty of the exercise 'f' is 1.5; give a whole number"),
    ],
)
def test_rows_that_are_no_exercises_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row()) + "\n" + json.dumps(row(**changes)) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_exercises(path)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("completion", "body"),
    [
        ("    return 1", "    return 1\n"),
        ("    return 1\n\n\n", "    return 1\n"),
        ("    return 1\nprint(2)\n    x", "    return 1\n"),
        ("\n\n    return 1\n", "\n\n    return 1\n"),
        ("\treturn 1\n# end\n", "\treturn 1\n"),
        ("    return '''\nabc'''\n", "    return '''\n"),
        ("return 1", "\n"),
        ("", "\n"),
        ("   ", "\n"),
        ("    a = 1\n  \n    return a\n@other", "    a = 1\n  \n    return a\n"),
        ("    return 'ä'\r\nprint()", "    return 'ä'\n"),
    ],
)
def test_a_body_ends_at_the_first_line_that_is_not_indented(completion: str, body: str) -> None:
    assert function_body(completion) == body


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab \t\n#", max_size=40))
def test_a_body_has_indented_lines_alone(completion: str) -> None:
    body = function_body(completion)
    assert body.endswith("\n")
    assert all(not line.strip() or line[0].isspace() for line in body.split("\n"))
    assert completion.startswith(body[:-1])
    assert function_body(body) == body


@pytest.mark.parametrize("difficulty", [3, 3.0, "3"])
def test_a_difficulty_may_come_from_a_table(tmp_path: Path, difficulty: Any) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row(difficulty=difficulty)) + "\n", encoding="utf-8")
    (found,) = read_exercises(path)
    assert (found.difficulty, type(found.difficulty)) == (3, int)


def write_rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    text = "".join(json.dumps({"prompt": prompt, "completion": completion}) + "\n" for prompt, completion in rows)
    path.write_text(text, encoding="utf-8")
    return path


TWO = [ONE, replace(ONE, name="b", prompt="def b(a):\n")]


def test_solutions_are_found_by_their_prompts(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "solutions.jsonl",
        [
            (TWO[1].prompt, " b1"),
            (ONE.prompt, " a1"),
            ("def other():\n", " c"),
            (ONE.prompt, " a2"),
            (ONE.prompt, " a1"),
        ],
    )
    assert read_solutions(path, TWO) == [[" a1", " a2", " a1"], [" b1"]]
    assert read_solutions(path, TWO[1:]) == [[" b1"]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(ONE.prompt, " a")], "has no solution of 'b'; give rows with the prompts of all exercises"),
        ([("x", " a")], "has no solution of 'größte' and 1 more; give rows"),
    ],
)
def test_an_exercise_without_a_solution_is_named(tmp_path: Path, rows: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_solutions(write_rows(tmp_path / "solutions.jsonl", rows), TWO)


@pytest.mark.parametrize(
    ("exercises", "solutions", "k", "kind", "message"),
    [
        ([], [], (1,), DataError, "there are 0 exercises and solutions of 0; give at least one exercise"),
        ([ONE], [], (1,), DataError, "there are 1 exercises and solutions of 0"),
        ([ONE], [["a"], ["b"]], (1,), DataError, "there are 1 exercises and solutions of 2"),
        ([ONE], [["a"]], (), UsageError, "pass@k for k = nothing needs"),
        ([ONE], [["a"]], (0,), UsageError, "pass@k for k = 0 needs"),
        ([ONE], [["a"]], (1, 2), UsageError, "pass@k for k = 1, 2 needs as many solutions of each exercise, and one"),
        (TWO, [["a", "b"], []], (1,), UsageError, "has 0; sample more, or give a smaller k"),
    ],
)
def test_nothing_is_run_that_cannot_be_scored(
    exercises: list[Exercise], solutions: list[list[str]], k: tuple[int, ...], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as raised:
        score_solutions(exercises, solutions, k=k)
    assert message in str(raised.value)


def test_infinite_values_keep_their_sign() -> None:
    one = FunctionTest(arguments=(math.inf, -math.inf, -0.0), expected=1e-320)
    back = FunctionTest.from_dict(json.loads(json.dumps(one.to_dict())))
    assert repr(back) == repr(one)
