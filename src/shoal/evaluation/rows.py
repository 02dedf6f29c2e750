"""Examples as rows of ids that fit into a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError, TooLongError
from shoal.evaluation.batches import Row
from shoal.models import context_of
from shoal.models.fast import FastModel
from shoal.text import encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example
    from shoal.text import PlainTokenizer


def encode_rows(
    model: PreTrainedModel | FastModel, tokenizer: PreTrainedTokenizerFast | PlainTokenizer, examples: Sequence[Example]
) -> list[Row]:
    """One row an example, over its whole target.

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an example cannot be encoded, or an id lies outside the model's vocabulary.
    """
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    check = row_check(model)
    rows = [Row(index, pair.ids, pair.boundary, 0, len(pair.target)) for index, pair in enumerate(pairs)]
    for row, example in zip(rows, examples, strict=True):
        check(row, example.prompt)
    return rows


def row_check(model: PreTrainedModel | FastModel) -> Callable[[Row, str], None]:
    """What refuses a row that the model cannot read; it is called with the row and the text that it begins with.

    Raises:
        TooLongError: (the check) the row is longer than the model's context.
        DataError: (the check) an id lies outside the model's vocabulary.
    """
    context, vocabulary = model_limits(model)

    def check(row: Row, text: str) -> None:
        if context is not None and len(row.ids) - 1 > context:
            raise TooLongError(
                f"example {row.item} ({text[:40]!r}) takes {len(row.ids)} tokens, its prompt {row.boundary}, and "
                f"the model reads at most {context}; shorten it or take a model with a longer context"
            )
        if max(row.ids) >= vocabulary:
            raise DataError(
                f"example {row.item} has the token id {max(row.ids)}, and the model knows {vocabulary} tokens; "
                f"use the model's own tokenizer"
            )

    return check


def model_limits(model: PreTrainedModel | FastModel) -> tuple[int | None, int]:
    """How many tokens the model reads at most, where it says so, and how many it knows."""
    if isinstance(model, FastModel):
        return model.context, model.embeddings
    return context_of(model), model.get_input_embeddings().weight.shape[0]
