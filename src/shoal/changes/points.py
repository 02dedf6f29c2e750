"""Change points of a stream: the refined statistic from end to end."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shoal.changes.channels import known_channels
from shoal.changes.clear import clear_places, least_clear
from shoal.changes.dependence import NONE
from shoal.changes.groups import group
from shoal.changes.input import as_stream
from shoal.changes.models import answer_of_model, check_model
from shoal.changes.moved import moved_most
from shoal.changes.result import Change, Changes
from shoal.changes.search import prepare
from shoal.changes.settings import check_settings
from shoal.changes.summaries import piece_summaries
from shoal.changes.testing import p_value_of_change, tested_places

if TYPE_CHECKING:
    from shoal.changes.input import Kind, Stream
    from shoal.changes.locate import Located
    from shoal.changes.models import Answer, Model
    from shoal.changes.search import Search

AFTER_MODEL = 0.75
"""The share of alpha that tests have where a model of levels or slopes was asked before them and found nothing."""
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
        x: Numbers, an (n, d) table of them, symbols, or a pandas Series; see `shoal.changes.input.as_stream`.
        min_distance: The least share of the stream between two changes, in (0, 1).
        process_count: How many distinct processes the pieces come from; None to choose changes by their p-value.
        alpha: The level of the tests: how often a stream without a change may be said to have one; at most 0.5.
        confidence: The confidence of the sets of places, from 0.5.
        kind: "numbers" or "symbols", where the type of ``x`` does not say.
        model: "law" for any change, by tests; "levels" or "slopes" for changes of the level or the slope of numbers
            alone, under noise with memory. None takes a model where the memory is longer than the least piece, and the
            tests elsewhere.
        seed: The seed of the permutations.

    Raises:
        UsageError: A setting is outside its range, or the model does not fit the stream.
        DataError: ``x`` is no stream.
    """
    check_settings(min_distance=min_distance, process_count=process_count, alpha=alpha, confidence=confidence)
    stream = as_stream(x, kind=kind)
    check_model(model, stream, process_count)
    search = _ready(stream, min_distance, alpha, confidence, seed, tested=process_count is None)
    if process_count is None and (answer := answer_of_model(stream, search, model)):
        if answer.settled:
            return _with_pieces(_of_model(search, answer, min_distance), stream, alpha)
        search = search._replace(alpha=AFTER_MODEL * search.alpha)
    if process_count is None:
        places = tested_places(search)
        groups = list(range(len(places) + 1))
    else:
        places = [] if process_count == 1 else clear_places(search, process_count - 1)
        places, groups = _between_groups(search, places, process_count)
    return _with_pieces(_result(search, places, groups, min_distance, process_count), stream, alpha)


def single_change_point(
    x: Any, min_distance: float = 0.05, *, confidence: float = 0.95, kind: Kind | None = None, seed: int = 0
) -> Changes:
    """The one change that a stream is known to have: `known_number` with one."""
    return known_number(x, 1, min_distance, confidence=confidence, kind=kind, seed=seed)


def known_number(
    x: Any, count: int, min_distance: float = 0.05, *, confidence: float = 0.95, kind: Kind | None = None, seed: int = 0
) -> Changes:
    """The changes of a stream that is known to have ``count`` of them (Khaleghi and Ryabko 2016, TCS 620).

    More places are found first; then the least clear change goes until ``count`` are left.

    Args:
        x: The stream, as in `change_points`.
        count: The number of changes, at least 1; fewer are returned where the stream has no room for so many.
        min_distance: The least share of the stream between two changes, in (0, 1).
        confidence: The confidence of the sets of places, from 0.5.
        kind: "numbers" or "symbols", where the type of ``x`` does not say.
        seed: The seed of the permutations.

    Raises:
        UsageError: A setting is outside its range.
        DataError: ``x`` is no stream.
    """
    check_settings(min_distance=min_distance, process_count=count, confidence=confidence)
    stream = as_stream(x, kind=kind)
    search = _ready(stream, min_distance, ALPHA, confidence, seed, tested=False)
    places = clear_places(search, count)
    while len(places) > count:
        places.remove(least_clear(search, places))
    return _with_pieces(_result(search, places, list(range(len(places) + 1)), min_distance, None), stream, ALPHA)


def _with_pieces(found: Changes, stream: Stream, alpha: float) -> Changes:
    """What was found, with its pieces and the level that was asked for: tests had shares of it."""
    return replace(found, pieces=piece_summaries(stream, found.places, found.processes), alpha=alpha)


def _ready(stream: Stream, min_distance: float, alpha: float, confidence: float, seed: int, *, tested: bool) -> Search:
    """The stream made ready for the search, with what is said by where it is missing."""
    margin = max(1, round(min_distance * stream.length))
    channels = known_channels(stream)
    search = prepare(channels, stream.length, margin=margin, alpha=alpha, confidence=confidence, seed=seed)
    if not tested:  # a memory under noise matters to the size of tests alone
        apparent = search.memory.apparent
        steps, short = (min(found, apparent) for found in (search.memory.steps, search.memory.short))
        search = search._replace(memory=NONE._replace(apparent=apparent, steps=steps, short=short))
    if all(channel.missing is None for channel in channels):
        return search
    from shoal.changes.gaps import with_missing  # most streams have none

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
            features=moved_most(search.channels, search.shown, (start, change.place, end)),
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
    groups = group(search.shown, [0, *places, search.length], count)
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
                features=moved_most(search.channels, search.shown, (start, found.place, end)),
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
        edges[number] = found.place
        located.append(found)
    return located
