"""How well a language model predicts a document.

CCNet (Wenzek et al. 2020, LREC, section 4) ranks web pages by the perplexity of a 5-gram model of Wikipedia. The number
depends on the model and its tokenizer, so there is no limit for all: measure a corpus first, then set one. Text that
repeats itself has a low perplexity, so a maximum alone does not make a corpus better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.document import DocumentText
    from shoal.models import LoadedModel, ScoringModel


class Perplexity(QualityFilter):
    """The perplexity of a document per token.

    Args:
        model: a model spec, or a model that is loaded.
        min_score: the minimum perplexity of a document that stays.
        max_score: the maximum.
        device: where a model that is loaded here runs.

    Raises:
        ShoalError: as `shoal.models.load_model` does, for a spec.
    """

    name = "perplexity"
    family = ""
    measures = "perplexity per token"
    source = "Wenzek et al. 2020, LREC, section 4; the limits are the user's"
    costly = True

    def __init__(
        self,
        *,
        model: str | LoadedModel | ScoringModel,
        min_score: float | None = None,
        max_score: float | None = None,
        device: str = "auto",
    ) -> None:
        super().__init__(min_score=min_score, max_score=max_score)
        from shoal.models import load_for_scoring

        self._loaded = load_for_scoring(model, device=device) if isinstance(model, str) else model

    def score(self, document: DocumentText) -> float:
        """The perplexity of one document; several are scored faster by `score_all`."""
        return self.score_all([document])[0]

    def score_all(self, documents: Sequence[DocumentText]) -> list[float]:
        """The perplexity of each document; infinite where there is nothing to predict."""
        from shoal.evaluation import document_likelihoods

        # A document without words has no tokens to score, and must not stop the corpus.
        filled = [place for place, document in enumerate(documents) if document.words]
        scores = [float("inf")] * len(documents)
        found = document_likelihoods(
            self._loaded.model, self._loaded.tokenizer, [documents[place].text for place in filled]
        )
        for place, one in zip(filled, found, strict=True):
            scores[place] = one.perplexity
        return scores
