"""The repetition rules of Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1, table A1).

A line, paragraph or n-gram counts as a duplicate where it equals an earlier one, as in datatrove. Two readings differ
from datatrove 0.10. The most frequent n-gram must occur at least twice; there one occurrence in a short text counts.
Of overlapping repeated n-grams every covered character is counted once, as the paper asks; there the search continues
behind a repeat, so that the rest of a longer repeat is not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from shoal.curation.document import DocumentText

SOURCE = "Rae et al. 2021, arXiv:2112.11446, table A1"


class GopherDuplicateLines(QualityFilter):
    """Lines that were in the document before."""

    name = "gopher-duplicate-lines"
    family = "gopher"
    measures = "share of lines that are duplicates"
    source = SOURCE
    max_score = 0.30

    def score(self, document: DocumentText) -> float:
        """The share of lines that equal an earlier one."""
        return document.duplicate_lines.count / max(len(document.lines), 1)


class GopherDuplicateParagraphs(QualityFilter):
    """Paragraphs that were in the document before."""

    name = "gopher-duplicate-paragraphs"
    family = "gopher"
    measures = "share of paragraphs that are duplicates"
    source = SOURCE
    max_score = 0.30

    def score(self, document: DocumentText) -> float:
        """The share of paragraphs that equal an earlier one."""
        return document.duplicate_paragraphs.count / max(len(document.paragraphs), 1)


class GopherDuplicateLineCharacters(QualityFilter):
    """Characters of lines that were in the document before."""

    name = "gopher-duplicate-line-characters"
    family = "gopher"
    measures = "share of characters in duplicate lines"
    source = SOURCE
    max_score = 0.20

    def score(self, document: DocumentText) -> float:
        """The share of characters in lines that equal an earlier one."""
        return document.duplicate_lines.characters / max(len(document.text), 1)


class GopherDuplicateParagraphCharacters(QualityFilter):
    """Characters of paragraphs that were in the document before."""

    name = "gopher-duplicate-paragraph-characters"
    family = "gopher"
    measures = "share of characters in duplicate paragraphs"
    source = SOURCE
    max_score = 0.20

    def score(self, document: DocumentText) -> float:
        """The share of characters in paragraphs that equal an earlier one."""
        return document.duplicate_paragraphs.characters / max(len(document.text), 1)


class _TopNgram(QualityFilter):
    """Characters of the most frequent n-gram."""

    source = SOURCE
    n: ClassVar[int]

    def score(self, document: DocumentText) -> float:
        """The share of characters in all occurrences of the most frequent n-gram of words."""
        return document.top_ngram_characters[self.n] / max(len(document.text), 1)


class GopherTop2Gram(_TopNgram):
    """Characters of the most frequent pair of words."""

    name = "gopher-top-2-gram"
    family = "gopher"
    measures = "share of characters in the most frequent 2-gram"
    n = 2
    max_score = 0.20


class GopherTop3Gram(_TopNgram):
    """Characters of the most frequent 3-gram."""

    name = "gopher-top-3-gram"
    family = "gopher"
    measures = "share of characters in the most frequent 3-gram"
    n = 3
    max_score = 0.18


class GopherTop4Gram(_TopNgram):
    """Characters of the most frequent 4-gram."""

    name = "gopher-top-4-gram"
    family = "gopher"
    measures = "share of characters in the most frequent 4-gram"
    n = 4
    max_score = 0.16


class _DuplicateNgrams(QualityFilter):
    """Characters of n-grams that occurred before."""

    source = SOURCE
    n: ClassVar[int]

    def score(self, document: DocumentText) -> float:
        """The share of characters in n-grams of words that occurred before; overlapping ones are counted once."""
        return document.duplicate_ngram_characters[self.n] / max(len(document.text), 1)


class GopherDuplicate5Grams(_DuplicateNgrams):
    """Characters of repeated 5-grams."""

    name = "gopher-duplicate-5-grams"
    family = "gopher"
    measures = "share of characters in repeated 5-grams"
    n = 5
    max_score = 0.15


class GopherDuplicate6Grams(_DuplicateNgrams):
    """Characters of repeated 6-grams."""

    name = "gopher-duplicate-6-grams"
    family = "gopher"
    measures = "share of characters in repeated 6-grams"
    n = 6
    max_score = 0.14


class GopherDuplicate7Grams(_DuplicateNgrams):
    """Characters of repeated 7-grams."""

    name = "gopher-duplicate-7-grams"
    family = "gopher"
    measures = "share of characters in repeated 7-grams"
    n = 7
    max_score = 0.13


class GopherDuplicate8Grams(_DuplicateNgrams):
    """Characters of repeated 8-grams."""

    name = "gopher-duplicate-8-grams"
    family = "gopher"
    measures = "share of characters in repeated 8-grams"
    n = 8
    max_score = 0.12


class GopherDuplicate9Grams(_DuplicateNgrams):
    """Characters of repeated 9-grams."""

    name = "gopher-duplicate-9-grams"
    family = "gopher"
    measures = "share of characters in repeated 9-grams"
    n = 9
    max_score = 0.11


class GopherDuplicate10Grams(_DuplicateNgrams):
    """Characters of repeated 10-grams."""

    name = "gopher-duplicate-10-grams"
    family = "gopher"
    measures = "share of characters in repeated 10-grams"
    n = 10
    max_score = 0.10
