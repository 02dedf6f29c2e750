"""Bits per byte of held-out documents, of any length.

A document longer than the model's context is read in windows that overlap by half, so that every token but those of
the first window is predicted from at least half a context. Bits are summed over tokens and divided by the bytes of the
text in UTF-8, so that models with different tokenizers can be compared.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.evaluation.batching import ScoringRow, model_limits
from shoal.evaluation.likelihoods import document_opening, log_likelihoods
from shoal.evaluation.perplexity.windows import cut_windows
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean
from shoal.text import plain_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer


def held_out_bits(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    documents: Sequence[str],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> StoryMeasure:
    """Bits per byte over all documents, with an interval over documents; end tokens are not counted.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        documents: text that the model was not trained on; at least one.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        DataError: there are no documents, or one has no tokens or ids that the model does not know.
        ModelError: the model's logits are not numbers.
    """
    if not documents:
        raise DataError("there is no held-out text; give at least one document")
    context, vocabulary = model_limits(model)
    opening = document_opening(tokenizer)
    rows: list[ScoringRow] = []
    homes: list[int] = []
    for place, ids in enumerate(plain_ids(tokenizer, documents)):
        if not ids or max(ids) >= vocabulary:
            raise DataError(f"document {place} ({documents[place][:40]!r}) has no tokens, or some that are unknown")
        whole = (*opening, *ids)
        # Half a window is new; the last one is moved back until it is full: more context for the same tokens.
        stride = None if context is None else context + 1 - (context + 1) // 2
        for window, start in cut_windows(whole, len(opening), context=context, stride=stride, full=True):
            rows.append(ScoringRow(len(rows), window, start, 0, len(window) - start))
            homes.append(place)
    nats = log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what="held-out text")
    bits = [
        -math.fsum(nat for _, nat in group) / math.log(2)
        for _, group in groupby(zip(homes, nats, strict=True), key=lambda pair: pair[0])
    ]
    sizes = [len(document.encode()) for document in documents]
    note = f"{sum(sizes):,} bytes in {len(documents):,} documents"
    return clustered_mean("bits per byte", bits, range(len(bits)), weights=sizes, better="less", note=note)
