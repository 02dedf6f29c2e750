"""Change points: where the law of an ordered stream of numbers, vectors or symbols changes.

Needs NumPy alone; importing it does not import torch. What the papers run as it stands is imported when it is first
asked for, since a search is over in less time than its import takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.changes.points import change_points, known_number, single_change_point
from shoal.changes.result import Change, Changes, Moved

if TYPE_CHECKING:
    from shoal.changes.listing import distance, list_estimator

__all__ = [
    "Change",
    "Changes",
    "Moved",
    "change_points",
    "distance",
    "known_number",
    "list_estimator",
    "single_change_point",
]


def __getattr__(name: str) -> Any:
    """Import a name of `listing` when it is first asked for."""
    if name not in ("distance", "list_estimator"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shoal.changes import listing

    return getattr(listing, name)
