"""Changes chosen by how clear they are, where their number, or that of the processes of the pieces, is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.changes.clearest import Split
    from shoal.changes.search import Search, Stretch

CLEAR = 4.0
"""A score above which a stretch is split where groups, not p-values, decide in the end."""


def clear_places(search: Search, least: int) -> list[int]:
    """Places of splits with a score above `CLEAR`, or the ``least`` clearest: more than there may be changes."""
    places: list[int] = []
    waiting = _splits(search, (0, search.length))
    while waiting:
        (start, end), split = max(waiting, key=lambda one: one[1].score)
        if split.score < CLEAR and len(places) >= least:
            break
        waiting.remove(((start, end), split))
        places.append(search.exact(split.window, split.place))
        waiting += _splits(search, (start, places[-1]), (places[-1], end))
    return sorted(places)


def _splits(search: Search, *stretches: tuple[int, int]) -> list[tuple[tuple[int, int], Split]]:
    """Stretches with the clearest split of each; where that is not clear, with the clearest one of its parts."""
    found = []
    for start, end in stretches:
        seen = [search.stretch(start, end)]
        if _score(seen[0]) < CLEAR:
            seen += [search.stretch(*part) for part in _parts(start, end, 4 * search.margin)]
        split = max(seen, key=_score).split
        if split is not None:
            found.append(((start, end), split))
    return found


def least_clear(search: Search, places: list[int]) -> int:
    """The place whose two neighbouring pieces differ least clearly."""
    edges = [0, *places, search.length]
    found = {
        place: _score(search.stretch(start, end)) for start, place, end in zip(edges, places, edges[2:], strict=False)
    }
    return min(found, key=lambda place: found[place])


def _parts(start: int, end: int, narrowest: int) -> list[tuple[int, int]]:
    """Halves and quarters of a stretch, each next one begun in the middle of the one before; none below a width."""
    parts = []
    for width in ((end - start) // 2, (end - start) // 4):
        if width >= narrowest:
            first = range(start, end - width - width // 4, width // 2)
            parts += [(one, one + width) for one in first] + [(end - width, end)]
    return parts


def _score(stretch: Stretch) -> float:
    return stretch.split.score if stretch.split else -math.inf
