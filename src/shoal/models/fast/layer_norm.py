"""The layers that GPT-2 and GPT-Neo share: learned positions, layer norms before each part, GELU in its tanh form.

(Radford et al. 2019, section 2.3.) Query, key and value are one product where that pays, and what a part gives is added
in place.

Shapes: B rows, L positions, D hidden width, F inner width, H heads, K width of a head.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.nn.functional import embedding, layer_norm, linear

from shoal.models.attention import attend, tanh_gelu
from shoal.models.fast.base import FastModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from shoal.models.fast.base import FusedLinear
    from shoal.models.fast.kv_cache import KeyValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Affine:
    """``x Wᵀ + b``, or the gain and shift of a norm."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The product with x."""
        return linear(x, self.weight, self.bias)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNormLayer:
    """One layer: attention within a window, and two products with GELU between them."""

    norm_1: Affine
    qkv: Affine | FusedLinear
    """Query, key and value (3D by D)."""
    out: Affine
    norm_2: Affine
    up: Affine
    down: Affine
    window: int
    """How many positions a query sees, itself included."""


class LayerNormModel(FastModel):
    """Subclasses define what their layers are and how scores are scaled."""

    embedding_name = "transformer.wte.weight"
    heads: int
    epsilon: float
    scale: float

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(settings, weights)
        self._wte, self._wpe = weights[self.embedding_name], weights["transformer.wpe.weight"]
        self._last_norm = self.affine("transformer.ln_f")

    def affine(self, name: str) -> Affine:
        """The weight and bias of this name."""
        return Affine(weight=self.weights[f"{name}.weight"], bias=self.weights.get(f"{name}.bias"))

    @property
    @abstractmethod
    def layers(self) -> list[LayerNormLayer]:
        """The layers from the bottom up."""

    def hidden(self, ids_BL: torch.Tensor, past: KeyValues | None = None) -> torch.Tensor:
        """See `FastModel.hidden`."""
        x_BLD = embedding(ids_BL, self._wte)
        x_BLD += self._wpe[: ids_BL.shape[1]] if past is None else self._wpe[past.positions(ids_BL)]
        for number, layer in enumerate(self.layers):
            qkv_BLE = layer.qkv(self._norm(x_BLD, layer.norm_1))
            x_BLD += layer.out(self._attend(qkv_BLE, number, past))
            x_BLD += layer.down(tanh_gelu(layer.up(self._norm(x_BLD, layer.norm_2))))
        return self._norm(x_BLD, self._last_norm)

    def _norm(self, x_BLD: torch.Tensor, norm: Affine) -> torch.Tensor:
        return layer_norm(x_BLD, x_BLD.shape[-1:], norm.weight, norm.bias, self.epsilon)

    def _attend(self, qkv_BLE: torch.Tensor, number: int, past: KeyValues | None) -> torch.Tensor:
        rows, length, _ = qkv_BLE.shape
        query, key, value = qkv_BLE.view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        window = self.layers[number].window
        if past is None:
            out = attend(query, key, value, window=window, scale=self.scale)
        else:
            out = past.attend(number, query, (key, value), window=window, scale=self.scale)
        return out.transpose(1, 2).reshape(rows, length, -1)
