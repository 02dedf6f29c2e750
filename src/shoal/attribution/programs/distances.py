"""Distances between sequences of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein, Postfix, Prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.programs.expressions import Column

DISTANCES = ("edit distance", "common beginning", "common end", "shared words", "numbers")
"""Between the words of two prompts: the least number of words inserted, deleted or replaced, the words that they begin
or end with alike, the share of words that only one of them has (Jaccard), and the sum of the differences of their
numbers, place by place."""

_SCORERS: dict[str, Any] = {
    "edit distance": Levenshtein.distance,
    "common beginning": Prefix.similarity,
    "common end": Postfix.similarity,
}
_FIRST_CODE = 0x100
"""Words become characters from here on, below the surrogates: the scorers compare characters faster than words."""


def word_distances(distance: str, own: Column, other: Column) -> NDArray[np.float64]:
    """The distance of each sequence to each other one; NaN where one is undefined.

    Args:
        distance: one of `DISTANCES`.
        own: words of n prompts.
        other: words of m prompts; the result is n x m.
    """
    if distance == "numbers":
        return _number_distances(list(own), list(other))
    codes: dict[str, int] = {}
    texts = [[_coded(row, codes) for row in rows] for rows in (list(own), list(other))]
    if distance == "shared words":
        result = _jaccard(*texts)
    else:
        result = process.cdist(*texts, scorer=_SCORERS[distance]).astype(float)
        # The two others are similarities: the larger, the nearer.
        result = result if distance == "edit distance" else -result
    for axis, rows in enumerate(texts):
        gone = np.array([not row for row in rows])
        result[(gone, slice(None)) if axis == 0 else (slice(None), gone)] = np.nan
    return result


def _coded(words: object, codes: dict[str, int]) -> str:
    """Words as a text of one character each; nothing for undefined ones."""
    if not isinstance(words, tuple):
        return ""
    return "".join(chr(_FIRST_CODE + codes.setdefault(word, len(codes)) % 0xD000) for word in words)


def _jaccard(own: Sequence[str], other: Sequence[str]) -> NDArray[np.float64]:
    """One minus the share of the characters of two texts that both have."""
    letters = {letter: place for place, letter in enumerate(sorted(set("".join([*own, *other]))))}

    def bags(texts: Sequence[str]) -> NDArray[np.float32]:
        bag = np.zeros((len(texts), len(letters)), dtype=np.float32)
        for row, text in enumerate(texts):
            bag[row, [letters[letter] for letter in text]] = 1
        return bag

    a, b = bags(own), bags(other)
    both = a @ b.T
    return np.asarray(1 - both / np.maximum(a.sum(1)[:, None] + b.sum(1)[None, :] - both, 1), dtype=float)


def _number_distances(own: Sequence[object], other: Sequence[object]) -> NDArray[np.float64]:
    """The sum of the differences of the numbers, NaN where there are not equally many."""
    rows, columns = (
        [tuple(int(word) for word in words if word.isdecimal() and len(word) <= 15) for words in map(_words, each)]
        for each in (own, other)
    )
    result = np.full((len(rows), len(columns)), np.nan)
    for size in {len(row) for row in rows} - {0}:
        left = [place for place, row in enumerate(rows) if len(row) == size]
        right = [place for place, row in enumerate(columns) if len(row) == size]
        if right:
            a, b = np.array([rows[place] for place in left]), np.array([columns[place] for place in right])
            result[np.ix_(left, right)] = np.abs(a[:, None, :] - b[None, :, :]).sum(axis=2)
    return result


def _words(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
