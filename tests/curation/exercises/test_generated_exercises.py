"""Exercises of a model at an endpoint are taken only where their own solution answers all of their tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from endpoints import serving
from shoal.corpora.llm import Endpoint
from shoal.curation.exercises import draw_requests, request_exercises
from shoal.curation.sandbox import Sandbox
from shoal.errors import UsageError

GOOD = {
    "code": 'def double(x):\n    """Return twice x."""\n    return 2 * x\n',
    "inputs": [[1], [2.5], ["ab"], [[1, 2]]],
}
BAD = {
    "a loop": {**GOOD, "code": 'def f(x):\n    """Loop."""\n    while True:\n        pass\n'},
    "a write": {**GOOD, "code": 'def f(x):\n    """Write."""\n    open("x", "w")\n'},
    "a draw": {**GOOD, "code": 'def f(x):\n    """Draw."""\n    import random\n    return random.random()\n'},
    "an error": {**GOOD, "code": 'def f(x):\n    """Fail."""\n    return x / 0\n'},
    "a constant": {**GOOD, "code": 'def f(x):\n    """Constant."""\n    return 1\n'},
}


def endpoint(url: str) -> Endpoint:
    return Endpoint(url=url, model="m", max_attempts=2, sleep=lambda seconds: None)


def test_a_good_answer_becomes_an_exercise_whose_values_the_sandbox_found(tmp_path: Path) -> None:
    requests = draw_requests(1, topics=["doubling"], names=["double"], difficulty=[1])
    assert 'topic "doubling"' in requests[0].text
    assert "Its name is double." in requests[0].text
    with serving(f"Here it is:\n{json.dumps(GOOD)}") as (url, script):
        found = request_exercises(requests, endpoint(url), tmp_path / "record.jsonl")
        again = request_exercises(requests, endpoint(url), tmp_path / "record.jsonl")
        assert len(script.requests) == 1
    (exercise,) = found.exercises
    assert again == found
    assert exercise.prompt == 'def double(x):\n    """Return twice x."""\n'
    assert exercise.solution == "    return 2 * x\n"
    assert [test.expected for test in exercise.tests] == [2, 5.0, "abab", [1, 2, 1, 2]]
    assert (exercise.topic, exercise.difficulty) == ("doubling", 1)


def test_bad_solutions_are_dropped_and_counted(tmp_path: Path) -> None:
    requests = draw_requests(len(BAD) + 1)
    answers = [json.dumps(answer) for answer in BAD.values()]
    with serving(*answers, "no JSON", "no JSON") as (url, _):
        found = request_exercises(
            requests, endpoint(url), tmp_path / "record.jsonl", sandbox=Sandbox(cpu_seconds=0.3, wall_seconds=9.0)
        )
    assert found.exercises == ()
    reasons = " ".join(found.dropped)
    for part in ("timed out", "forbidden", "ZeroDivisionError", "equal values for all inputs", "no JSON object"):
        assert part in reasons
    assert "otherwise the second time" in reasons
    assert "0 exercises; dropped: " in str(found)


@pytest.mark.parametrize(
    "code",
    [
        'def f(x): "Twice x."; return 2 * x',
        'def f(x):\n    "Twice x."; y = 2 * x\n    return y',
        'def f(x):\n "x"; x *= 2',
    ],
)
def test_a_prompt_never_holds_its_solution(tmp_path: Path, code: str) -> None:
    with serving(json.dumps({**GOOD, "code": code})) as (url, _):
        found = request_exercises(draw_requests(1), endpoint(url), tmp_path / "record.jsonl")
    assert found.exercises == ()
    assert found.dropped == {"a solution on the line of its docstring": 1}


def test_lines_end_as_the_parser_ends_them(tmp_path: Path) -> None:
    code = GOOD["code"].replace("\n", "\r")  # type: ignore[attr-defined]
    with serving(json.dumps({**GOOD, "code": code})) as (url, _):
        (exercise,) = request_exercises(draw_requests(1), endpoint(url), tmp_path / "record.jsonl").exercises
    assert (exercise.prompt, exercise.solution) == (
        'def double(x):\n    """Return twice x."""\n',
        "    return 2 * x\n",
    )


def test_values_are_compared_as_the_tests_compare_them(tmp_path: Path) -> None:
    code = 'def f(x):\n    """Infinity less x."""\n    return [float("inf") - x]\n'
    nan = {"code": code, "inputs": [[1], [2], [float("inf")]]}
    nearly = {"code": 'def f(x):\n    """Nearly 1."""\n    return 1 + x\n', "inputs": [[0.0], [1e-12], [2e-12]]}
    same = {"code": code, "inputs": [[float("inf")]] * 3}
    with serving(*map(json.dumps, (nan, nearly, same))) as (url, _):
        found = request_exercises(draw_requests(3), endpoint(url), tmp_path / "record.jsonl")
    assert len(found.exercises) == 1
    assert [str(test.expected) for test in found.exercises[0].tests] == ["[inf]", "[inf]", "[nan]"]
    assert found.dropped == {"equal values for all inputs, which test nothing": 2}


def test_a_count_below_one_is_named() -> None:
    with pytest.raises(UsageError, match="the count is 0"):
        draw_requests(0)
