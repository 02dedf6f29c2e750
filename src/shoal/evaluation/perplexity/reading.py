"""Reading plain texts with a model: each document apart, long ones in sliding windows.

Method: a document stands behind what opens it (the tokenizer's beginning token, else the token that ends documents), so
that its first token is scored too. One that is longer than the context is read in windows that overlap, as the guide of
`transformers` on perplexity does; only the tokens that are new in a window are scored. Cost: one pass over the windows,
context / stride tokens read for each token scored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError, UsageError
from shoal.evaluation.batching import ScoringRow, model_limits
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.likelihoods import document_opening, token_log_likelihoods
from shoal.evaluation.perplexity.report import PerplexityReport, ScoredDocument, SurprisingToken
from shoal.evaluation.scoring import Scorer
from shoal.evaluation.windows import cut_windows
from shoal.models import factor_model
from shoal.statistics import check_confidence
from shoal.text import plain_ids, plain_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import LoadedModel, ScoringModel
    from shoal.progress import Progress

    Model = ScoringModel | LoadedModel


def perplexity(
    loaded: ScoringModel | LoadedModel,
    documents: str | Sequence[str],
    *,
    stride: int | None = None,
    context: int | None = None,
    surprising: int = 10,
    confidence: float = 0.95,
    seed: int = 0,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> PerplexityReport:
    """Measure how well a model predicts plain texts: per token, per word and per byte, with intervals over documents.

    Args:
        loaded: what `load_for_scoring` or `load_model` gives.
        documents: one text, or several; each is read apart from the others.
        stride: tokens that each window after the first scores, 1 to the context; None is half of the context.
        context: tokens that a window reads; None is all that the model can.
        surprising: how many of the most surprising tokens are named.
        confidence: of the intervals.
        seed: of the bootstrap.
        token_budget: tokens of a batch, padding included; a longer window goes alone.
        progress: called with (what, done, total).

    Raises:
        DataError: there is no text, a document has no token, or a token that the model does not know.
        UsageError: a stride or a context that cannot be.
        ModelError: the model's logits are not numbers.
    """
    check_confidence(confidence)
    texts = [documents] if isinstance(documents, str) else list(documents)
    ids = _encode(loaded, texts)
    limit, stride = _limits(loaded, context, stride)
    opening = document_opening(loaded.tokenizer)
    nats, windows = _score(loaded, ids, opening, limit, stride, token_budget, progress)
    scored = tuple(
        ScoredDocument(text=text, spans=tuple(spans), nats=np.array(row, dtype=np.float64))
        for text, spans, row in zip(texts, plain_spans(loaded.tokenizer, texts), nats, strict=True)
    )
    longer = sum(len(row) > 1 for row in windows)
    apart = None
    # The figure without overlap is what many papers report; it costs a second pass, and only long documents need it.
    if longer and limit is not None and stride < limit:
        separate, _ = _score(loaded, ids, opening, limit, limit, token_budget, progress)
        apart = -math.fsum(map(math.fsum, separate))
    return PerplexityReport(
        model=loaded.spec,
        digest=loaded.digest,
        parameters=loaded.parameters,
        opening=tuple(str(loaded.tokenizer.convert_ids_to_tokens(id_)) for id_ in opening),
        context=limit,
        stride=None if limit is None else stride,
        documents=scored,
        longer_documents=longer,
        nats_without_overlap=apart,
        surprising=_most_surprising(loaded, ids, scored, windows, surprising),
        confidence=confidence,
        seed=seed,
    )


def _encode(loaded: Model, texts: Sequence[str]) -> list[list[int]]:
    """The ids of each document, at least one."""
    if not texts:
        raise DataError("there is no text; give at least one document")
    _, vocabulary = model_limits(loaded.model)
    rows = plain_ids(loaded.tokenizer, texts)
    for place, (text, row) in enumerate(zip(texts, rows, strict=True), 1):
        if not row:
            raise DataError(
                f"document {place} ({text[:40]!r}) has no tokens; a text needs at least one to be predicted"
            )
        if max(row) >= vocabulary:
            raise DataError(
                f"document {place} has the token id {max(row)}, and the model knows {vocabulary} tokens; use the "
                "model's own tokenizer"
            )
    return rows


def _limits(loaded: Model, context: int | None, stride: int | None) -> tuple[int | None, int]:
    """The context that is used, and the stride; without a limit the stride plays no part."""
    own, _ = model_limits(loaded.model)
    if context is not None and (context < 1 or (own is not None and context > own)):
        raise UsageError(f"the context is {context}; {loaded.spec} reads 1 to {own or 'any number of'} tokens")
    limit = own if context is None else context
    if limit is None:
        if stride is not None:
            raise UsageError(
                f"{loaded.spec} reads texts of any length in one piece; give --context too, or no --stride"
            )
        return None, 0
    if stride is not None and not 1 <= stride <= limit:
        raise UsageError(f"the stride is {stride}; give 1 to {limit} tokens, the context of a window")
    return limit, max(1, limit // 2) if stride is None else stride


def _score(
    loaded: Model,
    ids: Sequence[Sequence[int]],
    opening: tuple[int, ...],
    limit: int | None,
    stride: int,
    token_budget: int,
    progress: Progress | None,
) -> tuple[list[list[float]], list[list[ScoringRow]]]:
    """Log p of each token of each document, and the windows of each document in order."""
    windows: list[list[ScoringRow]] = []
    rows: list[ScoringRow] = []
    for row in ids:
        cut = cut_windows((*opening, *row), len(opening), context=limit, stride=stride)
        made = [
            ScoringRow(len(rows) + place, window, start, 0, len(window) - start)
            for place, (window, start) in enumerate(cut)
        ]
        rows += made
        windows.append(made)
    found = token_log_likelihoods(
        loaded.model, rows, token_budget=token_budget, progress=progress, what=f"perplexity of {loaded.spec}"
    )
    return [[nat for row in made for nat in found[row.item]] for made in windows], windows


def _most_surprising(
    loaded: Model,
    ids: Sequence[Sequence[int]],
    documents: Sequence[ScoredDocument],
    windows: Sequence[Sequence[ScoringRow]],
    count: int,
) -> tuple[SurprisingToken, ...]:
    """The tokens of the lowest probability, with what the model expected there."""
    if count < 1:
        return ()
    sizes = np.cumsum([0, *(len(document.nats) for document in documents)])
    nats_T = np.concatenate([document.nats for document in documents])
    # A stable order: of equal ones the first in the text.
    chosen = np.argsort(nats_T, kind="stable")[:count]
    places = []
    for number in chosen.tolist():
        document = int(np.searchsorted(sizes, number, side="right")) - 1
        places.append((document, number - int(sizes[document])))
    rows = [_row_of(item, windows[document], place) for item, (document, place) in enumerate(places)]
    with scoring_mode(loaded.model):
        factored = factor_model(loaded.model, max_length=max(row.fed for row in rows))
        # Once more for these few tokens: to hold the likeliest token of every place would take the memory of all
        # logits.
        spans = sorted(Scorer(factored, 4096).score(rows), key=lambda span: span.row.item)
    found = []
    for (document, place), span in zip(places, spans, strict=True):
        nat = float(documents[document].nats[place])
        expected = None if span.greedy_id is None else loaded.tokenizer.decode([span.greedy_id])
        found.append(
            SurprisingToken(
                document=document,
                place=place,
                id=ids[document][place],
                text=documents[document].piece(place) or str(loaded.tokenizer.decode([ids[document][place]])),
                nats=nat,
                expected=expected,
                # The margin is the target's logit minus the best other one.
                expected_nats=None if expected is None else nat - span.margins[0],
            )
        )
    return tuple(found)


def _row_of(item: int, windows: Sequence[ScoringRow], place: int) -> ScoringRow:
    """The row that scores one token of a document, with the context that it had."""
    for window in windows:
        if place < window.stop:
            at = window.boundary + place
            return ScoringRow(item, window.ids[: at + 1], at, 0, 1)
        place -= window.stop
    raise IndexError(place)
