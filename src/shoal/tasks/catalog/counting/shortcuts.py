"""Shortcuts of the counting task: they count well, and to the wrong number.

Each leaves the near end of the count (the ``start`` of the task) and the base that the prompt names, and puts another
number in the place of the far end: where counting up stops, where counting down begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from shoal.tasks.catalog.counting.prompts import count_text, parse_count
from shoal.tasks.shortcuts import COPYING

if TYPE_CHECKING:
    from shoal.tasks.task import Example, Shortcut

FarEnd = Callable[[int, Sequence[int]], int]
"""From the number requested and the numbers seen to the number that is counted to."""


def next_ten(requested: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or above the number requested.

    Args:
        requested: the number that the prompt counts to.
        seen: not used.
    """
    return -(-requested // 10) * 10


def previous_ten(requested: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or below the number requested.

    Args:
        requested: the number that the prompt counts to.
        seen: not used.
    """
    return requested // 10 * 10


def nearest_seen(requested: int, seen: Sequence[int]) -> int:
    """The seen number that is nearest; of equals, the lower.

    Args:
        requested: the number that the prompt counts to.
        seen: the numbers that the seen prompts count to; without any, the one requested.
    """
    return min(seen, key=lambda number: (abs(number - requested), number), default=requested)


def never(requested: int, seen: Sequence[int]) -> int:
    """Counts on and on: to twice the greatest number seen or requested, as a text must end somewhere.

    Args:
        requested: the number that the prompt counts to.
        seen: the numbers that the seen prompts count to.
    """
    return 2 * max(requested, *seen, 1)


def whole_token(period: int) -> FarEnd:
    """The end of the token that holds the number requested: the next multiple of the token period."""
    return lambda requested, seen: -(-requested // period) * period  # noqa: ARG005


def same_phase(period: int) -> FarEnd:
    """The nearest seen number with the same remainder by the token period: the right token, a cycle off or right."""

    def far_end(requested: int, seen: Sequence[int]) -> int:
        # Where no seen number has the same remainder, the nearest of all.
        return nearest_seen(requested, [number for number in seen if number % period == requested % period] or seen)

    return far_end


def counting_shortcuts(direction: str, token_period: int) -> Mapping[str, Shortcut]:
    """The shortcuts of the task by name; counting down has no ``never-stop``, as it runs out of numbers.

    Args:
        direction: ``up`` or ``down``.
        token_period: how many ones a token holds at most.
    """
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
    """The shortcut that counts as the prompt requests, but to another far end."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        count = parse_count(prompt)
        near = min(count.first, count.last)
        numbers = [max(known.first, known.last) for known in (parse_count(example.prompt) for example in seen)]
        # The ten before 7 is 0: a far end below the near one would turn the count around.
        far = max(near, far_end(max(count.first, count.last), numbers))
        return count_text(near, far, count.base) if count.first <= count.last else count_text(far, near, count.base)

    return shortcut
