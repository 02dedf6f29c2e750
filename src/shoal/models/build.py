"""Models from scratch: small ones of the Llama and the GPT-Neo shape, as transformers defines them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What every model from scratch has."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    """Width of the feed-forward layers."""

    context: int = 2048
    tied: bool = True
    """Whether the head uses the weights of the embedding."""

    initial_spread: float = 0.02
    """Standard deviation of the fresh weights."""

    end_token_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaShape(Shape):
    """The shape of a Llama (Touvron et al. 2023, arXiv:2302.13971): RMS norms, rotary positions, SwiGLU."""

    rope_theta: float = 10000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GptNeoShape(Shape):
    """The shape of a GPT-Neo (Black et al. 2021): layer norms, learned places, attention to all or to a window."""

    window: int = 256
    """How far the second, fourth, ... block looks."""


def build_llama(shape: LlamaShape, *, seed: int) -> PreTrainedModel:
    """A `LlamaForCausalLM` with fresh float32 weights; equal shapes and seeds give equal weights.

    Raises:
        UsageError: a size that is not positive, or a width that the heads do not divide into even parts.
    """
    _check_sizes(shape)
    if shape.width % (2 * shape.heads):
        raise UsageError(f"{shape.heads} heads do not divide a width of {shape.width} into even parts")
    from transformers import LlamaConfig

    config = LlamaConfig(
        **_common(shape),
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        attn_implementation="sdpa",
    )
    return _fresh(config, seed)


def build_gpt_neo(shape: GptNeoShape, *, seed: int) -> PreTrainedModel:
    """A `GPTNeoForCausalLM` with fresh float32 weights; equal shapes and seeds give equal weights.

    Raises:
        UsageError: a size that is not positive, or a width that the heads do not divide.
    """
    _check_sizes(shape)
    if shape.width % shape.heads:
        raise UsageError(f"{shape.heads} heads do not divide a width of {shape.width}")
    from transformers import GPTNeoConfig

    kinds = [["global", "local"][place % 2] for place in range(shape.layers)]
    config = GPTNeoConfig(
        **_common(shape),
        num_layers=shape.layers,
        num_heads=shape.heads,
        window_size=shape.window,
        attention_types=[[[kind], 1] for kind in kinds],
        attention_dropout=0.0,
        embed_dropout=0.0,
        resid_dropout=0.0,
    )
    return _fresh(config, seed)


def _common(shape: Shape) -> dict[str, Any]:
    """What both configurations call by the same name."""
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.context,
        "tie_word_embeddings": shape.tied,
        "initializer_range": shape.initial_spread,
        "bos_token_id": None,
        "eos_token_id": shape.end_token_id,
        "pad_token_id": None,
        "use_cache": True,
    }


def _check_sizes(shape: Shape) -> None:
    if min(shape.vocabulary, shape.width, shape.layers, shape.heads, shape.inner, shape.context) < 1:
        raise UsageError(f"every size of a model must be at least 1, got {shape}")


def _fresh(config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    """A model with weights drawn by the architecture's own initialization; the process's generator stays as it was."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return model.eval()
