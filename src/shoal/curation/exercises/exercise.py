"""One code exercise, and files of them: rows with prompt and completion, on which models train as on any others."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.curation.sandbox import FunctionTest, SandboxProgram
from shoal.errors import DataError
from shoal.tasks import Example, Tag, read_rows, write_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """A function to be written: what is given, a solution, and tests."""

    name: str
    """Of the function."""

    prompt: str
    """The signature and the docstring, up to the end of its line."""

    solution: str
    """The body of a function that passes all tests, indented."""

    tests: tuple[FunctionTest, ...]
    topic: str
    difficulty: int
    """From 1: the number of steps that the function takes."""

    group: str
    """Exercises of one group differ in words and constants alone, and are one cluster of the statistics."""

    def program(self, body: str) -> SandboxProgram:
        """The program that a body makes, with the tests.

        Args:
            body: of the function, indented; the solution of a model, say.
        """
        return SandboxProgram(source=self.prompt + body, function=self.name, tests=self.tests)

    def to_example(self) -> Example:
        """A row to train on: the prompt, and the solution as completion; the rest is in the tags."""
        # As JSON in one tag: tags of rows are plain values, and a Parquet file has no column of mixed types.
        tests = json.dumps([test.to_dict() for test in self.tests], ensure_ascii=False)
        tags: dict[str, Tag] = {
            "name": self.name,
            "topic": self.topic,
            "difficulty": self.difficulty,
            "group": self.group,
        }
        return Example(prompt=self.prompt, completion=self.solution, tags={**tags, "tests": tests})

    @classmethod
    def from_example(cls, example: Example) -> Exercise:
        """The exercise of a row that `to_example` made.

        Args:
            example: with the tags ``name``, ``topic``, ``difficulty``, ``group`` and ``tests``.

        Raises:
            DataError: a tag is missing or is not what it must be.
        """
        tags: dict[str, Any] = dict(example.tags)
        missing = [name for name in ("name", "tests", "topic", "difficulty", "group") if name not in tags]
        if missing:
            raise DataError(
                f"the row {example.prompt[:40]!r} is no exercise: it has no {' and no '.join(missing)}; give a file "
                "that shoal curate exercises wrote"
            )
        try:
            tests = tuple(FunctionTest.from_dict(table) for table in json.loads(str(tags["tests"])))
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"the tests of the exercise {tags['name']!r} cannot be read: {error}") from error
        return cls(
            name=str(tags["name"]),
            prompt=example.prompt,
            solution=example.completion,
            tests=tests,
            topic=str(tags["topic"]),
            difficulty=_whole(tags["difficulty"], str(tags["name"])),
            group=str(tags["group"]),
        )


def _whole(difficulty: Any, name: str) -> int:
    # As a float first: columns of tables come back as 2.0 or "2".
    try:
        number = float(difficulty)
    except (ValueError, TypeError):
        number = math.nan
    if not number.is_integer():
        raise DataError(f"the difficulty of the exercise {name!r} is {difficulty!r}; give a whole number")
    return int(number)


def write_exercises(exercises: Sequence[Exercise], path: str | os.PathLike[str]) -> None:
    """Write exercises as rows, the tests as JSON in a column.

    Args:
        exercises: what is written.
        path: a file whose name ends in ``.jsonl`` or ``.parquet``.

    Raises:
        ShoalError: as `shoal.tasks.write_rows`.
    """
    write_rows([exercise.to_example() for exercise in exercises], path)


def read_exercises(path: str | os.PathLike[str]) -> list[Exercise]:
    """The exercises of a file.

    Args:
        path: as `write_exercises` wrote it.

    Raises:
        DataError: the file cannot be read, or a row is no exercise.
    """
    return [Exercise.from_example(row) for row in read_rows(path)]
