"""Llama (Touvron et al. 2023, arXiv:2302.13971): RMS norms, rotary positions, SwiGLU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.models.architectures.base import Architecture, ModelShape

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# SwiGLU has three matrices where a plain layer has two, so 8/3 of the width has the weights of 4 times the width;
# rounded up to a multiple of 8, which matrix kernels prefer.
_MULTIPLE = 8


class Llama(Architecture):
    """``LlamaForCausalLM``."""

    name = "llama"
    class_name = "LlamaForCausalLM"

    @classmethod
    def default_inner(cls, width: int) -> int:
        """8/3 of the width (section 2.2)."""
        return -(-8 * width // (3 * _MULTIPLE)) * _MULTIPLE

    @classmethod
    def config(cls, shape: ModelShape, common: dict[str, Any]) -> PreTrainedConfig:
        """See `Architecture.config`; rotary positions need heads of an even width."""
        if shape.width % (2 * shape.heads):
            raise UsageError(f"{shape.heads} heads do not divide a width of {shape.width} into even parts")
        from transformers import LlamaConfig

        return LlamaConfig(
            **common,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
            attn_implementation="sdpa",
        )
