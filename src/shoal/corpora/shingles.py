"""Word n-grams of a text as 64-bit numbers, for finding what texts have in common.

A word is a run of letters, digits and their marks. Where a script has no blanks between words (Chinese, Japanese, Thai,
Lao, Khmer, Burmese, Tibetan) each character stands for a word: a run of them would be one word as long as a sentence,
and a change of one character would change it all.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import regex

if TYPE_CHECKING:
    IntArray = np.ndarray[Any, np.dtype[np.uint64]]

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー々"
_FIRST, _FURTHER = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]", rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]"
_WORDS = rf"{_FIRST}{_FURTHER}*(?:['\u2019]{_FIRST}{_FURTHER}*)*|[{_UNSPACED}]\p{{M}}*"
_WORD = regex.compile(_WORDS, regex.V1)
_WORD_OR_SIGN = regex.compile(
    rf"{_WORDS}|[\p{{S}}*/%&#@\\]|(?<![\p{{L}}\p{{N}}])[-\u2212]|[-\u2212](?![\p{{L}}\p{{N}}])", regex.V1
)
"""Signs that say something by themselves (``a + b``, ``a - b``, emoji); the punctuation of prose is none."""

_WORD_OR_MARK = regex.compile(rf"{_WORDS}|\S", regex.V1)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: runs of letters and digits, with the apostrophes inside them."""
    words: list[str] = _WORD.findall(_plain(text))
    return words


def words_and_signs(text: str, least: int) -> list[str]:
    """The words and signs of a text in lower case.

    Args:
        text: any text.
        least: where it has fewer of them, it is a formula or a line of marks, and every mark counts.
    """
    plain = _plain(text)
    found: list[str] = _WORD_OR_SIGN.findall(plain)
    return found if len(found) >= least else list(_WORD_OR_MARK.findall(plain))


class Shingler:
    """Numbers for word n-grams; equal n-grams get equal numbers from one shingler.

    Words are compared in lower case and without punctuation. Each different word gets a random-looking 64-bit number
    (SplitMix64 of its rank of arrival), and an n-gram a polynomial of its words' numbers, so that two different
    n-grams have the same one with a chance near 2^-64.
    """

    def __init__(self, size: int = 5, *, signs: bool = False) -> None:
        """Prepare.

        Args:
            size: words of an n-gram.
            signs: signs count as words, and in a text of fewer words than an n-gram every mark does.
        """
        self.size = size
        self._signs = signs
        self._ranks: dict[str, int] = {}

    def grams(self, text: str) -> IntArray:
        """The numbers of all n-grams in order; a text of fewer words is one gram."""
        return self._hash(words_and_signs(text, self.size) if self._signs else words_of(text))

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
    return unicodedata.normalize("NFC", word).lower().replace("\u2019", "'")


def _mix(numbers: IntArray) -> IntArray:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    numbers = numbers * _ODD
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
    return numbers ^ (numbers >> np.uint64(31))
