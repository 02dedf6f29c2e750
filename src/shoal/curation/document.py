"""A document as filters read it: words, lines, paragraphs, sentences and repeated n-grams, each found at most once.

What several filters need is computed when the first of them asks for it and shared by the others, so a document is
split into words once for the rules of Gopher, C4 and FineWeb together. A word is a run of characters that are no white
space: none of the three papers defines it, this is the cheapest definition, and it needs no model of a language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shoal.curation.reading_counts import count_sentences, count_syllables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_AROUND_WORD = re.compile(r"^[^\w]+|[^\w]+$")
_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSizes:
    """What the formulas of readability divide by one another."""

    sentences: int
    words: int
    """With a letter."""

    letters: int
    """Alphabetic characters of those words."""

    syllables: int


class DocumentText:
    """The text of a document and what filters read from it.

    Args:
        text: the document; lines end in a line feed.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> list[str]:
        """Runs of characters without white space, punctuation included."""
        return self.text.split()

    @cached_property
    def distinct_words(self) -> frozenset[str]:
        """The different words."""
        return frozenset(self.words)

    @cached_property
    def word_lengths(self) -> NDArray[np.int64]:
        """Characters of each word, shape (words,)."""
        return np.fromiter(map(len, self.words), dtype=np.int64, count=len(self.words))

    @cached_property
    def lines(self) -> list[str]:
        """Lines that hold more than white space, without the white space around them."""
        return [line for raw in self.text.split("\n") if (line := raw.strip())]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The parts between blank lines, without the white space around them."""
        return [part for raw in _BLANK_LINES.split(self.text) if (part := raw.strip())]

    @cached_property
    def sentence_count(self) -> int:
        """The number of sentences; a line's end ends one, too."""
        return sum(map(count_sentences, self.lines))

    @cached_property
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @cached_property
    def reading_sizes(self) -> ReadingSizes:
        """Sentences, words, letters and syllables, of words with a letter."""
        words = [_AROUND_WORD.sub("", word) for word in self.lower.split()]
        words = [word for word in words if any(map(str.isalpha, word))]
        return ReadingSizes(
            # The formulas divide by it; a text without a full stop is one sentence.
            sentences=max(1, self.sentence_count),
            words=len(words),
            letters=sum(sum(map(str.isalpha, word)) for word in words),
            syllables=sum(map(count_syllables, words)),
        )

    @cached_property
    def duplicate_lines(self) -> Duplicates:
        """The lines that equal an earlier one."""
        return Duplicates(self.lines)

    @cached_property
    def duplicate_paragraphs(self) -> Duplicates:
        """The paragraphs that equal an earlier one."""
        return Duplicates(self.paragraphs)

    @cached_property
    def top_ngram_characters(self) -> Mapping[int, int]:
        """Characters in all occurrences of the most frequent n-gram of words, n = 2, 3, 4; 0 where none repeats."""
        return self._ngram_characters[0]

    @cached_property
    def duplicate_ngram_characters(self) -> Mapping[int, int]:
        """Characters in n-grams of words that occurred before, n = 5 to 10; overlapping ones are counted once."""
        return self._ngram_characters[1]

    @cached_property
    def _ngram_characters(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        # Imported when it is needed: Numba takes a second, and half of the filters do without.
        from shoal.curation.ngram_kernel import DUPLICATE_SIZES, TOP_SIZES, count_ngram_characters

        # 64-bit hashes instead of a table of words: in 100,000 words two that differ share one with p < 1e-9.
        hashes = np.fromiter(map(hash, self.words), dtype=np.int64, count=len(self.words))
        top, duplicates = count_ngram_characters(hashes, self.word_lengths)
        return (
            dict(zip(TOP_SIZES, top.tolist(), strict=True)),
            dict(zip(DUPLICATE_SIZES, duplicates.tolist(), strict=True)),
        )


class Duplicates:
    """How many of some pieces of text equal an earlier one, and the characters of those.

    Args:
        pieces: all of them.
    """

    __slots__ = ("characters", "count")

    def __init__(self, pieces: list[str]) -> None:
        self.count = 0
        self.characters = 0
        seen: set[str] = set()
        for piece in pieces:
            if piece in seen:
                self.count += 1
                self.characters += len(piece)
            else:
                seen.add(piece)
