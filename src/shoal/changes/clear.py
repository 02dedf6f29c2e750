"""Changes chosen by how clear they are, where their number, or that of the processes of the pieces, is known."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.changes.clearest import Split
    from shoal.changes.search import Search, Stretch

CLEAR = 4.0
"""A score above which a stretch is split where groups, not p-values, decide in the end."""


def clear_places(search: Search, least: int) -> list[int]:
    """Places of splits with a score above `CLEAR`, or the ``least`` clearest: more than there may be changes.

    Where the stream as a whole has no clear split, changes may hide one another: its best partition is asked first.
    """
    places = sorted(search.given)
    if not places and _score(search.stretch(0, search.length)) < CLEAR:
        from shoal.changes.pieces import parted  # only few streams need it

        places = parted(search, 0, search.length, search.alpha)
    waiting = _splits(search, *itertools.pairwise([0, *places, search.length]))
    while waiting:
        (start, end), split = max(waiting, key=lambda one: one[1].score)
        if split.score < CLEAR and len(places) >= least:
            break
        waiting.remove(((start, end), split))
        places.append(search.exact(split.window, split.place))
        waiting += _splits(search, (start, places[-1]), (places[-1], end))
    return sorted(places)


def _splits(search: Search, *stretches: tuple[int, int]) -> list[tuple[tuple[int, int], Split]]:
    """The stretches that can be split, with the clearest split of each."""
    found = [(stretch, search.stretch(*stretch).split) for stretch in stretches]
    return [(stretch, split) for stretch, split in found if split is not None]


def least_clear(search: Search, places: list[int]) -> int:
    """The place whose two neighbouring pieces differ least clearly."""
    edges = [0, *places, search.length]
    found = {
        place: _score(search.stretch(start, end)) for start, place, end in zip(edges, places, edges[2:], strict=False)
    }
    return min(found, key=lambda place: found[place])


def _score(stretch: Stretch) -> float:
    return stretch.split.score if stretch.split else -math.inf
