"""The papers as written: plain loops, quadratic, on given cells and weights.

Khaleghi and Ryabko, "Locating changes in highly dependent data with unknown number of change points" (NIPS 2012) and
"Asymptotically consistent estimation of the number of change points in highly dependent time series" (ICML 2014). A
stream is given as symbols at several resolutions, and a cell (l, m, w) is the resolution l, the word length m and the
weight w of its words. Nothing here is fast; `khaleghi_ryabko` computes the same, and a test holds it to that.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


def distance(x: Sequence[np.ndarray[Any, Any]], y: Sequence[np.ndarray[Any, Any]], cells: Any) -> float:
    """The empirical distributional distance (NIPS 2012, Section 2; with cells and weights given).

    d(x, y) = sum over cells of w sum_B |nu(x, B) - nu(y, B)|, with nu(x, B) the share of the n - m + 1 words of
    length m of x that are B, and 0 where x is shorter than m.

    Args:
        x: one array of symbols for each resolution, each of shape (n,).
        y: the same for the other sample.
        cells: resolution, word length and weight of each cell.
    """
    return sum((weight * _of_cell(x[level], y[level], length) for level, length, weight in cells), 0.0)


def grids(length: int, min_distance: float) -> list[tuple[int, int]]:
    """The intervals of both grids, b_i^t = n alpha (i + 1 / (t + 1)) for t = 1, 2 and alpha = lambda / 3.

    Args:
        length: the number n of steps.
        min_distance: lambda, the smallest share of the stream between two changes.
    """
    step = min_distance / 3.0
    intervals = []
    for shift in (1, 2):
        points: list[int] = []
        while (at := length * step * (len(points) + 1.0 / (shift + 1))) <= length:
            points.append(int(at))
        intervals += [(first, second) for first, second in itertools.pairwise(points) if second > first]
    return intervals


def list_estimator(symbols: Sequence[np.ndarray[Any, Any]], cells: Any, min_distance: float) -> list[tuple[int, float]]:
    """The list estimator (NIPS 2012, Algorithm 1): places by falling score, more of them than there are changes.

    Args:
        symbols: one array of symbols for each resolution, each of shape (n,).
        cells: resolution, word length and weight of each cell.
        min_distance: lambda, the smallest share of the stream between two changes.

    Returns:
        Places with the scores of their intervals.
    """
    length = len(symbols[0])
    reach = int(length * min_distance / 3.0)
    found = []
    for first, second in grids(length, min_distance):
        middle = (first + second) // 2
        score = distance(_part(symbols, first, middle), _part(symbols, middle, second), cells)
        start, end = max(first - reach, 0), min(second + reach, length)
        place = max(
            range(first, second),
            # Of equal splits the first, as argmax takes it in `khaleghi_ryabko`.
            key=lambda t: (distance(_part(symbols, start, t), _part(symbols, t, end), cells), -t),
        )
        found.append((place, score))
    return thinned(found, min_distance * length / 2.0)


def thinned(found: list[tuple[int, float]], apart: float) -> list[tuple[int, float]]:
    """Places by falling score, without those within ``apart`` of one taken before.

    Args:
        found: places with their scores.
        apart: the smallest distance of two places, in steps.
    """
    kept: list[tuple[int, float]] = []
    for place, score in sorted(found, key=lambda row: (-row[1], row[0])):
        if place > 0 and all(abs(place - other) > apart for other, _ in kept):
            kept.append((place, score))
    return kept


def change_points(
    symbols: Sequence[np.ndarray[Any, Any]], cells: Any, min_distance: float, process_count: int
) -> list[int]:
    """Places between pieces of different processes, ``process_count`` of them being known (ICML 2014, Algorithm 1).

    Args:
        symbols: one array of symbols for each resolution, each of shape (n,).
        cells: resolution, word length and weight of each cell.
        min_distance: lambda, the smallest share of the stream between two changes.
        process_count: the number of distinct processes.
    """
    places = sorted(place for place, _ in list_estimator(symbols, cells, min_distance))
    edges = [0, *places, len(symbols[0])]
    pieces = [_part(symbols, first, second) for first, second in itertools.pairwise(edges)]
    groups = farthest_point(pieces, cells, process_count)
    return [place for place, before, after in zip(places, groups, groups[1:], strict=False) if before != after]


def farthest_point(pieces: list[Any], cells: Any, count: int) -> list[int]:
    """Groups by farthest-point clustering from the first piece (Ryabko 2010; ICML 2014, Algorithm 1, step 3).

    Args:
        pieces: each as one array of symbols for each resolution.
        cells: resolution, word length and weight of each cell.
        count: the number of groups.
    """
    centres = [0]
    while len(centres) < min(count, len(pieces)):
        nearest = [min(distance(piece, pieces[centre], cells) for centre in centres) for piece in pieces]
        centres.append(max(range(len(pieces)), key=lambda piece: (nearest[piece], -piece)))
    return [
        min(range(len(centres)), key=lambda group: (distance(piece, pieces[centres[group]], cells), group))
        for piece in pieces
    ]


def _of_cell(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], length: int) -> float:
    """sum_B |nu(x, B) - nu(y, B)|, with one division so that equal sums are equal floats."""
    first, second = _words(x, length), _words(y, length)
    many, others = first.total(), second.total()
    if not many or not others:
        return float(bool(many) != bool(others))
    return sum(abs(first[word] * others - second[word] * many) for word in first | second) / (many * others)


def _words(symbols: np.ndarray[Any, Any], length: int) -> Counter[tuple[int, ...]]:
    listed = symbols.tolist()
    return Counter(tuple(listed[start : start + length]) for start in range(len(listed) - length + 1))


def _part(symbols: Sequence[np.ndarray[Any, Any]], start: int, end: int) -> list[np.ndarray[Any, Any]]:
    return [level[start:end] for level in symbols]
