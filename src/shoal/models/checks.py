"""What must hold of a model and its tokenizer before a number of theirs can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError, ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def check_tokenizer(tokenizer: PreTrainedTokenizerFast, embeddings: int, origin: str) -> None:
    """Raise where a tokenizer cannot serve a model of so many embeddings.

    Raises:
        ModelError: it has no end token, or ids beyond the embeddings.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError(f"the tokenizer of {origin} has no end token; set eos_token in its tokenizer_config.json")
    highest = max(tokenizer.get_vocab().values())
    if highest >= embeddings:
        raise ModelError(
            f"the tokenizer of {origin} has ids up to {highest}, but the model has {embeddings} embeddings; "
            "give the tokenizer that the model was trained with"
        )


def check_finite(model: PreTrainedModel, origin: str) -> None:
    """Raise where a weight is not a finite number.

    Raises:
        CorruptModelError: with the name of the first such weight.
    """
    import torch

    for name, weight in model.named_parameters():
        # A sum is not finite where a term is not; the costly look at each term is taken only then.
        if not torch.isfinite(weight.detach().sum(dtype=torch.float64)) and not torch.isfinite(weight).all():
            dtype = str(weight.dtype).removeprefix("torch.")
            raise CorruptModelError(f"{name} of {origin} holds a value that is not a finite number in {dtype}")
