"""Nearest neighbours: how near the held-out prompts are to seen ones, and what copying the answer would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tasks.narrowing.encoding import Encoded, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Held-out prompts beside the nearest seen ones, by edit distance over tokens."""

    items: int
    """Held-out examples compared."""

    seen: int
    """Seen examples that they were compared with."""

    distance: float
    """Mean edit distance to the nearest seen prompt, divided by the length of the longer of the two: 0 to 1."""

    steps: float
    """The same in tokens to insert, delete or replace."""

    copy_right: int
    """How often the completion of the nearest seen prompt (the first of equals) is the right one."""

    copy_token_accuracy: float
    """Share of completion positions, the end included, where that completion has the right token."""

    @property
    def copy_accuracy(self) -> float:
        """Share of the items for which copying is right."""
        return self.copy_right / self.items


def nearest_neighbours(seen: Sequence[Encoded], held_out: Sequence[Encoded]) -> Neighbours:
    """Find the nearest seen prompt of each held-out one."""
    from shoal.tasks.edit_distance import Texts

    texts = Texts([item.prompt for item in seen])
    found = [(item, *texts.nearest(item.prompt)) for item in held_out]
    right = [_matching(seen[place].target, item.target) for item, place, _ in found]
    return Neighbours(
        items=len(held_out),
        seen=len(seen),
        distance=sum(steps / max(1, len(item.prompt), len(seen[place].prompt)) for item, place, steps in found)
        / len(found),
        steps=sum(steps for _, _, steps in found) / len(found),
        copy_right=sum(seen[place].target == item.target for item, place, _ in found),
        copy_token_accuracy=sum(right) / sum(len(item.target) for item in held_out),
    )


def _matching(copied: Ids, target: Ids) -> int:
    """Positions at which the two have the same token."""
    return sum(a == b for a, b in zip(copied, target, strict=False))
