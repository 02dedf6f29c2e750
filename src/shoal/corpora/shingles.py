"""N-grams of words and signs as 64-bit numbers, for finding what texts have in common.

A word is a run of letters, digits and the marks on them, with the apostrophes inside it; in scripts that put no blanks
between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese and others) each letter with its marks is one, as in the
default rules of Unicode Standard Annex 29. Words are compared in lower case and in the normal form NFKC: composed and
decomposed accents are equal, as are letters of full and half width, while an accent itself counts.

A sign is any other character that is to be seen: ``x = a + b`` is not ``x = a * b``. The punctuation of running text is
no sign: marks behind a word that a blank follows, quotes and brackets that open before one, dashes between blanks,
hyphens and dots between letters, and all punctuation beyond ASCII.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import regex
    from numpy.typing import NDArray

    IntArray = NDArray[np.uint64]

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Line_Break=SA}\u30fc\uff70"
_HIDDEN = r"[\p{Default_Ignorable_Code_Point}--[\U000e0020-\U000e007f]]"
"""Joiners, soft hyphens, variation selectors: nothing is to be seen of them. The tags of flags are not among them."""

_LETTER = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
_LETTERS = rf"{_LETTER}[[\p{{L}}\p{{N}}\p{{M}}{_HIDDEN}]--[{_UNSPACED}]]*"
_WORD = rf"[{_UNSPACED}]\p{{M}}*|{_LETTERS}(?:['\u2019]{_LETTERS})*"
_SIGN = rf"[\S--{_HIDDEN}]"
_FOREIGN = r"[\p{P}--[\x00-\x7f\uff03\uff05\uff06\uff0a\uff0d\uff0f\uff20\uff3c\uff3f]]"
"""Punctuation beyond ASCII, but for the full-width forms of ``#%&*-/@\\_``."""

_PUNCTUATION = "|".join(
    (
        rf"(?<=[\p{{L}}\p{{N}}\p{{M}}])[.,;:!?\"'){_FOREIGN}]+(?!\S)",
        rf"(?<!\S)[\"'({_FOREIGN}]+(?=[\p{{L}}\p{{N}}])",
        rf"(?<=[{_UNSPACED}])[.,;:!?\"'()]+|[.,;:!?\"'()]+(?=[{_UNSPACED}])",
        r"(?<!\S)(?:-+|\.{3,}|\")(?!\S)",
        r"(?<=\p{L})(?:\.{3,}|[.,!?]\")(?=\p{L})",
        r"(?<=\p{L}{2})-(?=\p{L})|(?<=\p{L})-(?=\p{L}{2})",
        _FOREIGN,
    )
)
_PART = f"{_PUNCTUATION}|({_WORD}|{_SIGN})"
_PART_OF_FEW = f"{_WORD}|{_SIGN}"
# Odd, so that multiplying by it loses no information modulo 2^64.
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, signs and punctuation left out."""
    return [_plain(word) for word in _compiled(_WORD).findall(text)]


class Shingler:
    """Numbers for n-grams of words and signs; equal n-grams get equal numbers from one shingler.

    Each different word or sign gets a random-looking 64-bit number (SplitMix64 of its rank of arrival), and an n-gram a
    polynomial of the numbers of its parts, so that two different n-grams have the same one with a chance near 2^-64.
    """

    def __init__(self, size: int = 5) -> None:
        self.size = size
        self._ranks: dict[str, int] = {}
        self._ranks_as_written: dict[str, int] = {}

    def grams(self, text: str) -> IntArray:
        """The numbers of all n-grams in order.

        A text of fewer words and signs is one gram, and its punctuation counts: so short a text (``Yes?``, ``...``) has
        little else to differ in.
        """
        found = [part for part in _compiled(_PART).findall(text) if part]
        return self._hash(found if len(found) >= self.size else _compiled(_PART_OF_FEW).findall(text))

    def located(self, text: str) -> tuple[IntArray, list[tuple[int, int]]]:
        """The n-grams without punctuation, and the first and the last character of every word and sign."""
        matches = [match for match in _compiled(_PART).finditer(text) if match[1] is not None]
        return self._hash(match[1] for match in matches), [match.span() for match in matches]

    def shingles(self, text: str) -> IntArray:
        """The set of n-grams, sorted."""
        return np.unique(self.grams(text))

    def _hash(self, parts: Iterable[str]) -> IntArray:
        numbers = np.array([self._rank(part) for part in parts], dtype=np.uint64)
        if not len(numbers):
            return numbers
        # The finalizer gives 0 for 0, and a gram would not show how often the first word stands at its head.
        mixed = _mix(numbers + np.uint64(1))
        size = min(self.size, len(mixed))
        grams = np.zeros(len(mixed) - size + 1, dtype=np.uint64)
        for place in range(size):
            grams = grams * _ODD + mixed[place : place + len(grams)]
        return _mix(grams)

    def _rank(self, part: str) -> int:
        """The number of a word or sign; how it was written is remembered, since normal forms take time."""
        rank = self._ranks_as_written.get(part)
        if rank is None:
            rank = self._ranks.setdefault(_plain(part), len(self._ranks))
            self._ranks_as_written[part] = rank
        return rank


def jaccard(first: IntArray, second: IntArray) -> float:
    """Size of the intersection of two sets over that of their union; 1 for two empty sets.

    Args:
        first: sorted, each number once.
        second: likewise.
    """
    shared = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - shared
    return shared / union if union else 1.0


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    shown = _compiled(_HIDDEN).sub("", word)
    return unicodedata.normalize("NFKC", shown).lower().replace("\u2019", "'")


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    import regex

    # Only in this version `--` in a class is a difference of sets.
    return regex.compile(pattern, regex.VERSION1)


def _mix(numbers: IntArray) -> IntArray:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    numbers = numbers * _ODD
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
    return numbers ^ (numbers >> np.uint64(31))
