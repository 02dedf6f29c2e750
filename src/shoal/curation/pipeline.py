"""Documents through filters: what each scores, which lines go, and by which filter a document goes first.

Rules score every document, those too that an earlier one removed, so that each rule's own effect is known; a costly
filter scores only what passed all filters before it, many documents together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from shoal.curation.document import DocumentText
from shoal.curation.filters import LineFilter, QualityFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

# Lines that were removed leave their breaks; more than one blank line in a row is no paragraph of the source.
_GAPS = re.compile(r"\n{3,}")

NO_LINES = "no-lines"
"""What removed a document whose lines were all removed."""


@dataclass(slots=True)
class FilteredDocument:
    """What the filters found of a document."""

    text: str
    """Without the lines that were removed."""

    scores: list[float]
    """One for each quality filter, in their order; NaN where a costly filter was not reached."""

    removed_by: str | None = None
    """The name of the first filter that did not keep it, `NO_LINES`, or None where it stays."""

    failed: list[bool] = field(default_factory=list)
    """Whether each quality filter would not keep it."""


@dataclass(slots=True)
class LineCounts:
    """What a line filter did to the lines that it saw."""

    seen: int = 0
    removed: int = 0
    edited: int = 0
    examples: list[str] = field(default_factory=list)
    """The first few that it removed or edited."""


_LINE_EXAMPLES = 3


class FilterPipeline:
    """Filters in their order.

    Args:
        filters: quality filters and line filters; what stands behind a line filter reads the lines that it left.
    """

    def __init__(self, filters: Sequence[QualityFilter | LineFilter]) -> None:
        self.quality = [one for one in filters if isinstance(one, QualityFilter)]
        self.line_counts = {one: LineCounts() for one in filters if isinstance(one, LineFilter)}
        # Neighbouring line filters go over the lines together.
        self._stages = [
            (kind, list(group)) for kind, group in groupby(filters, key=lambda one: isinstance(one, LineFilter))
        ]

    def run(self, texts: Sequence[str]) -> list[FilteredDocument]:
        """What the filters find of documents, in their order.

        Args:
            texts: documents that are held in memory together, for filters that run a model.
        """
        documents = [DocumentText(text) for text in texts]
        found = [FilteredDocument(text, []) for text in texts]
        for lines, stage in self._stages:
            if lines:
                documents = self._edit([one for one in stage if isinstance(one, LineFilter)], documents, found)
            else:
                for one in stage:
                    assert isinstance(one, QualityFilter)
                    _score(one, documents, found)
        return found

    def _edit(
        self, filters: list[LineFilter], documents: list[DocumentText], found: list[FilteredDocument]
    ) -> list[DocumentText]:
        edited = [self._edit_lines(filters, document) for document in documents]
        for document, outcome in zip(edited, found, strict=True):
            outcome.text = document.text
            if outcome.removed_by is None and not document.lines:
                outcome.removed_by = NO_LINES
        return edited

    def _edit_lines(self, filters: list[LineFilter], document: DocumentText) -> DocumentText:
        left: list[str] = []
        changed = False
        for raw in document.text.split("\n"):
            line = raw.strip()
            if not line:
                left.append("")
                continue
            after = self._edit_line(filters, line)
            if after is not None:
                # As it came, indentation included, where no filter changed it.
                left.append(raw if after == line else after)
            changed |= after != line
        # A document of which nothing was changed is the same, with what is known of it.
        return DocumentText(_GAPS.sub("\n\n", "\n".join(left)).strip("\n")) if changed else document

    def _edit_line(self, filters: list[LineFilter], line: str) -> str | None:
        for one in filters:
            counts = self.line_counts[one]
            counts.seen += 1
            after = one.edit(line)
            if after == line:
                continue
            if len(counts.examples) < _LINE_EXAMPLES:
                counts.examples.append(line)
            if after is None:
                counts.removed += 1
                return None
            counts.edited += 1
            line = after
        return line


def _score(one: QualityFilter, documents: list[DocumentText], found: list[FilteredDocument]) -> None:
    """Score documents by a filter, and note which it does not keep."""
    reached = [place for place, outcome in enumerate(found) if not one.costly or outcome.removed_by is None]
    scores = one.score_all([documents[place] for place in reached])
    for outcome in found:
        outcome.scores.append(math.nan)
        outcome.failed.append(False)
    for place, score in zip(reached, scores, strict=True):
        outcome = found[place]
        outcome.scores[-1] = score
        if not one.keep(score):
            outcome.failed[-1] = True
            if outcome.removed_by is None:
                outcome.removed_by = one.name
