"""A model that is ready to be used, with what must be known of it to trust a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """What `load_model` returns."""

    spec: str
    """The model spec that named it."""

    model: PreTrainedModel
    """In evaluation mode, on its device."""

    tokenizer: PreTrainedTokenizerFast

    digest: str
    """SHA-256 of the weights (names, shapes, dtypes and bytes), as 64 hexadecimal characters."""

    parameters: int
    """The number of parameters, tied ones counted once."""

    origin: str
    """Where the weights came from, for a person: a path, a hub id with its commit, or the seed of fresh weights."""
