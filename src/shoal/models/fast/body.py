"""What all bodies of shoal's own have in common.

A body is the part of a causal language model that turns ids into the hidden states which its head reads. It holds
tensors and no modules: the weights as they are named in a checkpoint, and those that are joined so that one product
does the work of three. It reads whole rows (padded on the right, which a causal model cannot see), or goes on from what
has been read before.

Shapes: B rows, L positions, H heads, K width of a head, D hidden width, V vocabulary.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from shoal.models.fast.past import Opening
from shoal.models.lm_head import LMHead

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from shoal.models.fast.past import Past

_INDIFFERENT = {
    "_name_or_path", "architectures", "attention_dropout", "attn_pdrop", "bos_token_id", "classifier_dropout", "dtype",
    "embd_pdrop", "embed_dropout", "eos_token_id", "initializer_range", "model_type", "pad_token_id", "pretraining_tp",
    "resid_dropout", "resid_pdrop", "summary_activation", "summary_first_dropout", "summary_proj_to_labels",
    "summary_type", "summary_use_proj", "torch_dtype", "transformers_version", "use_cache",
}  # fmt: skip
"""Keys of a configuration that change nothing in a forward pass without dropout."""


class FastModel(ABC):
    """A model that only reads. Subclasses write out one architecture each."""

    model_type: ClassVar[str]
    """What config.json calls the architecture."""

    modules: ClassVar[frozenset[str]]
    """The classes of which the model of `transformers` is made; one that has others is not plain."""

    defaults: ClassVar[Mapping[str, Any]]
    """Every setting that the forward pass depends on, and what `transformers` takes where it is not given."""

    head_name: ClassVar[str] = "lm_head.weight"
    embedding_name: ClassVar[str]
    positions_setting: ClassVar[str] = "max_position_embeddings"
    layers_setting: ClassVar[str] = "num_hidden_layers"

    def __init__(self, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        """Take settings that `fits` and weights that have the names and shapes of `shapes`."""
        self.settings = settings
        self.weights = weights
        embedding = weights[self.embedding_name]
        self.device, self.dtype = embedding.device, embedding.dtype
        self.embeddings = len(embedding)
        self.context = int(settings[self.positions_setting])
        self.head = LMHead(weight_VD=weights.get(self.head_name, embedding), bias_V=None, scale=1.0, soft_cap=None)

    @classmethod
    def read_settings(cls, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """The settings in a config.json; None where it says anything that this body does not know."""
        if not set(config) <= {*cls.defaults, *_INDIFFERENT}:
            return None
        settings = {**cls.defaults, **{key: config[key] for key in cls.defaults if key in config}}
        if not all(_is_of_its_kind(settings[key], usual) for key, usual in cls.defaults.items()):
            return None
        try:
            return settings if cls.fits(settings) else None
        except (TypeError, ValueError, ArithmeticError):  # values of other kinds than expected
            return None

    @classmethod
    @abstractmethod
    def fits(cls, settings: Mapping[str, Any]) -> bool:
        """Whether this body computes what these settings ask for."""

    @classmethod
    @abstractmethod
    def shapes(cls, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight; the head is not among them where it is the embedding."""

    @classmethod
    def takes(cls, settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> bool:
        """Whether these are all the weights and no others, of one dtype and on one device."""
        if settings[cls.layers_setting] > len(weights):  # their shapes could fill the memory
            return False
        kinds = {(weight.dtype, weight.device) for weight in weights.values()}
        return len(kinds) == 1 and {name: tuple(weight.shape) for name, weight in weights.items()} == cls.shapes(
            settings
        )

    @abstractmethod
    def hidden(self, ids_BL: torch.Tensor, past: Past | None = None) -> torch.Tensor:
        """The hidden states (B × L × D) that the head reads.

        Args:
            ids_BL: whole rows, or what follows what has been read before.
            past: what has been read before; it keeps what is read now.
        """

    def hidden_behind(self, shared: int, ids_BL: torch.Tensor) -> torch.Tensor:
        """The hidden states (B × (L - shared) × D) behind the first ``shared`` ids, which all rows have in common."""
        if not shared:
            return self.hidden(ids_BL)
        opening = Opening()
        self.hidden(ids_BL[:1, :shared], opening)
        opening.close()
        return self.hidden(ids_BL[:, shared:], opening)

    @property
    def parameters(self) -> int:
        """The number of parameters, tied ones counted once."""
        return sum(weight.numel() for weight in self.weights.values())

    def named_weights(self) -> dict[str, torch.Tensor]:
        """The weights as `transformers` names them, a tied head under both of its names."""
        return {**self.weights, self.head_name: self.head.weight_VD}

    def to(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """The same body elsewhere or in another precision."""
        return type(self)(self.settings, {name: weight.to(device, dtype) for name, weight in self.weights.items()})


def _is_of_its_kind(value: Any, usual: Any) -> bool:
    """Whether a setting is such a value as the usual one: a size, a number above 0, a name, yes or no."""
    if usual is None:
        return value is None or isinstance(value, (dict, list)) or (type(value) is int and value > 0)
    if type(usual) in (int, float):
        return type(value) is type(usual) and 0 < value < math.inf
    return type(value) is type(usual)
