"""The prompts of counting: how they are worded, with typos, and the rule that reads them and completes them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError
from shoal.tasks.checks import one_of
from shoal.text import misspell

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

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


WORDINGS: Mapping[str, str] = {
    "exact": "Please count {direction} in {base}, starting at {first} and stopping at {last}:",
    "from-to": "Count {direction} in {base} from {first} to {last}:",
    "begin-end": "In {base}, begin at {first}, count {direction} and end at {last}:",
    "write-out": "Write out the {base} numbers from {first} {direction} to {last}:",
    "list": "Here is a list of {base} numbers that starts at {first}, goes {direction} and stops at {last}:",
    "until": "Keep counting {direction} in {base}, beginning with {first}, until you reach {last}:",
    "question": "What do you say if you count {direction} in {base} from {first} to {last}?",
    "request": "Could you count {direction} for me in {base}? First say {first}, last say {last}:",
}
"""The paraphrases by name. The number counted from always comes before the number counted to."""

VARIED = "varied"


def parse_wordings(value: Any) -> tuple[str, ...]:
    """The names of wordings that a value of the option ``wording`` selects.

    Raises:
        UnknownNameError: a name is not known.
    """
    if value == VARIED:
        return tuple(WORDINGS)
    if isinstance(value, (list, tuple)) and value:
        return tuple(one_of("wording", name, tuple(WORDINGS)) for name in value)
    return (one_of("wording", value, (*WORDINGS, VARIED)),)


def instruction(wording: str, *, first: int, last: int, base: str, noise: float, draw: random.Random) -> str:
    """The prompt, with typos in its words and never in its numbers.

    Args:
        wording: a name in `WORDINGS`.
        first: where the count begins.
        last: where it stops.
        base: ``unary`` or ``decimal``.
        noise: the probability of a typo in a word, 0 to 1.
        draw: draws the typos.
    """
    text = WORDINGS[wording].replace("{base}", base).replace("{direction}", "up" if first <= last else "down")
    if noise:
        # While the numbers are placeholders still, so that they cannot be hit.
        def typed(match: re.Match[str]) -> str:
            word = match[0]
            return word if word.startswith("{") or draw.random() >= noise else misspell(word, draw)

        text = re.sub(r"\{\w+\}|[A-Za-z]{2,}", typed, text)
    return text.replace("{first}", numeral(first, base)).replace("{last}", numeral(last, base))


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
