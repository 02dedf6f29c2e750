r"""All output to the terminal: what it cannot show, or must not obey, is escaped as ``\uXXXX``.

A text may hold control codes (an escape sequence recolours the screen, a carriage return hides a line, an override
turns the direction of writing round) and letters that the terminal's encoding lacks. The escapes are those of JSON, so
that JSON stays the same JSON.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_COLUMNS = 20
"""A terminal that claims to be narrower has not set its width."""

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control codes but the tab and the line feed, and the characters that turn the direction of writing."""
_LACKING = "shoal.lacking"


def shown(text: str, encoding: str | None) -> str:
    """A text as a terminal of an encoding can show it.

    Args:
        text: Any text.
        encoding: The encoding of the terminal; UTF-8 where it has none.
    """
    obeyed = _OBEYED.sub(lambda found: _escaped(found[0]), text)
    name = encoding or "utf-8"
    return obeyed.encode(name, _LACKING).decode(name)


def print_notice(text: str) -> None:
    """Print a line to standard error; a closed pipe is no error."""
    if sys.stderr is None:
        return
    with suppress(BrokenPipeError):
        print(shown(text, sys.stderr.encoding), file=sys.stderr, flush=True)


@contextmanager
def terminal() -> Iterator[None]:
    """Escape everything that is printed on standard output."""
    if os.environ.get("COLUMNS", "").isdecimal() and int(os.environ["COLUMNS"]) < MIN_COLUMNS:
        # Rich takes it before the width of the terminal itself, and would break the help into columns of a few letters.
        del os.environ["COLUMNS"]
    bare = sys.stdout
    # Python without a console (pythonw) has no standard output.
    if bare is None:
        yield
        return
    # Around everything and not print by print: texts of data sets and models reach the terminal by many ways.
    sys.stdout = _EscapedOutput(bare)
    try:
        yield
    finally:
        sys.stdout = bare


def leave_quietly() -> None:
    """Throw away what could not be written to standard output, so that the interpreter does not try it once more."""
    with suppress(OSError, ValueError):
        # On the descriptor: the interpreter flushes its own stream at exit, past any object that stands in
        # sys.stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _EscapedOutput:
    """Standard output with everything escaped that a terminal would obey or could not show."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text and return its length."""
        self._stream.write(shown(text, self._stream.encoding))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escaped(text: str) -> str:
    """Each UTF-16 unit of a text as JSON escapes it."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))


def _escape_lacking(fault: UnicodeError) -> tuple[str, int]:
    """The handler of characters that an encoding lacks."""
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return _escaped(fault.object[fault.start : fault.end]), fault.end


codecs.register_error(_LACKING, _escape_lacking)
