"""Changes chosen by tests: a stretch is split while a test believes in it, each stretch with its share of the level.

A stretch is tested in two ways, by its clearest split in long blocks of words and by its best partition in short blocks
of moments, which share the level. So is each place in the end.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.search import Search

CLEARLY = 0.1
"""A p-value of long blocks above this share of the level may be owed to there being few; then short ones are asked."""


def tested_places(search: Search) -> list[int]:
    """Places of the changes that tests find."""
    places = sorted(search.given)
    waiting = list(itertools.pairwise([0, *places, search.length]))
    while waiting:
        start, end = waiting.pop()
        found = _tested(search, start, end)
        if found:
            places += found
            waiting += itertools.pairwise([start, *found, end])
    return believed_places(search, sorted(places))


def _tested(search: Search, start: int, end: int) -> list[int]:
    """The clearest split of a stretch, if its test believes it, or else the cuts of a partition, if its test does."""
    share = search.alpha * (end - start) / search.length
    long, short = (share * part for part in search.shares)
    whole = search.tested(start, end)
    if whole.split and search.p_value_of_split(whole, long) <= long:
        return [search.exact(whole.split.window, whole.split.place)]
    if not short:
        return []
    from shoal.changes.pieces import parted  # where long blocks decide its import would cost more than the search

    return parted(search, start, end, short)


def believed_places(search: Search, places: list[int]) -> list[int]:
    """The places that a test still finds between their neighbours; the least believable one goes first.

    A place that was found in a wide stretch may owe its p-value to a change that has a place of its own by now.
    """
    while True:
        edges = [0, *places, search.length]
        found = [p_value_of_change(search, edges, number, search.alpha) for number in range(1, len(edges) - 1)]
        if max(found, default=0.0) <= search.alpha:
            return places
        weakest = found.index(max(found))
        places = places[:weakest] + places[weakest + 1 :]


def p_value_of_change(search: Search, edges: Sequence[int], number: int, alpha: float) -> float:
    """The p-value of one change between its neighbours, exact enough to be held against a level.

    Args:
        search: The stream.
        edges: All places of the stream, its first step before them and its end after them.
        number: Which edge is asked about, from 1 to the last but one.
        alpha: The level that matters.
    """
    if edges[number] in search.given:
        return search.given[edges[number]]
    key = (*edges, number), alpha
    if key not in search.p_values:
        stretch = search.tested(edges[number - 1], edges[number + 1])
        long, short = search.shares
        found = search.p_value_of_split(stretch, alpha * long) / long
        if short and found > CLEARLY * alpha:
            from shoal.changes.pieces import short_p_value

            found = min(found, short_p_value(search, edges, number, alpha * short) / short)
        search.p_values[key] = min(found, 1.0)
    return search.p_values[key]
