"""Change points of a stream: the refined statistic from end to end.

Pieces are grouped by process where the number of processes is given: the two closest groups are joined until as many
are left. In place of the farthest-point clustering of the papers (see `reference`), which compares single pieces: a
joined group pools the words of its pieces, so every later comparison rests on more of them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.conversion import is_whole
from shoal.changes.mixing import NO_DEPENDENCE
from shoal.changes.models import answer_of_model, check_model
from shoal.changes.quantization import known_channels
from shoal.changes.result import Change, Changes
from shoal.changes.search import prepare_search
from shoal.changes.selection import p_value_of_change, select_by_score, select_by_tests, weakest_change
from shoal.changes.single_change import normal_scores
from shoal.changes.summaries import piece_summaries, top_changed_features
from shoal.changes.validation import as_stream, check_settings
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.changes.likelihood import Located
    from shoal.changes.models import Answer, Model
    from shoal.changes.ngrams import NgramTable
    from shoal.changes.search import Search
    from shoal.changes.stream import Stream
    from shoal.changes.validation import Kind

Array = np.ndarray[Any, Any]


def group_pieces(cells: list[NgramTable], edges: list[int], count: int) -> list[int]:
    """Groups of the pieces between ``edges``, at most ``count``, numbered as they first appear.

    Args:
        cells: the words that groups are compared by.
        edges: the first step of each piece, and the end.
        count: the greatest number of groups.
    """
    tables = [_count_tables(cell, edges) for cell in cells]
    members = [[piece] for piece in range(len(edges) - 1)]
    while len(members) > max(count, 1):
        pairs = [(first, second) for second in range(len(members)) for first in range(second)]
        first, second = min(pairs, key=lambda pair: _group_distance(tables, pair))
        members[first] += members.pop(second)
        tables = [_joined_table(table, first, second) for table in tables]
    label = {piece: number for number, pieces in enumerate(sorted(members, key=min)) for piece in pieces}
    return [label[piece] for piece in range(len(edges) - 1)]


def _count_tables(cell: NgramTable, edges: list[int]) -> Array:
    return np.array([np.bincount(cell.counted(a, b), minlength=cell.size) for a, b in itertools.pairwise(edges)])


def _joined_table(table: Array, first: int, second: int) -> Array:
    table = table.copy()
    table[first] += table[second]
    return np.delete(table, second, axis=0)


def _group_distance(tables: list[Array], pair: tuple[int, int]) -> float:
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


AFTER_MODEL = 0.75
"""The share of alpha that tests have where a model of levels or slopes was fitted before them and found nothing."""
ALPHA = 0.05
"""The level that p-values are exact enough for where no test is made."""


def change_points(
    x: Any,
    min_distance: float = 0.05,
    process_count: int | None = None,
    *,
    alpha: float = 0.05,
    confidence: float = 0.95,
    kind: Kind | None = None,
    model: Model | None = None,
    seed: int = 0,
) -> Changes:
    """Find where the law of a stream changes.

    Args:
        x: numbers, an (n, d) table of them, symbols, or a pandas Series; see `shoal.changes.as_stream`.
        min_distance: the smallest share of the stream between two changes, in (0, 1).
        process_count: how many distinct processes the pieces come from; None to choose changes by their p-value.
        alpha: the level of the tests: how often a change may be found in a stream without one; at most 0.5.
        confidence: the confidence of the sets of places, from 0.5.
        kind: "numbers" or "symbols", where the type of ``x`` leaves it open.
        model: "law" for any change, by tests; "levels" or "slopes" for changes of the level or the slope of numbers
            alone, under noise with memory. None takes a model where the memory is longer than the shortest piece, and
            the tests elsewhere.
        seed: the seed of the permutations.

    Raises:
        UsageError: a setting is outside its range, or the model does not fit the stream.
        DataError: ``x`` cannot be read as a stream.
    """
    check_settings(
        min_distance=min_distance, process_count=process_count, alpha=alpha, confidence=confidence, seed=seed
    )
    stream = as_stream(x, kind=kind)
    check_model(model, stream, process_count)
    search = _ready(stream, min_distance, alpha, confidence, seed, tested=process_count is None)
    if process_count is None and (answer := answer_of_model(stream, search, model)):
        if answer.settled:
            return _with_pieces(_of_model(search, answer, min_distance), stream, alpha)
        search = search._replace(alpha=AFTER_MODEL * search.alpha)
    if process_count is None:
        places = select_by_tests(search)
        groups = list(range(len(places) + 1))
    else:
        places = [] if process_count == 1 else select_by_score(search, process_count - 1)
        places, groups = _between_groups(search, places, process_count)
    return _with_pieces(_result(search, places, groups, min_distance, process_count), stream, alpha)


def single_change_point(
    x: Any, min_distance: float = 0.05, *, confidence: float = 0.95, kind: Kind | None = None, seed: int = 0
) -> Changes:
    """The one change that a stream is known to have: `known_number` with one.

    Args:
        x: the stream, as in `change_points`.
        min_distance: the smallest share of the stream on either side of the change, in (0, 1).
        confidence: the confidence of the set of places, from 0.5.
        kind: "numbers" or "symbols", where the type of ``x`` leaves it open.
        seed: the seed of the permutations.
    """
    return known_number(x, 1, min_distance, confidence=confidence, kind=kind, seed=seed)


def known_number(
    x: Any, count: int, min_distance: float = 0.05, *, confidence: float = 0.95, kind: Kind | None = None, seed: int = 0
) -> Changes:
    """The changes of a stream that is known to have ``count`` of them (Khaleghi and Ryabko 2016, TCS 620).

    More places are found first; then the least clear change goes until ``count`` are left.

    Args:
        x: the stream, as in `change_points`.
        count: the number of changes, at least 1; fewer are returned where the stream has no room for all.
        min_distance: the smallest share of the stream between two changes, in (0, 1).
        confidence: the confidence of the sets of places, from 0.5.
        kind: "numbers" or "symbols", where the type of ``x`` leaves it open.
        seed: the seed of the permutations.

    Raises:
        UsageError: a setting is outside its range.
        DataError: ``x`` cannot be read as a stream.
    """
    check_settings(min_distance=min_distance, confidence=confidence, seed=seed)
    if not is_whole(count) or count < 1:
        raise UsageError(f"count is the number of changes, a whole number from 1; got {count!r}")
    stream = as_stream(x, kind=kind)
    search = _ready(stream, min_distance, ALPHA, confidence, seed, tested=False)
    places = select_by_score(search, count)
    while len(places) > count:
        places.remove(weakest_change(search, places))
    return _with_pieces(_result(search, places, list(range(len(places) + 1)), min_distance, None), stream, ALPHA)


def _with_pieces(found: Changes, stream: Stream, alpha: float) -> Changes:
    """What was found, with its pieces and the level that was given: tests had shares of it."""
    return replace(found, pieces=piece_summaries(stream, found.places, found.processes), alpha=alpha, stream=stream)


def _ready(stream: Stream, min_distance: float, alpha: float, confidence: float, seed: int, *, tested: bool) -> Search:
    """The stream made ready for the search, with the changes of where it is missing."""
    margin = max(1, round(min_distance * stream.length))
    channels = known_channels(stream)
    search = prepare_search(channels, stream.length, margin=margin, alpha=alpha, confidence=confidence, seed=seed)
    if not tested:  # a memory under noise matters to the size of tests alone
        apparent = search.memory.apparent
        steps, short = (min(found, apparent) for found in (search.memory.steps, search.memory.short))
        period = search.memory.period
        memory = NO_DEPENDENCE._replace(apparent=apparent, steps=steps, short=short, period=period)
        search = search._replace(memory=memory)
    if all(channel.missing is None for channel in channels):
        return search
    from shoal.changes.missing import with_missing  # most streams have none

    return with_missing(search, stream, tested=tested)


def _of_model(search: Search, answer: Answer, min_distance: float) -> Changes:
    """Changes of level or slope, each with the words that moved most between its neighbours."""
    edges = [0, *(change.place for change in answer.changes), search.length]
    changes = [
        Change(
            place=change.place,
            low=change.low,
            high=change.high,
            p_value=change.p_value,
            score=change.score,
            features=top_changed_features(search.channels, search.shown, (start, change.place, end)),
        )
        for change, start, end in zip(answer.changes, edges, edges[2:], strict=False)
    ]
    return Changes(
        length=search.length,
        changes=tuple(changes),
        processes=tuple(range(len(changes) + 1)),
        min_distance=min_distance,
        process_count=None,
        alpha=search.alpha,
        confidence=search.confidence,
        model=answer.model,
    )


def _between_groups(search: Search, places: list[int], count: int) -> tuple[list[int], list[int]]:
    """The places whose two neighbours are of different groups, and the groups of the pieces left."""
    groups = group_pieces(search.shown, [0, *places, search.length], count)
    kept = [place for place, before, after in zip(places, groups, groups[1:], strict=False) if before != after]
    left = [groups[0]] + [after for before, after in itertools.pairwise(groups) if before != after]
    return kept, left


def _result(
    search: Search, places: list[int], groups: list[int], min_distance: float, process_count: int | None
) -> Changes:
    located = _refined(search, places, groups)
    edges = [0, *(found.place for found in located), search.length]
    changes = []
    for number, found in enumerate(located, start=1):
        start, end = edges[number - 1], edges[number + 1]
        stretch = search.tested(start, end)
        changes.append(
            Change(
                place=found.place,
                low=found.low,
                high=found.high,
                p_value=search.given.get(places[number - 1]) or p_value_of_change(search, edges, number, search.alpha),
                score=stretch.split.score if stretch.split else 0.0,
                features=top_changed_features(search.channels, search.shown, (start, found.place, end)),
            )
        )
    return Changes(
        length=search.length,
        changes=tuple(changes),
        processes=tuple(groups),
        min_distance=min_distance,
        process_count=process_count,
        alpha=search.alpha,
        confidence=search.confidence,
    )


def _refined(search: Search, places: list[int], groups: list[int]) -> list[Located]:
    """Each place once more, with the laws of all pieces of its neighbours' processes."""
    edges = [0, *places, search.length]
    located = []
    for number in range(1, len(edges) - 1):
        pieces = [(edges[i], edges[i + 1], groups[i]) for i in range(len(groups)) if i not in (number - 1, number)]
        others = tuple([(a, b) for a, b, of in pieces if of == groups[side]] for side in (number - 1, number))
        window = edges[number - 1], edges[number + 1]
        found = search.located(window, edges[number], others=others)
        # The next window starts at the better place.
        edges[number] = found.place
        located.append(found)
    return located
