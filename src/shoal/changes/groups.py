"""Which pieces come from the same process: the two closest groups are joined until as many are left as were asked for.

In place of the farthest-point clustering of the papers (kept in `reference`), which compares single pieces: a joined
group pools the words of its pieces, so every later comparison rests on more of them.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.scan import normal_scores

if TYPE_CHECKING:
    from shoal.changes.words import Cell

Array = np.ndarray[Any, Any]


def group(cells: list[Cell], edges: list[int], count: int) -> list[int]:
    """Groups of the pieces between ``edges``, at most ``count``, numbered as they first appear."""
    tables = [_tables(cell, edges) for cell in cells]
    members = [[piece] for piece in range(len(edges) - 1)]
    while len(members) > max(count, 1):
        pairs = [(first, second) for second in range(len(members)) for first in range(second)]
        first, second = min(pairs, key=lambda pair: _score(tables, pair))
        members[first] += members.pop(second)
        tables = [_joined(table, first, second) for table in tables]
    label = {piece: number for number, pieces in enumerate(sorted(members, key=min)) for piece in pieces}
    return [label[piece] for piece in range(len(edges) - 1)]


def _tables(cell: Cell, edges: list[int]) -> Array:
    return np.array([np.bincount(cell.counted(a, b), minlength=cell.size) for a, b in itertools.pairwise(edges)])


def _joined(table: Array, first: int, second: int) -> Array:
    table = table.copy()
    table[first] += table[second]
    return np.delete(table, second, axis=0)


def _score(tables: list[Array], pair: tuple[int, int]) -> float:
    """The largest normal score of the chi-square distances between two groups over the cells."""
    best = -math.inf
    for table in tables:
        one, other = table[pair[0]], table[pair[1]]
        both = one + other
        seen = both > 0
        freedom = max(int(np.count_nonzero(seen)) - 1, 1)
        sizes = one.sum(), other.sum()
        if not sizes[0] or not sizes[1]:
            continue
        moved = (one[seen] / sizes[0] - other[seen] / sizes[1]) ** 2 / both[seen]
        distance = float(sizes[0] * sizes[1] * moved.sum())
        best = max(best, float(normal_scores(distance / freedom, freedom)))
    return best
