"""Code exercises by a language model at an endpoint: each is taken only where its own solution passes its tests.

The model writes a function and inputs; what the function gives for them in the sandbox, twice the same, are the
expected values. A solution that fails, does not end, tries what it may not, or answers otherwise the second time is
dropped.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import UselessAnswerError, complete_all
from shoal.curation.exercises.exercise import Exercise
from shoal.curation.exercises.grammar import MAX_DIFFICULTY, exercise_topics
from shoal.curation.sandbox import FunctionTest, Sandbox
from shoal.curation.sandbox.results import equal_values
from shoal.errors import DataError, UsageError
from shoal.evaluation.judging import json_objects
from shoal.progress import no_progress
from shoal.wording import in_one_line, plural

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.corpora.llm import Endpoint
    from shoal.progress import Progress

_PROMPT = """Write an exercise for learners of Python about the topic "{topic}".
The function takes {difficulty} step(s) of thought, is deterministic, uses the standard library alone,
and reads and writes no file.{name}
Answer with one JSON object and nothing else:
{{"code": "def NAME(ARGUMENTS):\\n    \\"\\"\\"What it returns, in one to three sentences.\\"\\"\\"\\n    BODY",
"inputs": [[ARGUMENTS OF A CALL], ...]}}
Give six to ten inputs, empty and extreme ones among them. (Exercise {number}.)"""

_MIN_TESTS = 3
_KEY_DIGITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseRequest:
    """The constraints of one exercise."""

    text: str
    """The prompt."""

    topic: str
    difficulty: int

    @property
    def key(self) -> str:
        """The record's key: a digest of the prompt."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedExercises:
    """What a model wrote, and what was dropped."""

    exercises: tuple[Exercise, ...]
    dropped: dict[str, int]
    """From a reason to the number of exercises."""

    def __str__(self) -> str:
        """One line."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.items())
        return plural(len(self.exercises), "exercise") + (f"; dropped: {reasons}" if reasons else "")


def draw_requests(
    count: int,
    *,
    seed: int = 0,
    topics: Sequence[str] = (),
    names: Sequence[str] = (),
    difficulty: Sequence[int] = (),
) -> list[ExerciseRequest]:
    """Draw the constraints of exercises that a model is to write.

    Args:
        count: how many.
        seed: equal seeds give equal requests.
        topics: any texts; those of the grammar where none is given.
        names: names of functions, of which one is required of each exercise; free where none is given.
        difficulty: numbers of steps.

    Raises:
        UsageError: the count is below 1.
    """
    if count < 1:
        raise UsageError(f"the count is {count}; give at least 1")
    generator = random.Random(f"exercise requests {seed}")
    return [_request(number, generator, topics, names, difficulty) for number in range(count)]


def request_exercises(
    requests: Sequence[ExerciseRequest],
    endpoint: Endpoint,
    record: str | os.PathLike[str],
    *,
    sandbox: Sandbox | None = None,
    progress: Progress = no_progress,
) -> GeneratedExercises:
    """Let a model write exercises; fewer may come of the requests.

    Args:
        requests: as `draw_requests` gives them.
        endpoint: where the model answers.
        record: the JSONL file of answers; it is made, or continued.
        sandbox: its limits; None for the default ones.
        progress: called with (what, done, total).

    Raises:
        EndpointError: the endpoint failed for good; what was answered is in the record.
        SandboxError: this machine cannot confine the programs.
    """
    rows = complete_all(
        requests,
        endpoint,
        str(record),
        fields=lambda one: {"prompt": one.text},
        check=_read_answer,
        progress=progress,
        what="exercises",
    )
    dropped: Counter[str] = Counter()
    found: dict[str, Exercise] = {}
    for request in requests:
        try:
            exercise = _exercise(request, rows[request.key]["text"], sandbox or Sandbox())
        except (UselessAnswerError, DataError) as fault:
            dropped[in_one_line(fault, limit=60)] += 1
            continue
        if exercise.prompt in found:
            dropped["equal to another one"] += 1
        found.setdefault(exercise.prompt, exercise)
    return GeneratedExercises(exercises=tuple(found.values()), dropped=dict(dropped))


def _request(
    number: int, generator: random.Random, topics: Sequence[str], names: Sequence[str], difficulty: Sequence[int]
) -> ExerciseRequest:
    topic = generator.choice(list(topics) or list(exercise_topics()))
    steps = generator.choice(list(difficulty) or list(range(1, MAX_DIFFICULTY + 1)))
    name = f" Its name is {generator.choice(list(names))}." if names else ""
    text = _PROMPT.format(topic=topic, difficulty=steps, name=name, number=number + 1)
    return ExerciseRequest(text=text, topic=topic, difficulty=steps)


def _read_answer(answer: str) -> tuple[str, ast.FunctionDef, list[list[Any]]]:
    """The code, its function and the inputs of an answer.

    Raises:
        UselessAnswerError: there are none.
    """
    table = next((found for found in json_objects(answer) if {"code", "inputs"} <= found.keys()), None)
    if table is None:
        raise UselessAnswerError("no JSON object with code and inputs")
    code, inputs = table["code"], table["inputs"]
    try:
        # Parsed and never run here.
        tree = ast.parse(code).body
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise UselessAnswerError("code that is no Python") from error
    if len(tree) != 1 or not isinstance(tree[0], ast.FunctionDef) or not ast.get_docstring(tree[0]):
        raise UselessAnswerError("code that is not one function with a docstring")
    if not isinstance(inputs, list) or not all(isinstance(one, list) for one in inputs) or len(inputs) < _MIN_TESTS:
        raise UselessAnswerError(f"fewer than {_MIN_TESTS} lists of arguments")
    return code, tree[0], inputs


def _exercise(request: ExerciseRequest, answer: str, sandbox: Sandbox) -> Exercise:
    """The exercise of an answer, its expected values found by running its solution.

    Raises:
        UselessAnswerError: the answer holds none, or one whose values are all equal.
        DataError: the solution does not answer every call, or not always alike.
    """
    code, function, inputs = _read_answer(answer)
    if len(function.body) < 2:
        raise UselessAnswerError("a function without a body")
    end = function.body[0].end_lineno or 0
    # The prompt ends with the docstring's line: what stands behind it on that line would be part of the solution.
    if function.body[1].lineno <= end:
        raise UselessAnswerError("a solution on the line of its docstring")
    calls = [tuple(arguments) for arguments in inputs]
    values = sandbox.values(code, function.name, calls)
    # A second process: hash seeds and time differ, so that sets and dates in a value show themselves.
    # As the tests compare, to which NaN is NaN.
    if not all(map(equal_values, values, sandbox.values(code, function.name, calls))):
        raise DataError("a solution that answers otherwise the second time")
    if all(equal_values(values[0], one) for one in values):
        raise UselessAnswerError("equal values for all inputs, which test nothing")
    # As the parser counts lines, a lone carriage return among them.
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Exercise(
        name=function.name,
        prompt="\n".join(lines[:end]) + "\n",
        solution="\n".join(itertools.islice(lines, end, None)).rstrip() + "\n",
        tests=tuple(FunctionTest(arguments=call, expected=value) for call, value in zip(calls, values, strict=True)),
        topic=request.topic,
        difficulty=request.difficulty,
        group=function.name,
    )
