"""Where a model comes from: its configuration, its tokenizer and its weights, each read only when asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast


class Source(ABC):
    """One model, not yet in memory. Fresh weights take its configuration and tokenizer, and leave its weights alone."""

    origin: str
    """Where it comes from, for a person."""

    @abstractmethod
    def config(self) -> PreTrainedConfig:
        """The architecture and its sizes."""

    @abstractmethod
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The tokenizer."""

    @abstractmethod
    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The model with its weights, on the CPU."""
