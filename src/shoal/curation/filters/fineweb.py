"""The rules that FineWeb adds (Penedo et al. 2024, arXiv:2406.17557, section 3.6).

Paper and datatrove 0.10, which made the data set, disagree on one number: the share of characters in duplicated lines
may be below 0.1 in the paper and at most 0.01 in the code. The paper's stands here. Further, the code takes lines of
up to 30 characters as short where the paper has fewer than 30, keeps a document at a threshold where the paper removes
it, and has a rule on line ends per word that the paper does not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from shoal.curation.document import DocumentText

SOURCE = "Penedo et al. 2024, arXiv:2406.17557, section 3.6"

END_MARKS = (
    *(".", "!", "?", "…", '"', "'", "”", "\N{RIGHT SINGLE QUOTATION MARK}"),
    *("。", "\N{FULLWIDTH EXCLAMATION MARK}", "\N{FULLWIDTH QUESTION MARK}"),
)
"""What ends a line of text."""

SHORT_LINE = 30
"""Characters below which a line is short."""


class FinewebLinePunctuation(QualityFilter):
    """Pages whose lines do not end in punctuation are lists and menus."""

    name = "fineweb-line-punctuation"
    family = "fineweb"
    measures = "share of lines that end in punctuation"
    source = SOURCE
    min_score = 0.12
    strict = True

    def score(self, document: DocumentText) -> float:
        """The share of lines that end in one of `END_MARKS`; 0 without lines."""
        return sum(line.endswith(END_MARKS) for line in document.lines) / max(len(document.lines), 1)


class FinewebDuplicateLines(QualityFilter):
    """Pages that repeat their lines are templates."""

    name = "fineweb-duplicate-lines"
    family = "fineweb"
    measures = "share of characters in duplicate lines"
    source = SOURCE
    max_score = 0.1
    strict = True

    def score(self, document: DocumentText) -> float:
        """The characters of lines that equal an earlier one over those of all lines."""
        return document.duplicate_lines.characters / max(sum(map(len, document.lines)), 1)


class FinewebShortLines(QualityFilter):
    """Pages of short lines are lists and menus."""

    name = "fineweb-short-lines"
    family = "fineweb"
    measures = f"share of lines below {SHORT_LINE} characters"
    source = SOURCE
    max_score = 0.67
    strict = True

    def score(self, document: DocumentText) -> float:
        """The share of lines with fewer than `SHORT_LINE` characters."""
        return sum(len(line) < SHORT_LINE for line in document.lines) / max(len(document.lines), 1)


class FinewebLineEnds(QualityFilter):
    """Pages with many line ends for their words are lists."""

    name = "fineweb-line-ends"
    family = "fineweb"
    measures = "line ends per word"
    source = "datatrove 0.10, FineWebQualityFilter(new_line_ratio=0.3); the paper does not name it"
    max_score = 0.3

    def score(self, document: DocumentText) -> float:
        """The number of line ends over that of words."""
        return document.text.count("\n") / max(len(document.words), 1)
