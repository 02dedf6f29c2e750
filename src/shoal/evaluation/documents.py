"""Log-likelihoods of documents of any length.

A document longer than the model's context is read in windows that overlap by half, so that every token but those of
the first window is predicted from at least half a context. Cost: at most two passes over the tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.evaluation.batching import ScoringRow, model_limits
from shoal.evaluation.likelihoods import document_opening, log_likelihoods
from shoal.evaluation.windows import cut_windows
from shoal.text import plain_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLikelihood:
    """How likely a document is under a model."""

    log_likelihood: float
    """In nats, over all tokens of the text; an end token is not counted."""

    tokens: int

    @property
    def perplexity(self) -> float:
        """The perplexity per token; infinite where the model considers the text impossible."""
        nats = -self.log_likelihood / self.tokens
        return math.exp(nats) if nats < _MAX_NATS else math.inf


_MAX_NATS = 700.0
"""exp() of more is no float; a mean of 700 nats per token is an impossible text in any case."""


def document_likelihoods(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    documents: Sequence[str],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
    what: str = "documents",
) -> list[DocumentLikelihood]:
    """The log-likelihood of each document, in their order.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        documents: texts of any length.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).
        what: the name of the work that ``progress`` is called with.

    Raises:
        DataError: a document has no tokens, or ids that the model does not know.
        ModelError: the model's logits are not numbers.
    """
    context, vocabulary = model_limits(model)
    opening = document_opening(tokenizer)
    rows: list[ScoringRow] = []
    ends: list[int] = []
    counts: list[int] = []
    for place, ids in enumerate(plain_ids(tokenizer, documents)):
        if not ids or max(ids) >= vocabulary:
            raise DataError(f"document {place} ({documents[place][:40]!r}) has no tokens, or some that are unknown")
        # Half a window is new; the last one is moved back until it is full: more context for the same tokens.
        stride = None if context is None else context + 1 - (context + 1) // 2
        for window, start in cut_windows((*opening, *ids), len(opening), context=context, stride=stride, full=True):
            rows.append(ScoringRow(len(rows), window, start, 0, len(window) - start))
        ends.append(len(rows))
        counts.append(len(ids))
    nats = log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what=what)
    return [
        DocumentLikelihood(log_likelihood=math.fsum(nats[start:stop]), tokens=tokens)
        for start, stop, tokens in zip([0, *ends], ends, counts, strict=False)
    ]
