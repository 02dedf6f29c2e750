"""Words around numbers and errors, as every room writes them: plurals, lists, durations, one line of a message."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``1 step``, ``1,200 steps``.

    Args:
        count: how many.
        noun: in the singular; its plural ends in s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(parts: Sequence[str]) -> str:
    """Parts as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def capital(text: str) -> str:
    """The text with a capital at its beginning; the rest is left as it is."""
    first = text[:1].upper()
    # A letter whose capital is two letters (ß, ﬁ) has none of its own.
    return first + text[1:] if len(first) == 1 else text


def uncapital(text: str) -> str:
    """The text with a small letter at its beginning; the rest is left as it is."""
    first = text[:1].lower()
    # The small letter of İ is an i with a mark of its own.
    return first + text[1:] if len(first) == 1 else text


def short_number(value: float) -> str:
    """A number in six digits where they say which it is, else in all of its digits: two numbers never read alike."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def in_one_line(error: BaseException | str, *, limit: int = 300) -> str:
    """A message with its lines joined, and cut where it is long; the error's name where it says nothing.

    Args:
        error: an error, or its message.
        limit: characters that are shown.
    """
    line = " ".join(str(error).split())
    # An error without a message (`KeyboardInterrupt()`, a bare `TimeoutError`) would leave an empty line.
    return f"{line[:limit]} ..." if len(line) > limit else line or type(error).__name__


def quoted(text: str, *, limit: int = 60) -> str:
    """A text in quotation marks, on one line and cut between words where it is long.

    Args:
        text: what is quoted.
        limit: characters that are shown.
    """
    return f"“{shorten(text, limit, placeholder=' …')}”"


def aligned_rows(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """The lines of a table whose columns stand under each other, two spaces apart.

    Args:
        rows: of cells; all have as many.
        right: the columns that are flush right; the others are flush left.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def probability(share: float) -> str:
    """A probability as a percentage; one that is not 0 or 1 is never shown as such."""
    if 0 < share < 0.01:
        return "below 1%"
    return "above 99%" if 0.99 < share < 1 else f"{share:.0%}"


def format_duration(seconds: float) -> str:
    """A duration: ``42 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
