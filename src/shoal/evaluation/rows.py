"""Examples as rows of ids that fit into a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError, TooLongError
from shoal.evaluation.batches import Row
from shoal.models.bodies import Body
from shoal.text.encoding import EncodedPair, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks.example import Example
    from shoal.text.plain_tokenizer import PlainTokenizer


def encode_rows(
    model: PreTrainedModel | Body, tokenizer: PreTrainedTokenizerFast | PlainTokenizer, examples: Sequence[Example]
) -> list[Row]:
    """One row an example, over its whole target.

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an example cannot be encoded, or an id lies outside the model's vocabulary.
    """
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    context, vocabulary = _limits(model)
    for index, (pair, example) in enumerate(zip(pairs, examples, strict=True)):
        _check(pair, index, example, context, vocabulary)
    return [Row(index, pair.ids, pair.boundary, 0, len(pair.target)) for index, pair in enumerate(pairs)]


def _limits(model: PreTrainedModel | Body) -> tuple[int | None, int]:
    """How many tokens the model reads at most, where it says so, and how many it knows."""
    if isinstance(model, Body):
        return model.context, model.embeddings
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return context, model.get_input_embeddings().weight.shape[0]


def _check(pair: EncodedPair, index: int, example: Example, context: int | None, vocabulary: int) -> None:
    if context is not None and len(pair.ids) - 1 > context:
        raise TooLongError(
            f"example {index} ({example.prompt[:40]!r}) takes {len(pair.ids)} tokens, its prompt {pair.boundary}, and "
            f"the model reads at most {context}; shorten it or take a model with a longer context"
        )
    if max(pair.ids) >= vocabulary:
        raise DataError(
            f"example {index} has the token id {max(pair.ids)}, and the model knows {vocabulary} tokens; "
            f"use the model's own tokenizer"
        )
