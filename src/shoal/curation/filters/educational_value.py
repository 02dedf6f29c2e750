"""How much a document teaches, by a head that was trained on labels (`shoal curate train`).

FineWeb-Edu (Penedo et al. 2024, arXiv:2406.17557, section 4) keeps documents whose score is 3 or more of 5 when it is
rounded; here the score from which on documents stay is the head's own, the one with the highest F1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.curation.document import DocumentText


class EducationalValue(QualityFilter):
    """Keeps documents that a head considers good.

    Args:
        head: the folder of the head.
        min_score: the minimum score; by default the head's cut.
        max_score: the maximum.

    Raises:
        ShoalError: as `shoal.curation.classifier.load_quality_head` does.
    """

    name = "educational-value"
    family = ""
    measures = "score of the head"
    source = "Penedo et al. 2024, arXiv:2406.17557, section 4; the labels are the user's"
    costly = True

    def __init__(
        self, *, head: str | os.PathLike[str], min_score: float | None = None, max_score: float | None = None
    ) -> None:
        from shoal.curation.classifier.head import load_quality_head

        self._head = load_quality_head(head)
        super().__init__(min_score=self._head.cut if min_score is None else min_score, max_score=max_score)
        self._reader = self._head.vectorizer()

    def score(self, document: DocumentText) -> float:
        """The score of one document; several are scored faster by `score_all`."""
        return self.score_all([document])[0]

    def score_all(self, documents: Sequence[DocumentText]) -> list[float]:
        """The score of each document."""
        if not documents:
            return []
        found: list[float] = self._head.score(self._reader.encode([one.text for one in documents])).tolist()
        return found
