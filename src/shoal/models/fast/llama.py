"""Llama (Touvron et al. 2023, section 2.2): root-mean-square norms, rotary positions, gated products.

Where they are small, query, key and value are one product, as are gate and up. The rotation is written as in
`transformers`, so that its numbers are the same to the last bit.

Shapes: B rows, L positions, D hidden width, H heads, G heads of keys, K width of a head.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.nn.functional import embedding, linear, silu

from shoal.models.attention import attend
from shoal.models.fast.base import FastModel, FusedLinear, narrowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.models.fast.kv_cache import KeyValues

Angles = tuple[torch.Tensor, torch.Tensor]

_ALL = sys.maxsize
"""A window that hides nothing: beyond the context that it was trained for, too, a Llama sees all of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaLayer:
    """The weights of one layer."""

    norm_1: torch.Tensor
    qkv: FusedLinear
    """Query, key and value ((H + 2G) · K by D)."""
    out: torch.Tensor
    norm_2: torch.Tensor
    gate_up: FusedLinear
    """Gate and up (2F by D)."""
    down: torch.Tensor


class FastLlama(FastModel):
    """Computes the hidden states of ``LlamaForCausalLM``."""

    model_type = "llama"
    modules = frozenset(
        {
            "LlamaForCausalLM", "LlamaModel", "LlamaDecoderLayer", "LlamaAttention", "LlamaMLP", "LlamaRMSNorm",
            "LlamaRotaryEmbedding", "SiLU", "SiLUActivation", "ModuleList", "Embedding", "Linear",
        }
    )  # fmt: skip
    defaults: ClassVar[Mapping[str, Any]] = {
        "attention_bias": False, "head_dim": None, "hidden_act": "silu", "hidden_size": 4096,
        "intermediate_size": 11008, "max_position_embeddings": 2048, "mlp_bias": False, "num_attention_heads": 32,
        "num_hidden_layers": 32, "num_key_value_heads": None, "rms_norm_eps": 1e-6, "rope_parameters": None,
        "tie_word_embeddings": False, "vocab_size": 32000,
    }  # fmt: skip
    embedding_name = "model.embed_tokens.weight"

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(settings, weights)
        self._heads, self._key_heads, self._width = _heads(settings)
        self._epsilon = settings["rms_norm_eps"]
        self._layers = [self._layer(f"model.layers.{number}") for number in range(settings["num_hidden_layers"])]
        exponents = torch.arange(0, self._width, 2, dtype=torch.float32) / self._width
        # Made in float32 whatever the dtype is, as the original makes them.
        self._frequencies = (1.0 / settings["rope_parameters"]["rope_theta"] ** exponents).to(self.device)

    def _layer(self, name: str) -> LlamaLayer:
        weights = self.weights
        return LlamaLayer(
            norm_1=weights[f"{name}.input_layernorm.weight"],
            qkv=FusedLinear(*(weights[f"{name}.self_attn.{part}_proj.weight"] for part in "qkv")),
            out=weights[f"{name}.self_attn.o_proj.weight"],
            norm_2=weights[f"{name}.post_attention_layernorm.weight"],
            gate_up=FusedLinear(*(weights[f"{name}.mlp.{part}_proj.weight"] for part in ("gate", "up"))),
            down=weights[f"{name}.mlp.down_proj.weight"],
        )

    def hidden(self, ids_BL: torch.Tensor, past: KeyValues | None = None) -> torch.Tensor:
        """See `FastModel.hidden`."""
        x_BLD = embedding(ids_BL, self.weights[self.embedding_name])
        length = ids_BL.shape[1]
        angles = self._angles(torch.arange(length, device=self.device) if past is None else past.positions(ids_BL))
        for number, layer in enumerate(self._layers):
            qkv_BLE = layer.qkv(self._norm(x_BLD, layer.norm_1))
            x_BLD += linear(self._attend(qkv_BLE, angles, number, past), layer.out)
            gate_BLF, up_BLF = layer.gate_up(self._norm(x_BLD, layer.norm_2)).chunk(2, dim=-1)
            x_BLD += linear(silu(gate_BLF).mul_(up_BLF), layer.down)
        return self._norm(x_BLD, self.weights["model.norm.weight"])

    def _norm(self, x_BLD: torch.Tensor, gain_D: torch.Tensor) -> torch.Tensor:
        # As LlamaRMSNorm does: squares of 16-bit numbers overflow or lose their digits.
        wide_BLD = x_BLD.float() if self.dtype.itemsize < 4 else x_BLD
        scale_BL1 = wide_BLD.pow(2).mean(-1, keepdim=True).add_(self._epsilon).rsqrt_()
        return (wide_BLD * scale_BL1).to(self.dtype).mul_(gain_D)

    def _angles(self, positions: torch.Tensor) -> Angles:
        """Cosines and sines of the positions, to be spread over rows and heads (… × L × K / 2)."""
        kind = torch.promote_types(torch.float32, self.dtype)
        half = positions[..., None].to(kind) * self._frequencies.to(kind)
        cos, sin = half.cos().to(self.dtype), half.sin().to(self.dtype)
        return (cos, sin) if half.ndim == 2 else (cos[:, None], sin[:, None])

    def _attend(self, qkv_BLE: torch.Tensor, angles: Angles, number: int, past: KeyValues | None) -> torch.Tensor:
        rows, length, _ = qkv_BLE.shape
        turning, rest = self._heads + self._key_heads, self._key_heads
        both, value = qkv_BLE.view(rows, length, -1, self._width).transpose(1, 2).split((turning, rest), dim=1)
        query, key = _turned(both, angles).split((self._heads, self._key_heads), dim=1)
        scale = self._width**-0.5
        if past is None:
            out = attend(query, key, value, window=_ALL, scale=scale)
        else:
            out = past.attend(number, query, (key, value), window=_ALL, scale=scale)
        return out.transpose(1, 2).reshape(rows, length, -1)

    @classmethod
    def fits(cls, settings: Mapping[str, Any]) -> bool:
        """Plain Llama: no biases, and rotary positions without scaling."""
        rope = settings["rope_parameters"]
        heads, key_heads, _ = _heads(settings)
        return (
            isinstance(rope, dict)
            and set(rope) == {"rope_type", "rope_theta"}
            and rope["rope_type"] == "default"
            and type(rope["rope_theta"]) in (int, float)
            and 0 < rope["rope_theta"] < math.inf
            and settings["hidden_act"] == "silu"
            and not settings["attention_bias"]
            and not settings["mlp_bias"]
            and heads % key_heads == 0
        )

    @classmethod
    def settings_beyond_weights(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `FastModel.settings_beyond_weights`."""
        return {
            "heads": _heads(settings),
            "epsilon": narrowed(settings["rms_norm_eps"]),
            "base": narrowed(settings["rope_parameters"]["rope_theta"]),
            "context": settings["max_position_embeddings"],
        }

    @classmethod
    def shapes(cls, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """See `FastModel.shapes`."""
        width, inner = settings["hidden_size"], settings["intermediate_size"]
        heads, key_heads, each = _heads(settings)
        shapes: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": (settings["vocab_size"], width),
            "model.norm.weight": (width,),
        }
        for number in range(settings["num_hidden_layers"]):
            layer = f"model.layers.{number}"
            shapes |= {
                f"{layer}.input_layernorm.weight": (width,),
                f"{layer}.post_attention_layernorm.weight": (width,),
                f"{layer}.self_attn.q_proj.weight": (heads * each, width),
                f"{layer}.self_attn.k_proj.weight": (key_heads * each, width),
                f"{layer}.self_attn.v_proj.weight": (key_heads * each, width),
                f"{layer}.self_attn.o_proj.weight": (width, heads * each),
                f"{layer}.mlp.gate_proj.weight": (inner, width),
                f"{layer}.mlp.up_proj.weight": (inner, width),
                f"{layer}.mlp.down_proj.weight": (width, inner),
            }
        return shapes if settings["tie_word_embeddings"] else shapes | {cls.head_name: (settings["vocab_size"], width)}


def _heads(settings: Mapping[str, Any]) -> tuple[int, int, int]:
    """Heads, heads of keys, and the width of each."""
    heads = settings["num_attention_heads"]
    return heads, settings["num_key_value_heads"] or heads, settings["head_dim"] or settings["hidden_size"] // heads


def _turned(states_BHLK: torch.Tensor, angles: Angles) -> torch.Tensor:
    """Rotated by the angle of each position (Su et al. 2021, equation 34), the two halves of a head being the pairs.

    The numbers of a pair come to stand side by side, in queries and in keys, which leaves their products as they are.
    """
    cos, sin = angles
    first, second = states_BHLK.chunk(2, dim=-1)
    if states_BHLK.dtype.itemsize < 4:
        # There are no complex numbers of 16 bits.
        return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)
    # One product of complex numbers is an eighth of the work of four products, and two sums, of short vectors.
    return torch.view_as_real(torch.complex(first, second) * torch.complex(cos, sin)).flatten(-2)
