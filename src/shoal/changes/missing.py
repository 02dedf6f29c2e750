"""Where a stream is missing: whether that changes, tested apart from what its values do.

Values that are missing have no law, so the tests of values leave those steps out. That a stream is missing more often
than before is a change of its own, with a memory of its own: a few long gaps are as few draws, however many steps they
take. It is tested on the steps at which a coordinate is missing, in blocks as long as *its* memory.

Two kinds of gap are settled by their length. What is missing before the first value or after the last is no change, as
differences and running means leave it, unless the stream ends in an outage. An outage, a gap of more than a seventh of
the stream and of at least the smallest distance between changes, is a piece: no number of gaps could show it to be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.likelihood import digits_of
from shoal.changes.ngrams import ngram_tables
from shoal.changes.quantization import missing_channels
from shoal.changes.search import prepare_search
from shoal.changes.selection import p_value_of_change, select_by_tests

if TYPE_CHECKING:
    from shoal.changes.search import Search
    from shoal.changes.stream import Stream

Array = np.ndarray[Any, Any]

OUTAGE = 0.15
"""A gap of more than this share of the stream is an outage."""
FEWEST = 8
"""Steps of an outage at least: in a stream of a few steps one missing value is a large share."""
SHARE = 0.1
"""The share of alpha that the test of missing steps has, where there are any between the first value and the last."""
CERTAIN = 1e-12
"""The p-value of an outage; smaller ones are reported nowhere."""


def with_missing(search: Search, stream: Stream, *, tested: bool) -> Search:
    """The search with the changes of where the stream is missing.

    Args:
        search: the stream made ready, by what is known of it.
        stream: the stream.
        tested: whether changes are chosen by tests; otherwise a change of where it is missing is looked for together
            with the others, once the test here has shown that there is one.
    """
    assert stream.values is not None
    missing = np.isnan(stream.values)
    min_size = max(search.margin, int(OUTAGE * stream.length) + 1, FEWEST)
    at_ends, outages = _long_gaps(missing, min_size)
    if not (missing & ~at_ends).any():
        return search
    # Without levels: a few long gaps would be taken for changes of level, where they should count as few draws.
    asked = prepare_search(
        missing_channels(missing, stream, at_ends | outages),
        stream.length,
        margin=search.margin,
        alpha=SHARE * search.alpha,
        confidence=search.confidence,
        seed=search.shuffler.seed,
        levels=False,
    )
    asked = asked._replace(given=_ends(outages, search.margin))
    places = select_by_tests(asked)
    if not places:
        return search._replace(alpha=(1.0 - SHARE) * search.alpha)
    channels = [*search.channels, *missing_channels(missing, stream, at_ends)]
    cells = ngram_tables(channels, search.length)
    edges = [0, *places, search.length]
    # Divided by the share of this test, so that they can be held against the level of the whole search.
    p_values = [p_value_of_change(asked, edges, number, asked.alpha) / SHARE for number in range(1, len(edges) - 1)]
    return search._replace(
        alpha=(1.0 - SHARE) * search.alpha,
        channels=channels,
        cells=search.cells if tested else cells,
        shown=cells,
        digits=digits_of(channels, search.length),
        given=dict(zip(places, [min(p_value, 1.0) for p_value in p_values], strict=True)),
        # Stretches that were cut before count the words of the former cells.
        whole={},
    )


def _long_gaps(missing: Array, min_size: int) -> tuple[Array, Array]:
    """The missing steps at the ends of each coordinate, and those of its outages, each at least ``min_size`` steps."""
    at_ends, outages = np.zeros_like(missing), np.zeros_like(missing)
    for place, column in enumerate(missing.T):
        turns = np.flatnonzero(np.diff(column, prepend=False, append=False)).reshape(-1, 2)
        for start, end in turns.tolist():
            if start == 0 or (end == len(column) and end - start < min_size):
                at_ends[start:end, place] = True
            elif end - start >= min_size:
                outages[start:end, place] = True
    return at_ends, outages


def _ends(outages: Array, margin: int) -> dict[int, float]:
    """Where outages begin and end, of those nearer to each other than the smallest distance the first."""
    turns = np.flatnonzero((outages[1:] != outages[:-1]).any(axis=1)) + 1
    places: list[int] = []
    for place in turns.tolist():
        if not places or place - places[-1] >= margin:
            places.append(place)
    return dict.fromkeys(places, CERTAIN * SHARE)


def known_part(values: Array) -> tuple[int, int]:
    """The first step at which anything is known, and the step after the last."""
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    return int(known[0]), int(known[-1]) + 1
