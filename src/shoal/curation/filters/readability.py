"""Readability: how long sentences and words are.

The formulas are for English. Words are those with a letter, without the punctuation around them; a document without
words has the score 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from shoal.curation.document import DocumentText


class FleschReadingEase(QualityFilter):
    """Flesch's reading ease: about 100 for a first reader, below 30 for a specialist."""

    name = "flesch-reading-ease"
    family = "readability"
    measures = "reading ease"
    source = "Flesch 1948, Journal of Applied Psychology 32:221-233"

    def score(self, document: DocumentText) -> float:
        """206.835 − 1.015 words per sentence − 84.6 syllables per word."""
        sizes = document.reading_sizes
        if not sizes.words:
            return 0.0
        return 206.835 - 1.015 * sizes.words / sizes.sentences - 84.6 * sizes.syllables / sizes.words


class FleschKincaidGrade(QualityFilter):
    """The school grade (of the United States) that can read a document."""

    name = "flesch-kincaid-grade"
    family = "readability"
    measures = "school grade"
    source = "Kincaid et al. 1975, Research Branch Report 8-75"

    def score(self, document: DocumentText) -> float:
        """0.39 words per sentence + 11.8 syllables per word − 15.59."""
        sizes = document.reading_sizes
        if not sizes.words:
            return 0.0
        return 0.39 * sizes.words / sizes.sentences + 11.8 * sizes.syllables / sizes.words - 15.59


class ColemanLiauGrade(QualityFilter):
    """A school grade from letters alone, for words whose syllables cannot be counted."""

    name = "coleman-liau-grade"
    family = "readability"
    measures = "school grade"
    source = "Coleman and Liau 1975, Journal of Applied Psychology 60:283-284"

    def score(self, document: DocumentText) -> float:
        """5.88 letters per word − 29.6 sentences per word − 15.8."""
        sizes = document.reading_sizes
        if not sizes.words:
            return 0.0
        return 5.88 * sizes.letters / sizes.words - 29.6 * sizes.sentences / sizes.words - 15.8
