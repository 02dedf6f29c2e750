"""Long texts, read in overlapping stretches.

A segment's evidence needs all pairs of a text's places, which is too much for a book. A book is therefore read in
stretches of six hundred sentences that begin two hundred apart, and of each stretch the middle counts, where a boundary
has at least two hundred sentences on both sides to be judged by. Time: linear in the text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation.reading import Reading, read_whole
from shoal.segmentation.result import Cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.segmentation.features import Features

WHOLE = 800
"""Texts of up to so many sentences are read as a whole."""

_STEP = 200
_STRETCH = 3 * _STEP


def read_stretches(features: Features, min_length: int) -> Reading:
    """Cut a long text, the number of segments chosen in each stretch; the penalty is the median over them."""
    cuts: list[Cut] = []
    boundaries_N = np.zeros(len(features) + 1)
    penalties = []
    for start, stop, first, last in _stretches(len(features)):
        part = read_whole(features.rows(start, stop), min_length)
        boundaries_N[first:last] = part.boundaries_N[first - start : last - start]
        penalties.append(part.penalty)
        for cut in part.cuts:
            place, before = cut.place + start, cuts[-1].place if cuts else 0
            if first <= place < last and place - before >= min_length:
                cuts.append(replace(cut, place=place, low=cut.low + start, high=cut.high + start))
    return Reading(cuts=tuple(cuts), boundaries_N=boundaries_N, penalty=float(np.median(penalties)))


def count_cuts(reading: Reading, count: int, min_length: int) -> tuple[Cut, ...]:
    """As many cuts as a given number of segments asks for: those that gain most, then the likeliest other places."""
    kept = sorted(reading.cuts, key=lambda cut: -cut.gain)[: count - 1]
    taken = np.array([0, len(reading.boundaries_N) - 1, *(cut.place for cut in kept)])
    for place in np.argsort(-reading.boundaries_N, kind="stable"):
        if len(kept) == count - 1:
            break
        if np.abs(taken - place).min() >= min_length:
            confidence = float(reading.boundaries_N[place])
            kept.append(
                Cut(place=int(place), confidence=confidence, low=int(place), high=int(place), near=confidence, gain=0.0)
            )
            taken = np.append(taken, place)
    return tuple(sorted(kept, key=lambda cut: cut.place))


def _stretches(size: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and stop of each stretch, and from where to where its boundaries count."""
    starts = range(0, size - _STRETCH + _STEP, _STEP)
    for start in starts:
        stop = min(size, start + _STRETCH)
        yield start, stop, start + _STEP if start else 1, size if start == starts[-1] else start + 2 * _STEP
