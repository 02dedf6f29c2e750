"""A page of documentation run as its reader would: in order, in one namespace and one folder."""

from __future__ import annotations

import ast
import doctest
import shutil
import tokenize
import traceback
from io import StringIO
from pathlib import Path
from typing import Any

from doc_blocks import ROOT, Block, blocks_of
from doc_commands import Command, Outcome, commands_of, run_command

LINKED = ("examples", "recipes")
"""The folders of the checkout that the commands of the docs name."""


class PageError(AssertionError):
    """A block that does not do what its page says; the message begins with file and line."""


class PageRun:
    """One run of a page."""

    def __init__(self, page: Path, folder: Path, *, slow: bool) -> None:
        self.page, self.folder, self.slow = page, folder, slow
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.left = ""
        """What the block before printed."""

        for name in LINKED:
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)

    def run(self) -> list[Block]:
        """Run every block, and give those that were left out.

        Raises:
            PageError: a block fails, or prints something else than the page says.
        """
        left_out = []
        for block in blocks_of(self.page):
            if block.needs is not None and not (self.slow and block.needs == "time"):
                left_out.append(block)
            else:
                self._do(block)
        return left_out

    def _do(self, block: Block) -> None:
        if block.file is not None:
            name, _, continued = block.file.partition(", ")
            path = self.folder / name
            path.write_text((path.read_text() if continued else "") + block.text, encoding="utf-8")
        elif block.language == "console":
            try:
                commands = list(commands_of(block.text, block.line))
            except ValueError as fault:
                raise PageError(f"{block.place}: {fault}") from fault
            outcomes = [self._shell(block, command) for command in commands]
            self.left = "".join(outcome.out + outcome.err for outcome in outcomes)
        elif block.language == "python":
            self.left = run_python(block, self.names)
        elif block.shows == "output" and not matches(block.text, self.left):
            raise PageError(f"{block.place}: the block before prints something else:\n{self.left}")

    def _shell(self, block: Block, command: Command) -> Outcome:
        place = f"{block.place.rpartition(':')[0]}:{command.line}"
        shown = " | ".join(" ".join(words) for words in command.words)
        try:
            outcome = run_command(command)
        except BaseException as fault:
            raise PageError(f"{place}: {shown}\n{''.join(traceback.format_exception(fault))}") from fault
        expected = 2 if command.expected.startswith("shoal: ") else 0
        if outcome.code != expected:
            raise PageError(f"{place}: {shown}\nended with {outcome.code}\n{outcome.out}{outcome.err}")
        printed = (outcome.out, outcome.err, outcome.out + outcome.err)
        if command.expected and not any(matches(command.expected, text) for text in printed):
            raise PageError(f"{place}: {shown}\nprints something else:\n{outcome.out}{outcome.err}")
        return outcome


def matches(expected: str, printed: str) -> bool:
    """Whether a text is what a page shows, where ``...`` stands for anything and white space counts once."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected.strip() + "\n", printed.strip() + "\n", flags)


def run_python(block: Block, names: dict[str, Any]) -> str:
    """Run a block statement by statement, and give what it printed.

    The value of an expression whose comment is a Python value (``len(rows)  # 30``) must be that value; what follows
    a colon or a semicolon in the comment is for the reader.

    Raises:
        PageError: a statement fails, or a value is another.
    """
    import contextlib

    page, place = block.page, block.place.rpartition(":")[0]
    tree = ast.increment_lineno(ast.parse(block.text), block.line - 1)
    comments = _comments(block)
    printed = StringIO()
    for statement in tree.body:
        line = statement.lineno
        try:
            with contextlib.redirect_stdout(printed):
                if isinstance(statement, ast.Expr):
                    value = eval(compile(ast.Expression(statement.value), str(page), "eval"), names)
                else:
                    exec(compile(ast.Module([statement], []), str(page), "exec"), names)
        except BaseException as fault:
            raise PageError(f"{place}:{line}: {type(fault).__name__}\n{traceback.format_exc()}") from fault
        said = _value(comments.get(statement.end_lineno or line, "")) if isinstance(statement, ast.Expr) else ()
        if said and value != said[0]:
            raise PageError(f"{place}:{line}: the comment says {said[0]!r}, and the value is {value!r}")
    return printed.getvalue()


def _comments(block: Block) -> dict[int, str]:
    """The comment at the end of each line of the page."""
    tokens = tokenize.generate_tokens(StringIO(block.text).readline)
    return {
        token.start[0] + block.line - 1: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT
    }


def _value(comment: str) -> tuple[Any, ...]:
    """The Python value that a comment begins with, in a tuple; empty where it is a sentence."""
    ends = [len(comment), *(place for place, letter in enumerate(comment) if letter in ":;")]
    for end in sorted(ends, reverse=True):
        try:
            return (ast.literal_eval(comment[:end].strip()),)
        except (ValueError, SyntaxError):
            continue
    return ()
