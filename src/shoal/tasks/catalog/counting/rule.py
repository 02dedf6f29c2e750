"""The rule of counting: from the prompt alone to the right completion, and how numbers are written."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from shoal.errors import DataError

Base = Literal["unary", "decimal"]
BASES: tuple[Base, ...] = ("unary", "decimal")


@dataclass(frozen=True, slots=True)
class Count:
    """The count that a prompt requests."""

    first: int
    last: int
    base: str


def numeral(number: int, base: str) -> str:
    """The number in unary (``111``) or decimal (``3``).

    Args:
        number: at least 1 in unary.
        base: ``unary`` or ``decimal``.
    """
    return "1" * number if base == "unary" else str(number)


def count_text(first: int, last: int, base: str) -> str:
    """The completion of a prompt: each number after a space.

    Args:
        first: where the count begins.
        last: where it stops, up or down from there; both are included.
        base: ``unary`` or ``decimal``.
    """
    step = 1 if first <= last else -1
    return "".join(f" {numeral(number, base)}" for number in range(first, last + step, step))


def counting_rule(prompt: str) -> str:
    """The count that the prompt requests, each number after a space.

    The prompt is parsed as a reader would: the first numeral is where to begin and the second is where to stop, and
    the base is the word nearest to ``unary`` or ``decimal``, so that typos do no harm.

    Raises:
        DataError: the prompt does not hold two numerals and a base.
    """
    count = parse_count(prompt)
    return count_text(count.first, count.last, count.base)


# A shortcut parses the prompts of all seen examples again for each held-out one.
@functools.lru_cache(maxsize=65536)
def parse_count(prompt: str) -> Count:
    """Read the request of a prompt.

    Raises:
        DataError: the prompt does not hold two numerals and a base.
    """
    numerals = re.findall(r"[0-9]+", prompt)
    base = _nearest_base(prompt)
    if len(numerals) != 2 or base is None:
        raise DataError(
            f"the prompt {prompt[:60]!r} is no instruction to count: it needs two numbers and the word 'unary' or "
            "'decimal'"
        )
    first, last = (len(text) if base == "unary" else int(text) for text in numerals)
    return Count(first, last, base)


def _nearest_base(prompt: str) -> str | None:
    """The base whose name is at most one typo away from a word of the prompt."""
    words = re.findall(r"[a-z]+", prompt.lower())
    near = [base for base in BASES if any(_is_typo_of(word, base) for word in words)]
    return near[0] if len(near) == 1 else None


def _is_typo_of(word: str, target: str) -> bool:
    """Whether one letter dropped, doubled or replaced, or two neighbours swapped, separate the two."""
    # Whatever the typo is, it lies at the first letter that differs; behind it the rest must agree.
    start = next((k for k, (a, b) in enumerate(zip(word, target, strict=False)) if a != b), min(len(word), len(target)))
    rest, goal = word[start:], target[start:]
    return (
        rest == goal
        or rest[1:] == goal[1:]
        or rest[1:] == goal
        or rest == goal[1:]
        or (len(rest) > 1 and len(goal) > 1 and rest[:2] == goal[1::-1] and rest[2:] == goal[2:])
    )
