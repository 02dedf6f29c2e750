"""How a program fared, judged from outside: its values are compared with the right ones where it cannot reach them."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.curation.sandbox.confined.values import decode, encode, same
from shoal.errors import DataError
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.curation.sandbox.process import ProcessReport

Outcome = Literal["passed", "failed", "error", "timed out", "memory", "killed", "forbidden"]
"""What became of a program:

- ``passed``: every call gave the right value; ``failed``: one gave another value.
- ``error``: it could not be run, a call raised an exception, or it ended before all calls were answered.
- ``timed out``, ``memory``: it met the limit of CPU or wall time, or of memory.
- ``killed``: a signal ended it (a crash of the interpreter), or it wrote more than it may.
- ``forbidden``: it tried what no computation needs: a process, the network, a file for writing.
"""

_SHOWN = 80
"""Characters of a value in a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTest:
    """One call of the function under test, and the value that it must give."""

    arguments: tuple[Any, ...]
    """Plain values: text, numbers, bytes, true, false and None, and lists, tuples, sets and dictionaries of them."""

    expected: Any
    """A plain value too. It never enters the program's process."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, with the types of the values.

        Raises:
            DataError: a value is not plain.
        """
        try:
            return {"arguments": [encode(one) for one in self.arguments], "expected": encode(self.expected)}
        except (TypeError, RecursionError) as error:
            raise DataError(f"a test cannot be written down: {error}; give plain values alone") from error

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> FunctionTest:
        """The test that `to_dict` wrote.

        Args:
            table: with ``arguments`` and ``expected``.

        Raises:
            DataError: it is none.
        """
        try:
            return cls(arguments=tuple(map(decode, table["arguments"])), expected=decode(table["expected"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{in_one_line(repr(table), limit=_SHOWN)} is no test of a function ({error!r})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramResult:
    """How one program fared."""

    outcome: Outcome
    tests_passed: int
    tests: int
    reason: str
    """In one line; empty where it passed."""

    output: str
    """The beginning of what it printed."""

    cpu_seconds: float
    wall_seconds: float
    mechanisms: tuple[str, ...]
    """What confined it: ``namespaces``, ``empty root``, ``landlock``, ``seccomp``, ..."""

    @property
    def passed(self) -> bool:
        """Whether every test passed."""
        return self.outcome == "passed"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        line = f"{self.outcome}: {self.tests_passed} of {self.tests} tests passed"
        return f"{line}; {self.reason}" if self.reason else line


def judge(report: ProcessReport, function: str, tests: Sequence[FunctionTest]) -> ProgramResult:
    """The result of a program.

    Args:
        report: of its process.
        function: that it had to define.
        tests: of that function, in the order of the calls.
    """
    answers = _Answers(report.answers, len(tests))
    right = [answers.gives(place, encode(test.expected)) for place, test in enumerate(tests)]
    outcome, reason = _ended_early(report, answers) or _by_tests(answers, function, tests, right)
    ending = report.ending
    return ProgramResult(
        outcome=outcome,
        tests_passed=sum(right),
        tests=len(tests),
        reason=_printable(reason),
        output=report.output,
        cpu_seconds=round(ending.get("cpu_seconds", 0.0), 4),
        wall_seconds=round(ending.get("wall_seconds", 0.0), 4),
        mechanisms=report.mechanisms,
    )


def values_of(report: ProcessReport, calls: int) -> list[Any]:
    """The values that a program gave.

    Args:
        report: of its process.
        calls: how many there were.

    Raises:
        DataError: the program did not end by itself, or a call gave no value.
    """
    answers = _Answers(report.answers, calls)
    ended = _ended_early(report, answers)
    if ended is not None:
        raise DataError(f"a solution that {'was ' if ended[0] in ('killed', 'forbidden') else ''}{ended[0]}")
    if answers.faults:
        _, reason = next(iter(answers.faults.values()))
        raise DataError(f"a solution with an error ({_printable(reason)})")
    try:
        return [decode(answers.values[place]) for place in range(calls)]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError("a solution that gives no plain value for a call") from error


class _Answers:
    """The rows that came out of the program's process, none of which is to be trusted."""

    def __init__(self, lines: bytes, calls: int) -> None:
        self.event = ""
        self.faults: dict[int | None, tuple[str, str]] = {}
        """Kind and reason by call; under None, of the program as a whole."""
        self.values: dict[int, Any] = {}
        self.contradicted: int | None = None
        """A call with two different answers: a program that guesses."""
        for line in lines.splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                self._read(row, calls)

    def _read(self, row: dict[str, Any], calls: int) -> None:
        place = row.get("call")
        if place is not None and not (type(place) is int and 0 <= place < calls):
            return
        if "event" in row:
            self.event = str(row["event"])
        elif "fault" in row:
            # The first answer counts: a program can write to the pipe itself, and a later line must not correct an
            # earlier one.
            self.faults.setdefault(place, (str(row["fault"]), str(row.get("reason", ""))))
        elif place is not None and "value" in row:
            if place in self.values and not _equal(self.values[place], row["value"]):
                self.contradicted = place
            self.values.setdefault(place, row["value"])

    def gives(self, place: int, expected: Any) -> bool:
        """Whether the answer to a call is this value."""
        return place in self.values and self.contradicted != place and _equal(expected, self.values[place])


def equal_values(one: Any, other: Any) -> bool:
    """Whether two plain values are the same to a test: of the same types, floats up to rounding, NaN equal to NaN.

    Args:
        one: of the types that `Sandbox.values` gives.
        other: likewise.
    """
    return _equal(encode(one), encode(other))


def _equal(expected: Any, given: Any) -> bool:
    try:
        return same(expected, given)
    except RecursionError:
        return False


def _ended_early(report: ProcessReport, answers: _Answers) -> tuple[Outcome, str] | None:
    """The outcome of a program that did not end by itself."""
    if report.too_long is not None:
        return "killed", f"it wrote more than {report.too_long:,} bytes"
    stopped, number = report.ending.get("stopped"), report.ending.get("signal")
    if stopped == "cpu" or number == signal.SIGXCPU:
        return "timed out", "it met the limit of CPU time"
    if stopped == "wall":
        return "timed out", "it met the limit of wall time"
    if number == signal.SIGSYS:
        return "forbidden", answers.event or "a system call that no computation needs"
    if number is not None:
        return "killed", f"by {signal.Signals(number).name}"
    memory = [reason for kind, reason in answers.faults.values() if kind == "memory"]
    return ("memory", memory[0]) if memory else None


def _by_tests(
    answers: _Answers, function: str, tests: Sequence[FunctionTest], right: Sequence[bool]
) -> tuple[Outcome, str]:
    """The outcome of a program that ended by itself."""
    if None in answers.faults:
        return "error", answers.faults[None][1]
    if all(right):
        return "passed", ""
    place = right.index(False)
    where = f"test {place + 1} of {len(tests)}, {function}({', '.join(map(_shown, tests[place].arguments))})"
    if place in answers.faults:
        return "error", f"{where}: {answers.faults[place][1]}"
    if place not in answers.values:
        return "error", f"{where}: it ended before it gave a value"
    if answers.contradicted == place:
        return "failed", f"{where}: it gave two different values"
    return "failed", f"{where}: gave {_shown_answer(answers.values[place])}, expected {_shown(tests[place].expected)}"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"  # which Python does not write
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _shown_answer(encoded: Any) -> str:
    try:
        return _shown(decode(encoded))
    except (KeyError, TypeError, ValueError, RecursionError):
        return "what is no value"


def _printable(text: str) -> str:
    """One line without control characters: the text may be the program's, and is printed on a terminal."""
    return in_one_line("".join(letter if letter.isprintable() else " " for letter in text)) if text else ""
