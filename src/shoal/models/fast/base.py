"""What all fast models have in common, their registry, and the wrapping of a live model of `transformers`.

A fast model turns ids into the hidden states which the head of a causal language model reads. It holds tensors and no
modules: the weights as they are named in a checkpoint, and those that are fused so that one product does the work of
three. It reads whole rows (padded on the right, which a causal model cannot see), or continues from a cache. A new
architecture is one file in this folder with one subclass of `FastModel`.

Shapes: B rows, L positions, N any number of positions, H heads, K width of a head, D hidden width, V vocabulary.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch.nn.functional import linear

from shoal.models.fast.kv_cache import PrefixCache
from shoal.models.probing import hooks_present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedConfig, PreTrainedModel

    from shoal.models.fast.kv_cache import KeyValues


@dataclass(frozen=True, slots=True, kw_only=True)
class LMHead:
    """From hidden states to logits: ``cap(scale · (h Wᵀ + b))`` with ``cap(z) = c · tanh(z / c)`` where c is given."""

    weight_VD: torch.Tensor
    bias_V: torch.Tensor | None
    scale: float
    soft_cap: float | None

    def logits(self, hidden_ND: torch.Tensor, start: int = 0, stop: int | None = None) -> torch.Tensor:
        """Logits (N × (stop - start)) of the vocabulary from ``start`` to ``stop``, in the dtype of the weights."""
        bias = None if self.bias_V is None else self.bias_V[start:stop]
        return self.finish_(torch.nn.functional.linear(hidden_ND, self.weight_VD[start:stop], bias))

    def finish_(self, products: torch.Tensor) -> torch.Tensor:
        """Scale and cap, in place, what the matrix product gave."""
        if self.scale != 1.0:
            products.mul_(self.scale)
        if self.soft_cap is not None:
            products.div_(self.soft_cap).tanh_().mul_(self.soft_cap)
        return products


INDIFFERENT_SETTINGS = {
    "_name_or_path", "architectures", "attention_dropout", "attn_pdrop", "bos_token_id", "classifier_dropout", "dtype",
    "embd_pdrop", "embed_dropout", "eos_token_id", "initializer_range", "model_type", "pad_token_id", "pretraining_tp",
    "resid_dropout", "resid_pdrop", "summary_activation", "summary_first_dropout", "summary_proj_to_labels",
    "summary_type", "summary_use_proj", "torch_dtype", "transformers_version", "use_cache",
}  # fmt: skip
"""Keys of a configuration that change nothing in a forward pass without dropout."""

_MAX_FUSED = 2**19
"""Elements of matrices that are fused at most, 2 MiB in float32: to fuse copies the weights, which for large ones would
cost memory and gain nothing."""


class FastModel(ABC):
    """A model that only reads. Subclasses write out one architecture each, and register it by its ``model_type``.

    Args:
        settings: for which `fits` holds.
        weights: with the names and shapes of `shapes`.
    """

    known: ClassVar[dict[str, type[FastModel]]] = {}

    model_type: ClassVar[str]
    """What config.json calls the architecture."""

    modules: ClassVar[frozenset[str]]
    """The classes of which the model of `transformers` is made; one that has others is not plain."""

    defaults: ClassVar[Mapping[str, Any]]
    """Every setting that the forward pass depends on, and what `transformers` takes where it is not given."""

    def __init_subclass__(cls) -> None:
        if "model_type" in cls.__dict__:
            FastModel.known[cls.model_type] = cls

    head_name: ClassVar[str] = "lm_head.weight"
    embedding_name: ClassVar[str]
    positions_setting: ClassVar[str] = "max_position_embeddings"
    layers_setting: ClassVar[str] = "num_hidden_layers"

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        self.settings = settings
        self.weights = weights
        embedding = weights[self.embedding_name]
        self.device, self.dtype = embedding.device, embedding.dtype
        self.embeddings = len(embedding)
        self.context = int(settings[self.positions_setting])
        self.head = LMHead(weight_VD=weights.get(self.head_name, embedding), bias_V=None, scale=1.0, soft_cap=None)

    @classmethod
    def read_settings(cls, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """The settings in a config.json; None where it has a key or a value that this class does not know."""
        # A key that is not known here may change every number.
        if not set(config) <= {*cls.defaults, *INDIFFERENT_SETTINGS}:
            return None
        settings = {**cls.defaults, **{key: config[key] for key in cls.defaults if key in config}}
        if not all(_is_of_its_kind(settings[key], usual) for key, usual in cls.defaults.items()):
            return None
        try:
            return settings if cls.fits(settings) else None
        except (TypeError, ValueError, ArithmeticError):  # values of other kinds than expected
            return None

    @classmethod
    def settings_of(cls, config: PreTrainedConfig) -> dict[str, Any] | None:
        """The settings of a live model; None where this class does not compute its forward pass."""
        settings = {key: getattr(config, key, default) for key, default in cls.defaults.items()}
        return settings if cls.fits(settings) else None

    @classmethod
    @abstractmethod
    def fits(cls, settings: Mapping[str, Any]) -> bool:
        """Whether this class computes the forward pass of these settings."""

    @classmethod
    @abstractmethod
    def settings_beyond_weights(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that the forward pass depends on and no name or shape of a weight tells, as JSON writes it.

        Args:
            settings: for which `fits` holds, with derived values or without.
        """

    @classmethod
    @abstractmethod
    def shapes(cls, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight; the head is not among them where it is the embedding."""

    @classmethod
    def takes(cls, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> bool:
        """Whether these are all the weights and no others, of one dtype and on one device.

        Args:
            settings: for which `fits` holds.
            weights: by name.
        """
        if settings[cls.layers_setting] > len(weights):  # their shapes could fill the memory
            return False
        kinds = {(weight.dtype, weight.device) for weight in weights.values()}
        return len(kinds) == 1 and {name: tuple(weight.shape) for name, weight in weights.items()} == cls.shapes(
            settings
        )

    @abstractmethod
    def hidden(self, ids_BL: torch.Tensor, past: KeyValues | None = None) -> torch.Tensor:
        """The hidden states (B × L × D) that the head reads.

        Args:
            ids_BL: whole rows, or what follows what has been read before.
            past: what has been read before; it keeps what is read now.
        """

    def hidden_after_prefix(self, shared: int, ids_BL: torch.Tensor) -> torch.Tensor:
        """The hidden states (B × (L - shared) × D) after a prefix that all rows have in common, which is read once.

        Args:
            shared: the length of the prefix.
            ids_BL: whole rows, the prefix included.
        """
        if not shared:
            return self.hidden(ids_BL)
        prefix = PrefixCache()
        self.hidden(ids_BL[:1, :shared], prefix)
        prefix.close()
        return self.hidden(ids_BL[:, shared:], prefix)

    @property
    def parameters(self) -> int:
        """The number of parameters, tied ones counted once."""
        return sum(weight.numel() for weight in self.weights.values())

    def named_weights(self) -> dict[str, torch.Tensor]:
        """The weights as `transformers` names them, a tied head under both of its names."""
        return {**self.weights, self.head_name: self.head.weight_VD}

    def to(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """The same model on another device or in another dtype."""
        return type(self)(self.settings, {name: weight.to(device, dtype) for name, weight in self.weights.items()})


class FusedLinear:
    """Matrices stacked below each other: the products of each with x, side by side.

    Fused, three small products take little more time than one; large ones are multiplied one after the other.

    Args:
        matrices: with the same number of columns.
    """

    def __init__(self, *matrices: torch.Tensor) -> None:
        small = sum(matrix.numel() for matrix in matrices) <= _MAX_FUSED
        self._matrices = (torch.cat(matrices),) if small else matrices

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The products with x (… × columns), side by side (… × rows of all)."""
        products = [linear(x, matrix) for matrix in self._matrices]
        return products[0] if len(products) == 1 else torch.cat(products, dim=-1)


def fast_class(model_type: str) -> type[FastModel] | None:
    """The class for the ``model_type`` of a configuration; None where there is none."""
    _import_architectures()
    return FastModel.known.get(model_type)


@cache
def _import_architectures() -> None:
    """Import each file of this folder, which registers its class."""
    import shoal.models.fast as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def wrap(model: PreTrainedModel) -> FastModel | None:
    """A fast model on a model's weights as they are now; None where the model is not plainly of a known architecture.

    A model with modules of other classes, hooks, forwards of their own or weights in several dtypes is left alone. The
    result is for one use: weights that training replaces, and those that were fused, do not follow.
    """
    kind = fast_class(model.config.model_type)
    if kind is None or not all(_is_plain(module, kind.modules) for module in model.modules()):
        return None
    settings = kind.settings_of(model.config)
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    if settings is None or not kind.takes(settings, weights):
        return None
    return kind(settings, weights)


def narrowed(value: float) -> float:
    """A number as float32 holds it, in which GGUF files keep the settings of a model."""
    return float(np.float32(value))


def _is_plain(module: torch.nn.Module, known: frozenset[str]) -> bool:
    """Whether a module computes just what its class does."""
    # Methods that were put on the object; `fast_forward` does so with ``_attn``.
    own = {"forward", "_attn"} & vars(module).keys()
    return type(module).__name__ in known and not own and not hooks_present(module)


def _is_of_its_kind(value: Any, usual: Any) -> bool:
    """Whether a setting is such a value as the usual one: a size, a number above 0, a name, yes or no."""
    # None is the default of what is derived (a width), or of a table.
    if usual is None:
        return value is None or isinstance(value, (dict, list)) or (type(value) is int and value > 0)
    # type and not isinstance: True is an int, and no size.
    if type(usual) in (int, float):
        return type(value) is type(usual) and 0 < value < math.inf
    return type(value) is type(usual)
