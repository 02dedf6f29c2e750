"""Memorisation: how much of a text is copied, as its longest run of words that stands in a corpus.

Runs are compared as hashes that grow word by word: in round n every place of the corpus has the number of the n words
from there on (a polynomial modulo 2^64 of random numbers a word), and those texts stay that still share one. Cost: one
pass over the corpus per round, for as many rounds as the longest copied run has words; 8 bytes per word of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corpora import words_of
from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Numbers = np.ndarray[Any, np.dtype[np.uint64]]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, made odd: powers of it spread well over 64 bits (Knuth, TAOCP 3, section 6.4)."""


class CopyFinder:
    """Finds copied runs of a corpus."""

    def __init__(self, documents: Iterable[str], *, seed: int = 0) -> None:
        """Read a corpus.

        Args:
            documents: its documents; a run does not cross from one into the next.
            seed: random seed of the words' numbers.

        Raises:
            DataError: there are no words.
        """
        self._random = np.random.default_rng(seed)
        self._ids: dict[str, int] = {}
        self._table: list[int] = []
        parts = []
        for document in documents:
            # A number that no word has, so that no run crosses into the next document.
            parts += [self._numbers(words_of(document)), self._draw(1)]
        self._corpus: Numbers = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        # Half of the parts are these separators: a corpus of nothing else has no words.
        if len(self._corpus) <= len(parts) // 2:
            raise DataError("the text that is looked through holds no words; give the text that the model learnt from")

    def longest_runs(self, texts: Sequence[str]) -> list[int]:
        """For each text, the words of its longest run that stands in the corpus."""
        numbers = [self._numbers(words_of(text)) for text in texts]
        longest = [0] * len(texts)
        corpus, grown = self._corpus.copy(), [part.copy() for part in numbers]
        going = [place for place, part in enumerate(numbers) if len(part)]
        length = 1
        while going:
            present = np.unique(np.concatenate([grown[place] for place in going]))
            # The texts' numbers are few and are sorted; sorting the corpus in each round would cost far more.
            places = np.searchsorted(present, corpus)
            # `searchsorted` points beyond the end for a number above all others.
            there = present[np.unique(places[present[np.minimum(places, len(present) - 1)] == corpus])]
            going = [place for place in going if np.isin(grown[place], there).any()]
            for place in going:
                longest[place] = length
            corpus = self._grow(corpus, self._corpus, length)
            for place in going:
                grown[place] = self._grow(grown[place], numbers[place], length)
            going = [place for place in going if len(grown[place])]
            length += 1
        return longest

    @staticmethod
    def _grow(grown: Numbers, numbers: Numbers, length: int) -> Numbers:
        """The numbers of runs one word longer."""
        return np.asarray(grown[: len(numbers) - length] * _FACTOR + numbers[length:])

    def _numbers(self, words: Sequence[str]) -> Numbers:
        new = [word for word in dict.fromkeys(words) if word not in self._ids]
        for word, number in zip(new, self._draw(len(new)).tolist(), strict=True):
            self._ids[word] = len(self._table)
            self._table.append(number)
        return np.array([self._table[self._ids[word]] for word in words], dtype=np.uint64)

    def _draw(self, count: int) -> Numbers:
        return self._random.integers(0, 2**64, size=count, dtype=np.uint64)
