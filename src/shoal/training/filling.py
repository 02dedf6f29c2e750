"""Documents of many lengths laid into bins of one size, in an order that is nearly random.

A bin takes the next documents of the order while they fit; the hole that is left is filled by the longest of the
documents waiting (the next few hundred) that fits, again and again. So a bin's documents are a fair sample and it is
full all the same. Cost: one search in a sorted list of the waiting for each document.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WAITING = 512
"""Documents among which the filling of a hole is sought."""


def fill_bins(sizes: Iterable[tuple[int, int]], room: int) -> Iterator[list[int]]:
    """The names of the documents of each bin; every document is in one bin.

    Args:
        sizes: name and size of each document in their order; a size is at most ``room``.
        room: the size of a bin.
    """
    coming = iter(sizes)
    waiting: OrderedDict[int, int] = OrderedDict()
    by_size: list[tuple[int, int]] = []

    def refill() -> None:
        while len(waiting) < _WAITING and (found := next(coming, None)) is not None:
            waiting[found[0]] = found[1]
            insort(by_size, (found[1], found[0]))

    def take(name: int) -> int:
        size = waiting.pop(name)
        del by_size[bisect_right(by_size, (size, name)) - 1]
        return size

    refill()
    while waiting:
        taken, left = [], room
        while waiting and next(iter(waiting.values())) <= left:
            name = next(iter(waiting))
            left -= take(name)
            taken.append(name)
            refill()
        while by_size and by_size[0][0] <= left:
            name = by_size[bisect_right(by_size, (left, 2**63)) - 1][1]
            left -= take(name)
            taken.append(name)
        refill()
        yield taken
