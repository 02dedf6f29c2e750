"""A written model that `transformers` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


class TorchModel:
    """A model of `transformers` with its tokenizer, as `WrittenModel` has it."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self._model = model
        self._tokenizer = tokenizer

    def logits(self, ids: Sequence[int]) -> np.ndarray:
        """The logits (L × V) after each of L ids."""
        import torch

        with torch.inference_mode():
            found: np.ndarray = self._model(input_ids=torch.tensor([list(ids)])).logits[0].float().numpy()
        return found

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with what the tokenizer puts around it."""
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids
