"""GPT-2 (Radford et al. 2019). Its products hold their weights transposed, query, key and value already joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from shoal.models.fast.base import narrowed
from shoal.models.fast.layer_norm import Affine, LayerNormLayer, LayerNormModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class FastGPT2(LayerNormModel):
    """Computes the hidden states of ``GPT2LMHeadModel``."""

    model_type = "gpt2"
    modules = frozenset(
        {
            "GPT2LMHeadModel", "GPT2Model", "GPT2Block", "GPT2Attention", "GPT2MLP", "NewGELUActivation", "Conv1D",
            "ModuleList", "Embedding", "Linear", "LayerNorm", "Dropout",
        }
    )  # fmt: skip
    defaults: ClassVar[Mapping[str, Any]] = {
        "activation_function": "gelu_new", "add_cross_attention": False, "layer_norm_epsilon": 1e-5, "n_embd": 768,
        "n_head": 12, "n_inner": None, "n_layer": 12, "n_positions": 1024, "reorder_and_upcast_attn": False,
        "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True, "tie_word_embeddings": True,
        "vocab_size": 50257,
    }  # fmt: skip
    positions_setting = "n_positions"
    layers_setting = "n_layer"

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(settings, weights)
        self.heads, self.epsilon = settings["n_head"], settings["layer_norm_epsilon"]
        self.scale = (settings["n_embd"] // self.heads) ** -0.5
        self._layers = [self._layer(f"transformer.h.{number}") for number in range(settings["n_layer"])]

    @property
    def layers(self) -> list[LayerNormLayer]:
        """See `LayerNormModel`."""
        return self._layers

    def _layer(self, name: str) -> LayerNormLayer:
        return LayerNormLayer(
            norm_1=self.affine(f"{name}.ln_1"),
            qkv=self._transposed(f"{name}.attn.c_attn"),
            out=self._transposed(f"{name}.attn.c_proj"),
            norm_2=self.affine(f"{name}.ln_2"),
            up=self._transposed(f"{name}.mlp.c_fc"),
            down=self._transposed(f"{name}.mlp.c_proj"),
            window=self.context,
        )

    def _transposed(self, name: str) -> Affine:
        # A view: a copy would double the weights.
        return Affine(weight=self.weights[f"{name}.weight"].T, bias=self.weights[f"{name}.bias"])

    @classmethod
    def fits(cls, settings: Mapping[str, Any]) -> bool:
        """Plain GPT-2."""
        return (
            settings["activation_function"] == "gelu_new"
            and settings["scale_attn_weights"] is True
            and not settings["add_cross_attention"]
            and not settings["reorder_and_upcast_attn"]
            and not settings["scale_attn_by_inverse_layer_idx"]
            and settings["n_embd"] % settings["n_head"] == 0
        )

    @classmethod
    def settings_beyond_weights(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `FastModel.settings_beyond_weights`."""
        return {"heads": settings["n_head"], "epsilon": narrowed(settings["layer_norm_epsilon"])}

    @classmethod
    def shapes(cls, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """See `FastModel.shapes`."""
        width = settings["n_embd"]
        inner = settings["n_inner"] or 4 * width
        shapes: dict[str, tuple[int, ...]] = {
            "transformer.wte.weight": (settings["vocab_size"], width),
            "transformer.wpe.weight": (settings["n_positions"], width),
            "transformer.ln_f.weight": (width,),
            "transformer.ln_f.bias": (width,),
        }
        products = {
            "attn.c_attn": (width, 3 * width),
            "attn.c_proj": (width, width),
            "mlp.c_fc": (width, inner),
            "mlp.c_proj": (inner, width),
        }
        for number in range(settings["n_layer"]):
            layer = f"transformer.h.{number}"
            shapes |= {f"{layer}.{norm}.{kind}": (width,) for norm in ("ln_1", "ln_2") for kind in ("weight", "bias")}
            for name, (rows, columns) in products.items():
                shapes |= {f"{layer}.{name}.weight": (rows, columns), f"{layer}.{name}.bias": (columns,)}
        return shapes if settings["tie_word_embeddings"] else shapes | {cls.head_name: (settings["vocab_size"], width)}
