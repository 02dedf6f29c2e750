"""The vectors that a model has for the tokens of a text: those it reads with, those it writes with, those in between.

Shapes: L tokens, V vocabulary, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.errors import DataError, ModelError, TooLongError
from shoal.text import check_coverage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from shoal.models import LoadedModel

    Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenVectors:
    """A text's vectors in one model."""

    model: str
    text: str
    tokens: tuple[str, ...]
    """As the text shows them; what the tokenizer adds stands as it is in the vocabulary."""

    ids: tuple[int, ...]
    vocabulary: tuple[str, ...]
    """What each id decodes to."""

    input_VD: Vectors
    """The embedding: what the model reads each token of the vocabulary as."""

    output_VD: Vectors | None
    """The unembedding: what each logit is a product with; None where the model has none."""

    tied: bool
    """Whether the two are one matrix."""

    contextual: tuple[Vectors, ...]
    """L by D each: what goes into the first layer, and what comes out of each one (the last as the head takes it)."""

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
    """Read all vectors of a text.

    Args:
        loaded: any causal language model.
        text: at least one token, at most the model's context.

    Raises:
        DataError: the text has no token.
        TooLongError: it has more than the context.
        ModelError: the model does not give its hidden states.
    """
    check_coverage(loaded.tokenizer, [text])
    ids = loaded.tokenizer(text, verbose=False)["input_ids"] if text else []
    if not ids:
        raise DataError("the text has no token; give at least one word")
    context = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None)
    if context is not None and len(ids) > context:
        raise TooLongError(
            f"the text has {len(ids)} tokens, the context of {loaded.spec} is {context}; give a shorter one"
        )
    output = loaded.model(torch.tensor([ids], device=loaded.model.device), output_hidden_states=True, use_cache=False)
    if not output.get("hidden_states"):
        raise ModelError(f"{type(loaded.model).__name__} does not give its hidden states; name another model")
    inward, outward = loaded.model.get_input_embeddings(), loaded.model.get_output_embeddings()
    tied = outward is not None and outward.weight.data_ptr() == inward.weight.data_ptr()
    names = tuple(_shown(loaded, id_) for id_ in range(len(loaded.tokenizer)))
    return TokenVectors(
        model=loaded.spec,
        text=text,
        tokens=tuple(names[id_] for id_ in ids),
        ids=tuple(ids),
        vocabulary=names,
        input_VD=_array(inward.weight)[: len(names)],
        output_VD=None if outward is None else _array(outward.weight)[: len(names)],
        tied=tied,
        contextual=tuple(_array(state[0]) for state in output["hidden_states"]),
    )


def _array(values: torch.Tensor) -> Vectors:
    array: Vectors = values.detach().float().cpu().numpy()
    return array


def _shown(loaded: LoadedModel, id_: int) -> str:
    """What an id stands for; the vocabulary's own word where that is a part of a character."""
    text = str(loaded.tokenizer.decode([id_], clean_up_tokenization_spaces=False))
    if "\N{REPLACEMENT CHARACTER}" in text or not text:
        return str(loaded.tokenizer.convert_ids_to_tokens(id_))
    return text
