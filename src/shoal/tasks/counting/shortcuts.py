"""Shortcuts of the counting task: they count well, and to the wrong number.

Each keeps the near end of the count (the ``start`` of the task) and the base that the prompt names, and puts another
number in the place of the far end: where counting up stops, where counting down begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from shoal.tasks.counting.numerals import count_text
from shoal.tasks.counting.rule import parse_count
from shoal.tasks.shortcuts import COPYING

if TYPE_CHECKING:
    from shoal.tasks.example import Example
    from shoal.tasks.task import Shortcut

FarEnd = Callable[[int, Sequence[int]], int]
"""From the number asked for and the numbers seen to the number that is counted to."""


def next_ten(asked: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or above the number asked for."""
    return -(-asked // 10) * 10


def previous_ten(asked: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or below the number asked for."""
    return asked // 10 * 10


def nearest_seen(asked: int, seen: Sequence[int]) -> int:
    """The seen number that is nearest; of equals, the lower."""
    return min(seen, key=lambda number: (abs(number - asked), number), default=asked)


def never(asked: int, seen: Sequence[int]) -> int:
    """On and on: to twice the greatest number seen or asked for, as a text must end somewhere."""
    return 2 * max(asked, *seen, 1)


def whole_token(period: int) -> FarEnd:
    """The end of the token that holds the number asked for: the next multiple of the token period."""
    return lambda asked, seen: -(-asked // period) * period  # noqa: ARG005


def same_phase(period: int) -> FarEnd:
    """The nearest seen number with the same remainder by the token period: the right token, a cycle off or right."""

    def far_end(asked: int, seen: Sequence[int]) -> int:
        return nearest_seen(asked, [number for number in seen if number % period == asked % period] or seen)

    return far_end


def counting_shortcuts(direction: str, token_period: int) -> Mapping[str, Shortcut]:
    """The shortcuts of the task by name; counting down has no ``never-stop``, as it runs out of numbers."""
    far_ends: dict[str, FarEnd] = {
        "stop-at-next-ten": next_ten,
        "stop-at-previous-ten": previous_ten,
        "stop-at-nearest-seen": nearest_seen,
        "stop-at-token-phase": same_phase(token_period),
        "stop-at-whole-token": whole_token(token_period),
    }
    if direction == "up":
        far_ends["never-stop"] = never
    return {**COPYING, **{name: _counting_to(far_end) for name, far_end in far_ends.items()}}


def _counting_to(far_end: FarEnd) -> Shortcut:
    """The shortcut that counts as asked, with another far end."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        count = parse_count(prompt)
        near = min(count.first, count.last)
        numbers = [max(known.first, known.last) for known in (parse_count(example.prompt) for example in seen)]
        far = max(near, far_end(max(count.first, count.last), numbers))
        return count_text(near, far, count.base) if count.first <= count.last else count_text(far, near, count.base)

    return shortcut
