"""GPT-Neo (Black et al. 2021): layer norms, learned positions, attention to everything and to a window in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.models.architectures.base import Architecture, ModelShape

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


class GPTNeo(Architecture):
    """``GPTNeoForCausalLM``; the second, fourth, ... block attends to a window."""

    name = "gpt-neo"
    class_name = "GPTNeoForCausalLM"

    @classmethod
    def default_inner(cls, width: int) -> int:
        """4 times the width."""
        return 4 * width

    @classmethod
    def config(cls, shape: ModelShape, common: dict[str, Any]) -> PreTrainedConfig:
        """See `Architecture.config`."""
        if shape.width % shape.heads:
            raise UsageError(f"{shape.heads} heads do not divide a width of {shape.width}")
        from transformers import GPTNeoConfig

        kinds = [["global", "local"][place % 2] for place in range(shape.layers)]
        return GPTNeoConfig(
            **common,
            num_layers=shape.layers,
            num_heads=shape.heads,
            window_size=shape.window,
            attention_types=[[[kind], 1] for kind in kinds],
            attention_dropout=0.0,
            embed_dropout=0.0,
            resid_dropout=0.0,
        )
