"""Word n-grams of a text as 64-bit numbers, for finding what texts have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    IntArray = np.ndarray[Any, np.dtype[np.uint64]]

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: runs of letters and digits, with the apostrophes inside them."""
    return _WORD.findall(_plain(text))


class Shingler:
    """Numbers for word n-grams; equal n-grams get equal numbers from one shingler.

    Words are compared in lower case and without punctuation. Each different word gets a random-looking 64-bit number
    (SplitMix64 of its rank of arrival), and an n-gram a polynomial of its words' numbers, so that two different
    n-grams have the same one with a chance near 2^-64.
    """

    def __init__(self, size: int = 5) -> None:
        self.size = size
        self._ranks: dict[str, int] = {}

    def grams(self, text: str) -> IntArray:
        """The numbers of all n-grams in order; a text of fewer words is one gram."""
        return self._hash(words_of(text))

    def located(self, text: str) -> tuple[IntArray, list[tuple[int, int]]]:
        """The same, with the first and the last character of every word."""
        matches = list(_WORD.finditer(text))
        return self._hash([_plain(match[0]) for match in matches]), [match.span() for match in matches]

    def shingles(self, text: str) -> IntArray:
        """The set of n-grams, sorted."""
        return np.unique(self.grams(text))

    def _hash(self, words: list[str]) -> IntArray:
        ranks = self._ranks
        numbers = np.array([ranks.setdefault(word, len(ranks)) for word in words], dtype=np.uint64)
        if not len(numbers):
            return numbers
        mixed = _mix(numbers + np.uint64(1))
        size = min(self.size, len(mixed))
        grams = np.zeros(len(mixed) - size + 1, dtype=np.uint64)
        for place in range(size):
            grams = grams * _ODD + mixed[place : place + len(grams)]
        return _mix(grams)


def jaccard(first: IntArray, second: IntArray) -> float:
    """Size of the intersection of two sets over that of their union; 1 for two empty sets."""
    shared = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - shared
    return shared / union if union else 1.0


def _plain(word: str) -> str:
    return word.lower().replace("\u2019", "'")


def _mix(numbers: IntArray) -> IntArray:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    numbers = numbers * _ODD
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
    return numbers ^ (numbers >> np.uint64(31))
