"""Changes chosen by tests: a stretch is split while a test believes in it, each stretch with its share of the level."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from shoal.changes.search import LONG_SHARE

if TYPE_CHECKING:
    from shoal.changes.search import Search


def tested_places(search: Search) -> list[int]:
    """Places of the changes that tests find."""
    places: list[int] = []
    waiting = [(0, search.length)]
    while waiting:
        start, end = waiting.pop()
        found = _tested(search, start, end)
        if found:
            places += found
            waiting += itertools.pairwise([start, *found, end])
    return believed_places(search, sorted(places), 0, search.length, search.level)


def _tested(search: Search, start: int, end: int) -> list[int]:
    """The clearest split of a stretch, if its test believes it, or else the cuts of a partition, if its test does."""
    share = search.level * (end - start) / search.length
    whole = search.stretch(start, end, shortest=search.memory)
    if whole.split and search.p_value_of_split(whole, share * LONG_SHARE) <= share * LONG_SHARE:
        return [search.exact(whole.split.window, whole.split.place)]
    _, places = search.parted(start, end, share * (1.0 - LONG_SHARE))
    edges = [start, *places, end]
    exact = [
        search.exact((before, after), place) for before, place, after in zip(edges, places, edges[2:], strict=False)
    ]
    return believed_places(search, exact, start, end, share)


def believed_places(search: Search, places: list[int], start: int, end: int, level: float) -> list[int]:
    """The places in a stretch that a test still finds between their neighbours; the least believable goes first.

    A place that was found in a wide stretch may owe its p-value to a change that has a place of its own by now.
    """
    while True:
        edges = [start, *places, end]
        found = [search.p_value(before, after, level) for before, after in zip(edges, edges[2:], strict=False)]
        if max(found, default=0.0) <= level:
            return places
        weakest = found.index(max(found))
        places = places[:weakest] + places[weakest + 1 :]
