"""The embeddings of a model: of the tokens of a text at every layer, and of words by their input vectors.

Shapes: L tokens, V vocabulary, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import DataError, ModelError, TooLongError
from shoal.insight.hooks import find_segments
from shoal.insight.tokens.reading import encode_texts
from shoal.models import forget
from shoal.text import lost_character_finder
from shoal.text.vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from shoal.models import LoadedModel

    Vectors = npt.NDArray[np.float32]

_BLANKS = ("▁", "Ġ")
"""As vocabularies write a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenVectors:
    """The vectors of a text in one model."""

    model: str
    text: str
    tokens: tuple[str, ...]
    """As they stand in the text; tokens that the tokenizer adds as they stand in the vocabulary."""

    ids: tuple[int, ...]
    vocabulary: tuple[str, ...]
    """The text that each id decodes to."""

    input_VD: Vectors
    """The embedding matrix."""

    output_VD: Vectors | None
    """The unembedding matrix, with which each logit is a product; None where the model has none."""

    tied: bool
    """Whether the two are the same matrix."""

    contextual: tuple[Vectors, ...]
    """Input of the first layer and output of each layer, L by D each (the last as the head reads it)."""

    @property
    def spaces(self) -> dict[str, Vectors]:
        """The text's vectors (L × D) by name: ``input``, ``output``, and ``contextual``, those of the last layer."""
        rows = list(self.ids)
        found = {"input": self.input_VD[rows]}
        if self.output_VD is not None and not self.tied:
            found["output"] = self.output_VD[rows]
        return found | {"contextual": self.contextual[-1]}


@torch.inference_mode()
def read_vectors(loaded: LoadedModel, text: str) -> TokenVectors:
    """Read the input, output and contextual vectors of a text.

    Args:
        loaded: any causal language model.
        text: at least one token, at most the model's context.

    Raises:
        DataError: the text has no token.
        TooLongError: it has more than the context.
        ModelError: the model does not give its hidden states.
    """
    ids = encode_texts(loaded.tokenizer, [text])[0] if text else []
    if not ids:
        raise DataError("the text has no token; give at least one word")
    context = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None)
    if context is not None and len(ids) > context:
        raise TooLongError(
            f"the text has {len(ids)} tokens, the context of {loaded.spec} is {context}; give a shorter one"
        )
    inward, outward = loaded.model.get_input_embeddings(), loaded.model.get_output_embeddings()
    # By memory: a tied matrix is one, and equal values may be a coincidence of initialisation.
    tied = outward is not None and outward.weight.data_ptr() == inward.weight.data_ptr()
    names = tuple(_shown(loaded, id_) for id_ in range(len(loaded.tokenizer)))
    return TokenVectors(
        model=loaded.spec,
        text=text,
        tokens=tuple(names[id_] for id_ in ids),
        ids=tuple(ids),
        vocabulary=names,
        # Embeddings are often padded beyond the vocabulary.
        input_VD=_array(inward.weight)[: len(names)],
        output_VD=None if outward is None else _array(outward.weight)[: len(names)],
        tied=tied,
        contextual=_hidden_states(loaded, ids),
    )


def embed_words(loaded: LoadedModel, words: Sequence[str]) -> WordVectors:
    """Embed words by the input vectors of a model: the mean over the tokens of a word that follows a blank.

    Args:
        loaded: any causal language model.
        words: the words; one of which the tokenizer has no tokens, or not for every character, is left out.

    Raises:
        DataError: all of them are left out.
    """
    given = len(words)
    lost = lost_character_finder(loaded.tokenizer)
    words = [word for word in words if lost(f" {word}") is None]
    matrix_VD = _array(loaded.model.get_input_embeddings().weight)
    known = [(word, ids) for word, ids in zip(words, _behind_a_blank(loaded.tokenizer, words), strict=True) if ids]
    if not known:
        raise DataError(f"the tokenizer of {loaded.spec} can write none of the {given} words; give words of its script")
    return WordVectors(
        words=tuple(word for word, _ in known), matrix=np.stack([matrix_VD[ids].mean(axis=0) for _, ids in known])
    )


def _behind_a_blank(tokenizer: PreTrainedTokenizerFast, words: Sequence[str]) -> list[list[int]]:
    """The ids of each word as it follows a blank, the blank once.

    SentencePiece puts a blank before every text, and one that is written would be a token of its own.
    """
    bare, blank = (
        encode_texts(tokenizer, texts, special_tokens=False) for texts in (words, [f" {word}" for word in words])
    )
    return [
        own if own and str(tokenizer.convert_ids_to_tokens(own[0])).startswith(_BLANKS) else other
        for own, other in zip(bare, blank, strict=True)
    ]


def _hidden_states(loaded: LoadedModel, ids: Sequence[int]) -> tuple[Vectors, ...]:
    """The hidden states of every layer, each position as the prefix that ends there gives it."""
    ids_1L = torch.tensor([ids], device=loaded.model.device)
    parts = []
    for segment in find_segments(loaded.model, len(ids)):
        if segment.forget:
            forget(loaded.model)
        output = loaded.model(ids_1L[:, : segment.stop], output_hidden_states=True, use_cache=False)
        if not output.get("hidden_states"):
            raise ModelError(f"{type(loaded.model).__name__} does not return its hidden states; name another model")
        parts.append([_array(state[0, segment.start :]) for state in output["hidden_states"]])
    return tuple(np.concatenate(layer) for layer in zip(*parts, strict=True))


def _array(values: torch.Tensor) -> Vectors:
    array: Vectors = values.detach().float().cpu().numpy()
    return array


def _shown(loaded: LoadedModel, id_: int) -> str:
    """The text of an id; its entry in the vocabulary where that is a part of a character."""
    text = str(loaded.tokenizer.decode([id_], clean_up_tokenization_spaces=False))
    if "\N{REPLACEMENT CHARACTER}" in text or not text:
        return str(loaded.tokenizer.convert_ids_to_tokens(id_))
    return text
