"""Shell commands of the documentation: run in this process where they are shoal's, so that a page takes seconds."""

from __future__ import annotations

import contextlib
import io
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unittest import mock

from shoal.cli.main import main, make_app


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it stands in a block, and the output that stands below it."""

    line: int
    words: tuple[tuple[str, ...], ...]
    """The words of each part of a pipe."""

    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str


def commands_of(text: str, line: int) -> Iterator[Command]:
    """The commands of a console block: what follows ``$``, with its continued lines; the rest is output.

    Raises:
        ValueError: a line before the first command.
    """
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        if not lines[place].startswith("$ "):
            raise ValueError(f"no command: {lines[place]!r} does not begin with '$ '")
        first, command = place, lines[place][2:]
        while command.endswith("\\"):
            place += 1
            command = command[:-1] + lines[place]
        place += 1
        expected = []
        while place < len(lines) and not lines[place].startswith("$ "):
            expected.append(lines[place])
            place += 1
        yield Command(line=line + first, words=_parts(command), expected="\n".join(expected))


def _parts(command: str) -> tuple[tuple[str, ...], ...]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for word in lexer:
        if word == "|":
            parts.append([])
        else:
            parts[-1].append(word)
    return tuple(map(tuple, parts))


def run_command(command: Command) -> Outcome:
    """Run the parts of a pipe one after the other, each on what the one before printed."""
    given = ""
    for words in command.words:
        outcome = _run(words, given)
        given = outcome.out
        if outcome.code:
            break
    return outcome


def _run(words: Sequence[str], given: str) -> Outcome:
    if words[0] == "shoal":
        return _in_process(lambda: main(words[1:]), given)
    if words[0] == "python" and words[1].endswith(".py"):
        with mock.patch.object(sys, "argv", list(words[1:])):
            return _in_process(lambda: runpy.run_path(words[1], run_name="__main__"), given)
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)


def _in_process(call, given: str) -> Outcome:
    out, err = _stream(), _stream()
    code = 0
    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            call()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return Outcome(code=code, out=_text(out), err=_text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    return stream.buffer.getvalue().decode("utf-8")


def check_parses(words: Sequence[str]) -> None:
    """Raise where a ``shoal`` command has a verb, an option or a value that shoal does not take; nothing is run."""
    make_app().parse_args(list(words[1:]))
    for option, value in pairwise(words):
        if option == "--model":
            from shoal.models import parse_spec

            parse_spec(value)


def known_options(words: Sequence[str]) -> tuple[set[str], list[str]]:
    """The options of the verb that words begin with, and those of the words that it does not have."""
    _, apps, rest = make_app().parse_commands(list(words))
    verb = apps[-1]
    # A verb that only has commands, as `corpus`, is mentioned with the options of any of them.
    commands = [verb] if verb.default_command else [verb[name] for name in verb if not name.startswith("-")]
    known = {name for one in commands for argument in one.assemble_argument_collection() for name in argument.names}
    known |= {"--help", "--debug", "--version"}
    given = [word.partition("=")[0] for word in rest if word.startswith("--")]
    return known, [option for option in given if option not in known]
