"""GPT-Neo (Black et al. 2021): layers that see everything and layers that see a window, in turn; scores unscaled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from shoal.models.fast.base import FusedLinear, narrowed
from shoal.models.fast.layer_norm import LayerNormLayer, LayerNormModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class FastGPTNeo(LayerNormModel):
    """Computes the hidden states of ``GPTNeoForCausalLM``."""

    model_type = "gpt_neo"
    modules = frozenset(
        {
            "GPTNeoForCausalLM", "GPTNeoModel", "GPTNeoBlock", "GPTNeoAttention", "GPTNeoSelfAttention", "GPTNeoMLP",
            "NewGELUActivation", "ModuleList", "Embedding", "Linear", "LayerNorm", "Dropout",
        }
    )  # fmt: skip
    defaults: ClassVar[Mapping[str, Any]] = {
        "activation_function": "gelu_new", "attention_layers": None, "attention_types": None, "hidden_size": 2048,
        "intermediate_size": None, "layer_norm_epsilon": 1e-5, "max_position_embeddings": 2048, "num_heads": 16,
        "num_layers": 24, "tie_word_embeddings": True, "vocab_size": 50257, "window_size": 256,
    }  # fmt: skip
    layers_setting = "num_layers"
    scale = 1.0

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(settings, weights)
        self.heads, self.epsilon = settings["num_heads"], settings["layer_norm_epsilon"]
        self._layers = [
            self._layer(f"transformer.h.{number}", self.context if kind == "global" else settings["window_size"])
            for number, kind in enumerate(_kinds(settings))
        ]

    @property
    def layers(self) -> list[LayerNormLayer]:
        """See `LayerNormModel`."""
        return self._layers

    def _layer(self, name: str, window: int) -> LayerNormLayer:
        return LayerNormLayer(
            norm_1=self.affine(f"{name}.ln_1"),
            qkv=FusedLinear(*(self.weights[f"{name}.attn.attention.{part}_proj.weight"] for part in "qkv")),
            out=self.affine(f"{name}.attn.attention.out_proj"),
            norm_2=self.affine(f"{name}.ln_2"),
            up=self.affine(f"{name}.mlp.c_fc"),
            down=self.affine(f"{name}.mlp.c_proj"),
            window=window,
        )

    @classmethod
    def fits(cls, settings: Mapping[str, Any]) -> bool:
        """Plain GPT-Neo; the kinds of its layers must be spelled out."""
        kinds = _kinds(settings)
        return (
            settings["activation_function"] == "gelu_new"
            and settings["attention_layers"] in (None, kinds)
            and len(kinds) == settings["num_layers"]
            and set(kinds) <= {"global", "local"}
            and settings["hidden_size"] % settings["num_heads"] == 0
        )

    @classmethod
    def settings_beyond_weights(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `FastModel.settings_beyond_weights`."""
        kinds = _kinds(settings)
        return {
            "heads": settings["num_heads"],
            "epsilon": narrowed(settings["layer_norm_epsilon"]),
            "layers": kinds,
            # Where no layer is local nothing depends on the window.
            "window": settings["window_size"] if "local" in kinds else None,
        }

    @classmethod
    def shapes(cls, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """See `FastModel.shapes`."""
        width = settings["hidden_size"]
        inner = settings["intermediate_size"] or 4 * width
        shapes: dict[str, tuple[int, ...]] = {
            "transformer.wte.weight": (settings["vocab_size"], width),
            "transformer.wpe.weight": (settings["max_position_embeddings"], width),
            "transformer.ln_f.weight": (width,),
            "transformer.ln_f.bias": (width,),
        }
        for number in range(settings["num_layers"]):
            layer = f"transformer.h.{number}"
            shapes |= {f"{layer}.{norm}.{kind}": (width,) for norm in ("ln_1", "ln_2") for kind in ("weight", "bias")}
            shapes |= {f"{layer}.attn.attention.{part}_proj.weight": (width, width) for part in ("q", "k", "v", "out")}
            shapes |= {
                f"{layer}.attn.attention.out_proj.bias": (width,),
                f"{layer}.mlp.c_fc.weight": (inner, width),
                f"{layer}.mlp.c_fc.bias": (inner,),
                f"{layer}.mlp.c_proj.weight": (width, inner),
                f"{layer}.mlp.c_proj.bias": (width,),
            }
        return shapes if settings["tie_word_embeddings"] else shapes | {cls.head_name: (settings["vocab_size"], width)}


def _kinds(settings: Mapping[str, Any]) -> list[str]:
    """``[[["global", "local"], 4]]`` written out."""
    return [kind for kinds, times in settings["attention_types"] or [] for _ in range(times) for kind in kinds]
