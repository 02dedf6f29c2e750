"""The quality rules of Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1, "Quality Filtering").

The paper leaves open what a word and a bullet are. Here a word is a run without white space. datatrove 0.10 splits
punctuation from words by spaCy and counts it among the words of the alphabetic rule, which therefore removes texts with
much punctuation that stay here; the other rules agree but for documents at a limit (`benchmarks/curation.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from shoal.curation.document import DocumentText

SOURCE = "Rae et al. 2021, arXiv:2112.11446, appendix A.1.1"

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
"""The eight English words of which a document must hold some."""

BULLETS = ("•", "‣", "◦", "▪", "●", "·", "*", "-")
"""How a line with a bullet begins; the paper names no characters, datatrove takes • and -."""

ELLIPSES = ("...", "…")

_AROUND = "\"'“”.,;:!?()[]*_-—\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{EN DASH}"
"""What may stand around a stop word within a run without white space."""


class GopherWords(QualityFilter):
    """Too short a document teaches nothing, too long a one is a list or a dump."""

    name = "gopher-words"
    family = "gopher"
    measures = "words"
    source = SOURCE
    min_score = 50
    max_score = 100_000

    def score(self, document: DocumentText) -> float:
        """The number of words."""
        return len(document.words)


class GopherWordLength(QualityFilter):
    """Words of natural language are neither single letters nor addresses."""

    name = "gopher-word-length"
    family = "gopher"
    measures = "mean characters per word"
    source = SOURCE
    min_score = 3
    max_score = 10

    def score(self, document: DocumentText) -> float:
        """The mean number of characters of a word; 0 without words."""
        return float(document.word_lengths.mean()) if document.words else 0.0


class GopherHashes(QualityFilter):
    """Many hash signs are tags or markup."""

    name = "gopher-hashes"
    family = "gopher"
    measures = "hash signs per word"
    source = SOURCE
    max_score = 0.1

    def score(self, document: DocumentText) -> float:
        """The number of ``#`` over that of words."""
        return document.text.count("#") / max(len(document.words), 1)


class GopherEllipses(QualityFilter):
    """Many ellipses are texts that were cut off."""

    name = "gopher-ellipses"
    family = "gopher"
    measures = "ellipses per word"
    source = SOURCE
    max_score = 0.1

    def score(self, document: DocumentText) -> float:
        """The number of ``...`` and ``…`` over that of words."""
        return sum(map(document.text.count, ELLIPSES)) / max(len(document.words), 1)


class GopherBullets(QualityFilter):
    """A page of bullets is a list."""

    name = "gopher-bullets"
    family = "gopher"
    measures = "share of lines that begin with a bullet"
    source = SOURCE
    max_score = 0.9

    def score(self, document: DocumentText) -> float:
        """The share of lines that begin with one of `BULLETS`."""
        return sum(line.startswith(BULLETS) for line in document.lines) / max(len(document.lines), 1)


class GopherLineEllipses(QualityFilter):
    """Lines that end in an ellipsis are previews of other pages."""

    name = "gopher-line-ellipses"
    family = "gopher"
    measures = "share of lines that end in an ellipsis"
    source = SOURCE
    max_score = 0.3

    def score(self, document: DocumentText) -> float:
        """The share of lines that end in ``...`` or ``…``."""
        return sum(line.endswith(ELLIPSES) for line in document.lines) / max(len(document.lines), 1)


class GopherAlphabeticWords(QualityFilter):
    """Words without a letter are numbers, prices and rules."""

    name = "gopher-alphabetic-words"
    family = "gopher"
    measures = "share of words with a letter"
    source = SOURCE
    min_score = 0.8

    def score(self, document: DocumentText) -> float:
        """The share of words with at least one alphabetic character; 0 without words."""
        # Most words are letters alone or begin with one, so that the last test is seldom needed.
        found = sum(word.isalpha() or word[0].isalpha() or any(map(str.isalpha, word)) for word in document.words)
        return found / max(len(document.words), 1)


class GopherStopWords(QualityFilter):
    """Running English text holds its most frequent words."""

    name = "gopher-stop-words"
    family = "gopher"
    measures = "different ones of eight stop words"
    source = SOURCE
    min_score = 2

    words: ClassVar[frozenset[str]] = STOP_WORDS

    def score(self, document: DocumentText) -> float:
        """How many of `STOP_WORDS` occur, in any case and next to any punctuation."""
        return len(self.words & {word.strip(_AROUND).lower() for word in document.distinct_words})
