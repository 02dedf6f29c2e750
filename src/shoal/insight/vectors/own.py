"""The word vectors that a language model has of its own: the mean of the input vectors of a word's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.text import lost_character_finder
from shoal.text.vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import LoadedModel


def own_vectors(loaded: LoadedModel, words: Sequence[str]) -> WordVectors:
    """Take a model's input vectors of words, each read as it stands within a sentence (after a blank).

    Args:
        loaded: any causal language model.
        words: those wanted; one of which the tokenizer has no tokens, or not for every character, is left out.
    """
    lost = lost_character_finder(loaded.tokenizer)
    words = [word for word in words if lost(f" {word}") is None]
    matrix_VD = loaded.model.get_input_embeddings().weight.detach().float().cpu().numpy()
    encoded = loaded.tokenizer([f" {word}" for word in words], add_special_tokens=False, verbose=False)["input_ids"]
    kept = [(word, ids) for word, ids in zip(words, encoded, strict=True) if ids]
    return WordVectors(
        words=tuple(word for word, _ in kept), matrix=np.stack([matrix_VD[ids].mean(axis=0) for _, ids in kept])
    )
