"""Repeated n-grams of words, counted by compiled code; importing this needs Numba.

For each n one pass over the words with an open-addressing hash table of first positions: O(words) time and memory. The
n-grams of an entry are compared word by word, so two n-grams that share a hash are not confused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP_SIZES = (2, 3, 4)
"""Words of the n-grams whose most frequent one is measured (Rae et al. 2021, table A1)."""

DUPLICATE_SIZES = (5, 6, 7, 8, 9, 10)
"""Words of the n-grams whose repeats are measured (Rae et al. 2021, table A1)."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Fibonacci hashing): neighbours in value are spread over the whole table."""

# A product moves information to the high bits only; the slot is taken from the low ones.
_SHIFT = np.uint64(29)


def count_ngram_characters(
    words: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Characters of the most frequent n-gram for each of `TOP_SIZES`, and of repeated ones for each `DUPLICATE_SIZES`.

    Words within an n-gram are one space apart, which counts as a character of it.

    Args:
        words: a number for each word, equal for equal words, shape (words,).
        lengths: the characters of each word, shape (words,).
    """
    top = np.zeros(len(TOP_SIZES), dtype=np.int64)
    duplicates = np.zeros(len(DUPLICATE_SIZES), dtype=np.int64)
    if len(words) > min(TOP_SIZES):
        _count_all(words, lengths, top, duplicates)
    return top, duplicates


@numba.njit(cache=True, nogil=True)
def _count_all(
    words: NDArray[Any], lengths: NDArray[Any], top: NDArray[Any], duplicates: NDArray[Any]
) -> None:  # pragma: no cover - compiled
    size = 8
    # At most half full: an open-addressing table slows down steeply above that. A power of two makes the modulus a
    # mask.
    while size < 2 * len(words):
        size *= 2
    table = np.empty(size, dtype=np.int64)
    counts = np.zeros(len(words), dtype=np.int64)
    first = np.empty(len(words), dtype=np.int64)
    for place in range(len(top)):
        # `TOP_SIZES` begins with 2 and `DUPLICATE_SIZES` with 5; neither has a gap.
        n = place + 2
        if _find_first(words, n, table, first) == 0:
            return  # without a repeated n-gram there is no longer one either
        top[place] = _top_characters(lengths, n, first, counts)
    for place in range(len(duplicates)):
        n = place + 5
        if _find_first(words, n, table, first) == 0:
            return
        duplicates[place] = _repeated_characters(lengths, n, first)


@numba.njit(cache=True, nogil=True)
def _find_first(
    words: NDArray[Any], n: int, table: NDArray[Any], first: NDArray[Any]
) -> int:  # pragma: no cover - compiled
    """Write where the n-gram at each place occurs first; returns how many occurred before."""
    table[:] = -1
    mask = np.uint64(len(table) - 1)
    repeats = 0
    for start in range(len(words) - n + 1):
        key = np.uint64(0)
        for place in range(start, start + n):
            key = (key ^ np.uint64(words[place])) * _MIX
            key ^= key >> _SHIFT
        slot = key & mask
        while True:
            found = table[slot]
            if found < 0:
                table[slot] = start
                first[start] = start
                break
            equal = True
            for place in range(n):
                if words[found + place] != words[start + place]:
                    equal = False
                    break
            if equal:
                first[start] = found
                repeats += 1
                break
            slot = (slot + np.uint64(1)) & mask
    return repeats


@numba.njit(cache=True, nogil=True)
def _top_characters(
    lengths: NDArray[Any], n: int, first: NDArray[Any], counts: NDArray[Any]
) -> int:  # pragma: no cover - compiled
    """The characters of all occurrences of the most frequent n-gram; at a tie of the one that comes first."""
    grams = len(lengths) - n + 1
    counts[:] = 0
    for start in range(grams):
        counts[first[start]] += 1
    best = 0
    for start in range(grams):
        if counts[start] > counts[best]:
            best = start
    characters = n - 1
    for place in range(best, best + n):
        characters += lengths[place]
    return int(characters * counts[best])


@numba.njit(cache=True, nogil=True)
def _repeated_characters(lengths: NDArray[Any], n: int, first: NDArray[Any]) -> int:  # pragma: no cover - compiled
    """The characters that some repeated n-gram covers."""
    characters, covered = 0, 0  # words up to `covered` (not included) are counted already
    for start in range(len(lengths) - n + 1):
        if first[start] == start:
            continue
        for place in range(max(start, covered), start + n):
            characters += lengths[place]
            # The space before a word lies inside an n-gram unless the word is the first that is covered there.
            if place > start or covered > start:
                characters += 1
        covered = start + n
    return characters
