"""The filter against texts that count up.

A text counts up where three numbers stand in succession, each one more than the last: in unary (11 111 1111), in
digits (4, 5, 6) or in words (one, two, three). Numbers stand in succession where nothing of their own notation lies
between them. In unary that is so over any distance; digits and words, which running text is full of, must lie within
`NEAR` characters of each other. A number of ones alone is read both as unary and as digits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NEAR = 40
"""Characters; running text is full of numbers, and those further apart are no count."""

_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_VALUE = {word: value for value, word in enumerate(_WORDS)}
_UNARY = re.compile(r"(?<!\d)1+(?!\d)")
# Eighteen digits fit into 64 bits; longer runs are no numbers that anybody counts.
_DIGITS = re.compile(r"(?<!\d)\d{1,18}(?!\d)")
_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)

_Mention = tuple[int, int, int]
"""A number's value and the start and end of its mention."""


def find_ascending_run(text: str) -> str | None:
    """The first part of a text that counts up over three numbers, or None."""
    unary = ((len(match[0]), *match.span()) for match in _UNARY.finditer(text))
    digits = ((int(match[0]), *match.span()) for match in _DIGITS.finditer(text))
    words = ((_VALUE[match[0].casefold()], *match.span()) for match in _WORD.finditer(text))
    for mentions, gap in ((unary, len(text)), (digits, NEAR), (words, NEAR)):
        span = _first_run(mentions, gap)
        if span:
            return text[span[0] : span[1]]
    return None


def check_never_counts_up(texts: Iterable[str]) -> int:
    """Check every text; return their number.

    Raises:
        DataError: a text counts up; the message shows the run.
    """
    count = 0
    for count, text in enumerate(texts, start=1):
        run = find_ascending_run(text)
        if run is not None:
            raise DataError(f"text {count} counts up: {run[:80]!r}; no ascending run may stand in this training text")
    return count


def drop_counting(texts: Iterable[str]) -> tuple[list[str], int]:
    """The texts without the paragraphs that count up, and how many paragraphs were dropped.

    A text that counts up across its paragraphs is dropped whole; all of its paragraphs count as dropped.
    """
    left: list[str] = []
    dropped = 0
    for text in texts:
        paragraphs = text.split("\n")
        still = [paragraph for paragraph in paragraphs if find_ascending_run(paragraph) is None]
        joined = "\n".join(still)
        # Paragraphs that were dropped no longer stand between others, whose numbers may now follow each other.
        if find_ascending_run(joined) is not None:
            dropped += len(paragraphs)
            continue
        dropped += len(paragraphs) - len(still)
        if joined:
            left.append(joined)
    return left, dropped


def _first_run(mentions: Iterator[_Mention], gap: int) -> tuple[int, int] | None:
    """Start and end of the first three mentions that ascend by one, no two neighbours further apart than ``gap``."""
    before: _Mention | None = None
    start, length = 0, 0
    for value, first, last in mentions:
        follows = before is not None and value == before[0] + 1 and first - before[2] <= gap
        start, length = (start, length + 1) if follows else (first, 1)
        # Two numbers in succession stand in any text ("one or two"); three are a count.
        if length == 3:
            return start, last
        before = value, first, last
    return None
