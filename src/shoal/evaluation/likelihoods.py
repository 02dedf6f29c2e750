"""Log-likelihoods of texts, without a verdict on any token, many rows at a time.

Minimal pairs, questions with given answers and bits per byte need no more than that. Cost: one pass of the body over
all tokens and the head on scored positions; nothing is decoded.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from shoal.errors import DataError, ModelError
from shoal.evaluation.batching import ScoringRow, fill_batches, row_check, split_row
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.scoring import batch_budget, score_batch
from shoal.models import FactoredModel, factor_model
from shoal.text import opening_ids, plain_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer


def encode_texts(
    model: PreTrainedModel | FastModel, tokenizer: PreTrainedTokenizerFast | PlainTokenizer, texts: Sequence[str]
) -> list[ScoringRow]:
    """Encode texts, one row each, all of its tokens to be scored.

    A text stands behind what the tokenizer puts at the beginning; where that is nothing, behind the token that begins
    or ends a document, so that the first token of a text is scored too.

    Args:
        model: whose context and vocabulary must hold the rows.
        tokenizer: the model's.
        texts: what is to be scored.

    Raises:
        DataError: a text has no tokens, or an id lies outside the model's vocabulary.
        TooLongError: a text is longer than the model's context.
    """
    if not texts:
        return []
    opening, check = document_opening(tokenizer), row_check(model)
    rows = []
    for place, (ids, text) in enumerate(zip(plain_ids(tokenizer, texts), texts, strict=True)):
        if not ids:
            raise DataError(f"text {place} ({text[:40]!r}) has no tokens; there is nothing to score")
        row = ScoringRow(place, (*opening, *ids), len(opening), 0, len(ids))
        check(row, text)
        rows.append(row)
    return rows


def document_opening(tokenizer: PreTrainedTokenizerFast | PlainTokenizer) -> tuple[int, ...]:
    """The ids before a document: the tokenizer's own, else its token for the beginning, else that for the end.

    Raises:
        DataError: the tokenizer has none of them.
    """
    own = opening_ids(tokenizer)
    if own:
        return tuple(own)
    for name in ("bos_token_id", "eos_token_id"):
        if getattr(tokenizer, name, None) is not None:
            return (int(getattr(tokenizer, name)),)
    raise DataError("the tokenizer has no token that begins or ends a text; set tokenizer.bos_token or eos_token")


def log_likelihoods(
    model: PreTrainedModel | FastModel,
    rows: Sequence[ScoringRow],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
    what: str = "likelihoods",
) -> list[float]:
    """Σ log p of the scored tokens of each row in nats, in the order of the rows.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        rows: as `encode_texts` gives them; their items are 0, 1, ... in order.
        token_budget: tokens of a batch, padding included; a longer row goes alone.
        progress: called with (what, done, total).
        what: the name of the work that ``progress`` is called with.

    Raises:
        ModelError: the model's logits are not numbers.
    """
    parts: dict[int, list[float]] = {row.item: [] for row in rows}
    for piece, nats in _scored_pieces(model, rows, token_budget, progress, what):
        parts[piece.item].append(math.fsum(nats))
    # A row's parts come in the order of the batches; an exact sum does not depend on it.
    found = [math.fsum(parts[row.item]) for row in rows]
    _check_numbers(found)
    return found


def token_log_likelihoods(
    model: PreTrainedModel | FastModel,
    rows: Sequence[ScoringRow],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
    what: str = "likelihoods",
) -> list[list[float]]:
    """Log p of each scored token of each row in nats, in the order of the rows.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        rows: as `encode_texts` gives them; their items are 0, 1, ... in order.
        token_budget: tokens of a batch, padding included; a longer row goes alone.
        progress: called with (what, done, total).
        what: the name of the work that ``progress`` is called with.

    Raises:
        ModelError: the model's logits are not numbers.
    """
    parts: dict[int, list[tuple[int, list[float]]]] = {row.item: [] for row in rows}
    for piece, nats in _scored_pieces(model, rows, token_budget, progress, what):
        parts[piece.item].append((piece.start, nats))
    found = [[nat for _, nats in sorted(parts[row.item]) for nat in nats] for row in rows]
    _check_numbers([math.fsum(nats) for nats in found])
    return found


def _scored_pieces(
    model: PreTrainedModel | FastModel,
    rows: Sequence[ScoringRow],
    token_budget: int,
    progress: Progress | None,
    what: str,
) -> Iterator[tuple[ScoringRow, list[float]]]:
    """The parts of the rows as they are scored, each with log p of its tokens."""
    done = 0
    with scoring_mode(model):
        factored = factor_model(model, max_length=max((row.fed for row in rows), default=0))
        pieces = [piece for row in rows for piece in split_row(row, factored.lengths)]
        for batch in fill_batches(pieces, batch_budget(factored, token_budget), factored.lengths):
            yield from zip(batch, _nats_of(factored, batch), strict=True)
            done += len(batch)
            if progress is not None:
                progress(what, done, len(pieces))


def _check_numbers(nats: Sequence[float]) -> None:
    # Minus infinity is an answer: the model considers the text impossible.
    if any(math.isnan(nat) for nat in nats):
        raise ModelError("the model's logits are not numbers; its weights are broken, or the dtype is too narrow")


def _nats_of(factored: FactoredModel, batch: list[ScoringRow]) -> list[list[float]]:
    """Log p of the scored tokens of each row of a batch."""
    scores = score_batch(factored, batch).scores
    nats_N = (scores.target_N - scores.log_normalizer_N).tolist()
    ends = torch.tensor([0, *(row.stop - row.start for row in batch)]).cumsum(0).tolist()
    return [nats_N[first:last] for first, last in pairwise(ends)]
