"""Bits per byte of held-out documents, of any length.

Bits are summed over tokens and divided by the bytes of the text in UTF-8, so that models with different tokenizers can
be compared.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.evaluation.documents import document_likelihoods
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean

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
    found = document_likelihoods(
        model, tokenizer, documents, token_budget=token_budget, progress=progress, what="held-out text"
    )
    bits = [-document.log_likelihood / math.log(2) for document in found]
    sizes = [len(document.encode()) for document in documents]
    note = f"{sum(sizes):,} bytes in {len(documents):,} documents"
    return clustered_mean("bits per byte", bits, range(len(bits)), weights=sizes, better="less", note=note)
