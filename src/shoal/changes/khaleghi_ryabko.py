"""The algorithms of Khaleghi and Ryabko on rank cells, fast: the distance between samples, and the list estimator.

Resolution l and word length m have the weight 1 / (l (l + 1) m (m + 1)). On the same cells and weights the places and
distances are those of `shoal.changes.reference`, where the papers are named.

The distances between the two sides of every split of a window come from one pass over its words. For a word length m
and a split after b steps, L = b - m + 1 words lie before it and R = W - b after it, W of them in all; words across the
split belong to neither. With c and d the counts of a word on both sides,

    sum_w |c_w / L - d_w / R| = 2 / (L R) sum over words with c R > d L of (c R - d L),

since the signed terms sum to zero. Between two events of a word (one of its places enters the left, or leaves the
right) c and d stand still while c R - d L falls in a straight line, so that its positive part is a constant and a slope
over one range of splits. All ranges go into two difference arrays: O(W) and a sort for all splits, in whole numbers
below 2^53, hence exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.ngrams import ngram_tables
from shoal.changes.quantization import channels_of
from shoal.changes.reference import grids, thinned
from shoal.changes.result import Change, Changes
from shoal.changes.stream import Stream, appended
from shoal.changes.summaries import piece_summaries, top_changed_features
from shoal.changes.validation import as_stream, check_settings
from shoal.errors import DataError

if TYPE_CHECKING:
    from shoal.changes.ngrams import NgramTable
    from shoal.changes.validation import Kind

Array = np.ndarray[Any, Any]


def distance(x: Any, y: Any, *, kind: Kind | None = None) -> float:
    """The empirical distributional distance between two samples, in cells of their common ranks.

    d(x, y) = sum_m sum_l w_m w_l sum_B |nu(x, B) - nu(y, B)| (NIPS 2012, Section 2), between 0 and 2. It tends to the
    distance of the two laws for all stationary ergodic processes; how fast, cannot be known without assumptions.

    Args:
        x: one sample, as in `change_points`.
        y: the other; both have the same number of coordinates.
        kind: "numbers" or "symbols", where the types leave it open.

    Raises:
        DataError: a sample cannot be read as a stream, or they differ in kind or number of coordinates.
    """
    first, second = as_stream(x, kind=kind), as_stream(y, kind=kind)
    both = _joined(first, second)
    cells = ngram_tables(channels_of(both), both.length)
    weights = weights_of(cells)
    cut = first.length
    return float(sum(w * _between(cell, (0, cut), (cut, both.length)) for cell, w in zip(cells, weights, strict=True)))


def list_estimator(x: Any, min_distance: float = 0.05, *, kind: Kind | None = None) -> Changes:
    """A list of places, the highest score first, whose head converges to the changes (NIPS 2012, Algorithm 1).

    The list has at least as many places as there are changes, each less than o(n) from one of its first places, for
    every piecewise stationary ergodic stream; how many of them are changes is left open. `change_points` decides it,
    by the number of processes or by a test.

    Args:
        x: the stream, as in `change_points`.
        min_distance: lambda, at most the smallest share of the stream between two changes.
        kind: "numbers" or "symbols", where the type of ``x`` leaves it open.

    Returns:
        Changes by falling score. Their confidence sets are the intervals of the grid; no test is made, so that
        p-values are NaN and every piece is a group of its own.

    Raises:
        UsageError: ``min_distance`` is outside (0, 1).
        DataError: ``x`` cannot be read as a stream.
    """
    check_settings(min_distance=min_distance)
    stream = as_stream(x, kind=kind)
    channels = channels_of(stream)
    cells = ngram_tables(channels, stream.length)
    # Of equal places the last stays in the dictionary, which is the one with the highest score.
    found = {place: (score, interval) for place, score, interval in _candidates(cells, stream.length, min_distance)}
    ranked = thinned([(place, score) for place, (score, _) in found.items()], min_distance * stream.length / 2.0)
    edges = sorted([0, *(place for place, _ in ranked), stream.length])
    changes = []
    for place, score in ranked:
        at = edges.index(place)
        low, high = found[place][1]
        features = top_changed_features(channels, cells, (edges[at - 1], place, edges[at + 1]))
        changes.append(
            Change(place=place, low=low, high=high - 1, p_value=float("nan"), score=score, features=features)
        )
    processes = tuple(range(len(ranked) + 1))
    return Changes(
        length=stream.length,
        changes=tuple(changes),
        processes=processes,
        min_distance=min_distance,
        process_count=None,
        # The defaults of a search stand here, since no test is made that would have a level.
        alpha=0.05,
        confidence=0.95,
        pieces=piece_summaries(stream, [place for place, _ in ranked], processes),
        stream=stream,
    )


def weights_of(cells: list[NgramTable]) -> list[float]:
    """The weight 1 / (l (l + 1) m (m + 1)) of each cell; m of a joint word is its number of channels."""
    found = []
    for cell in cells:
        length = cell.length * len(cell.channels)
        found.append(1.0 / (cell.digits * (cell.digits + 1) * length * (length + 1)))
    return found


def profile_of(cells: list[NgramTable], weights: list[float], start: int, end: int) -> Array:
    """The distance between both sides of every split of a window, of shape (end - start + 1,).

    Args:
        cells: those of the stream.
        weights: of the cells, from `weights_of`.
        start: the first step of the window.
        end: the step after its last.
    """
    total = np.zeros(end - start + 1)
    for cell, weight in zip(cells, weights, strict=True):
        words = cell.words[start : max(end - cell.length + 1, start)]
        total += weight * split_distances(words, cell.length, end - start)
    return total


def split_distances(words: Array, length: int, steps: int) -> Array:
    """sum_w |nu_left - nu_right| for every split of a window.

    Args:
        words: the word that starts at each step where a whole one does, of shape (steps - length + 1,).
        length: the length m of the words.
        steps: the length of the window.

    Returns:
        Of shape (steps + 1,): at b, the distance between the first b steps and the rest.
    """
    count = len(words)
    before = np.maximum(np.arange(steps + 1) - length + 1, 0)
    after = np.maximum(count - np.arange(steps + 1), 0)
    # Without a whole word on one side its shares are all 0, those of the other side add up to 1, and so does the sum.
    one_empty: Array = ((before > 0) != (after > 0)).astype(np.float64)
    if count == 0:
        return one_empty
    sums = _positive_parts(words, length, steps)
    pairs = before * after
    return np.asarray(np.where(pairs > 0, 2.0 * sums / np.maximum(pairs, 1), one_empty))


def _candidates(cells: list[NgramTable], length: int, min_distance: float) -> list[tuple[int, float, tuple[int, int]]]:
    """The place, score and interval of every interval of both grids; of equal places the highest score comes last."""
    reach = int(length * min_distance / 3.0)
    weights = weights_of(cells)
    found = []
    for first, second in grids(length, min_distance):
        middle = (first + second) // 2
        score = sum(
            w * _between(cell, (first, middle), (middle, second)) for cell, w in zip(cells, weights, strict=True)
        )
        start, end = max(first - reach, 0), min(second + reach, length)
        profile = profile_of(cells, weights, start, end)[first - start : second - start]
        found.append((first + int(profile.argmax()), float(score), (first, second)))
    return sorted(found, key=lambda row: row[1])


def _between(cell: NgramTable, first: tuple[int, int], second: tuple[int, int]) -> float:
    """sum_B |nu - nu'| of one cell between two pieces."""
    one, other = (
        np.bincount(cell.words[start : max(end - cell.length + 1, start)], minlength=cell.size)
        for start, end in (first, second)
    )
    many, others = int(one.sum()), int(other.sum())
    if not many or not others:
        return float(bool(many) != bool(others))
    # One division of whole numbers, so that equal sums are equal floats and ties are ties.
    return float(np.abs(one * others - other * many).sum() / (many * others))


def _joined(first: Stream, second: Stream) -> Stream:
    """Both samples as one stream, so that ranks and symbols are common."""
    if first.values is not None and second.values is not None and first.values.shape[1] == second.values.shape[1]:
        return appended(first, second)
    if first.symbols is None or second.symbols is None:
        raise DataError("the two samples must both be numbers with as many coordinates, or both be symbols")
    known = {symbol: code for code, symbol in enumerate(first.alphabet)}
    moved = np.array([known.setdefault(symbol, len(known)) for symbol in second.alphabet], dtype=np.int64)
    return Stream(symbols=np.concatenate((first.symbols, moved[second.symbols])), alphabet=tuple(known))


def _positive_parts(words: Array, length: int, steps: int) -> Array:
    """The sum over words of the positive part of c R - d L, for every split."""
    count = len(words)
    order = np.argsort(words, kind="stable")
    total = np.bincount(words)
    # Two events a place s: it leaves the right at b = s + 1 and enters the left at b = s + m.
    word = np.concatenate((words[order], words[order])).astype(np.int64)
    time = np.concatenate((order + 1, order + length))
    enters = np.repeat(np.array([0, 1]), count)
    # Times are at most ``steps``, so one key sorts by word and then by time.
    sorted_by = np.argsort(word * (steps + length + 1) + time, kind="stable")
    word, time, enters = word[sorted_by], time[sorted_by], enters[sorted_by]
    group = np.concatenate(([0], 2 * np.cumsum(total)))[word]
    entered = np.concatenate(([0], np.cumsum(enters)))
    left = entered[1:] - entered[group]
    right = total[word] - (np.arange(len(word)) + 1 - group - left)
    constant, slope = left * count + right * (length - 1), left + right
    until = np.where(np.append(word[1:], -1) == word, np.append(time[1:], 0), steps + 1)
    # The first split at which the line is no longer positive.
    turns = -(-constant // np.maximum(slope, 1))
    until = np.minimum(np.minimum(until, turns), steps + 1)
    held = (until > time) & (slope > 0)
    return _spread(time[held], until[held], constant[held], steps) - np.arange(steps + 1) * _spread(
        time[held], until[held], slope[held], steps
    )


def _spread(start: Array, end: Array, amount: Array, steps: int) -> Array:
    """At each step, the sum of the amounts whose range ``[start, end)`` holds it."""
    # bincount adds its weights up as float64, which is exact here: all sums are whole numbers below 2^53.
    size = steps + 2
    starts = np.bincount(start, weights=amount, minlength=size)
    ends = np.bincount(end, weights=amount, minlength=size)
    return np.cumsum(starts - ends)[: steps + 1]
