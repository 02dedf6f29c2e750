"""Texts as token ids, as every view of a model reads them.

A tokenizer without a token for a character leaves the character out without a word, and what is shown would be of
another text. So every text of this room is encoded here, where such a text is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import BatchEncoding, PreTrainedTokenizerFast


def encode_texts(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    max_tokens: int | None = None,
    special_tokens: bool = True,
) -> list[list[int]]:
    """Encode texts as a model reads them.

    Args:
        tokenizer: the tokenizer of the model.
        texts: what is read; an empty text may have no ids.
        max_tokens: cut each text after this many tokens; None reads all of it.
        special_tokens: add the tokens that the tokenizer puts around a text.

    Raises:
        DataError: a character has no token.
    """
    if not texts:  # tokenizers raise on an empty batch
        return []
    check_coverage(tokenizer, texts)
    rows: list[list[int]] = tokenizer(
        list(texts), add_special_tokens=special_tokens, return_attention_mask=False, verbose=False
    )["input_ids"]
    # Cut here: the truncation of a tokenizer keeps its end token, and a text that is cut off has not ended.
    return [row[:max_tokens] for row in rows]


def encode_with_offsets(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], *, documents: bool = False
) -> BatchEncoding:
    """Encode texts and keep which characters each token covers (``offset_mapping``, ``special_tokens_mask``).

    Args:
        tokenizer: a fast tokenizer (one that knows which characters a token covers).
        texts: what is read.
        documents: read each as a document: without the tokens that are put around a text, and with the control tokens
            that it mentions letter by letter.

    Raises:
        DataError: a character has no token.
    """
    check_coverage(tokenizer, texts, split_special_tokens=documents)
    return tokenizer(
        list(texts),
        add_special_tokens=not documents,
        split_special_tokens=documents,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        verbose=False,
    )
