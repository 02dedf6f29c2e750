"""Documents made of pieces of known class, and how well cuts match the places where the pieces meet."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.segmentation import pk, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.segmentation import Channel


@dataclass(frozen=True)
class Document:
    """Sentences, and the places where a new piece begins."""

    sentences: tuple[str, ...]
    boundaries: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """Means over documents."""

    documents: int
    pk: float
    equal_pk: float
    """Of as many cuts of equal length."""
    equal_true_pk: float
    """Of the true number of cuts of equal length."""
    cuts: float
    cpu_seconds: float


def document(pieces: Sequence[Sequence[str]]) -> Document:
    """The pieces one after another."""
    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    return Document(tuple(sentence for piece in pieces for sentence in piece), tuple(ends[:-1]))


def stretch(sentences: Sequence[str], low: int, high: int, rng: random.Random) -> Sequence[str]:
    """From low to high sentences in a row, from anywhere."""
    length = min(len(sentences), rng.randint(low, high))
    start = rng.randint(0, len(sentences) - length)
    return sentences[start : start + length]


def measure(documents: Sequence[Document], cut: Callable[[Sequence[str]], Sequence[int]]) -> Result:
    """Cut every document and compare."""
    started = time.process_time()
    rows = []
    for given in documents:
        found = list(cut(given.sentences))
        size = len(given.sentences)
        equal, equal_true = even(size, len(found)), even(size, len(given.boundaries))
        true = lengths(given.boundaries, size)
        rows.append((*(pk(true, lengths(places, size)) for places in (found, equal, equal_true)), len(found)))
    means = np.mean(rows, axis=0)
    return Result(len(documents), *(round(float(mean), 4) for mean in means), round(time.process_time() - started, 1))


def even(size: int, count: int) -> list[int]:
    """Cuts of equal length."""
    return [round(size * part / (count + 1)) for part in range(1, count + 1)]


def lengths(places: Sequence[int], size: int) -> list[int]:
    """The lengths of the segments between places."""
    return np.diff([0, *places, size]).tolist()


def cutter(channel: Channel) -> Callable[[Sequence[str]], list[int]]:
    """Cuts by a channel, their number chosen by the text."""
    return lambda sentences: [cut.place for cut in segment(sentences, channel=channel).cuts]
