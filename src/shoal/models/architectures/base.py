"""What every architecture has in common: a name, a configuration from a shape, and fresh weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes of a model from scratch."""

    vocabulary: int
    width: int
    layers: int
    """Transformer blocks."""

    heads: int
    inner: int | None = None
    """Width of the feed-forward layers; None for what is usual in the architecture."""

    context: int = 2048
    tied: bool = True
    """Whether the head uses the weights of the embedding."""

    initial_spread: float = 0.02
    """Standard deviation of the fresh weights."""

    end_token_id: int | None = None
    rope_theta: float = 10000.0
    """Base of the rotary angles, where the architecture has them."""

    window: int = 256
    """How far local attention looks back, where the architecture has it."""


class Architecture(ABC):
    """A kind of model. A subclass with a ``name`` can be named by a recipe."""

    name: ClassVar[str]
    class_name: ClassVar[str]
    """The class of `transformers`, as cards of models name it."""

    known: ClassVar[dict[str, type[Architecture]]] = {}

    def __init_subclass__(cls) -> None:
        Architecture.known[cls.name] = cls

    @classmethod
    @abstractmethod
    def default_inner(cls, width: int) -> int:
        """The usual width of the feed-forward layers."""

    @classmethod
    @abstractmethod
    def config(cls, shape: ModelShape, common: dict[str, Any]) -> PreTrainedConfig:
        """The configuration of a shape.

        Args:
            shape: with all its sizes.
            common: what the configurations of all architectures call by the same name.

        Raises:
            UsageError: sizes that do not go together.
        """


def architecture_names() -> tuple[str, ...]:
    """The names that a recipe may give."""
    _import_all()
    return tuple(sorted(Architecture.known))


def find_architecture(name: str) -> type[Architecture]:
    """The architecture of a name.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    _import_all()
    if name not in Architecture.known:
        raise UnknownNameError("architecture", name, Architecture.known)
    return Architecture.known[name]


def build_model(architecture: str, shape: ModelShape, *, seed: int) -> PreTrainedModel:
    """Build a model with fresh float32 weights; equal shapes and seeds give equal weights.

    The weights are drawn by the architecture's own initialization; the generator of the process stays as it was.

    Args:
        architecture: one of `architecture_names`.
        shape: its sizes.
        seed: determines the weights.

    Raises:
        UnknownNameError: there is no such architecture.
        UsageError: a size below 1, or heads that do not divide the width as they must.
    """
    import torch
    from transformers import AutoModelForCausalLM

    kind = find_architecture(architecture)
    # Before the sizes are checked, so that the default is checked like a given one.
    if shape.inner is None:
        shape = replace(shape, inner=kind.default_inner(shape.width))
    _check_sizes(shape)
    config = kind.config(shape, _common(shape))
    with torch.random.fork_rng(devices=[]):
        # transformers draws from the generator of the process, which is forked so that a caller's own draws stay the
        # same.
        torch.manual_seed(seed)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return model.eval()


@cache
def _import_all() -> None:
    """Import each file of this folder, which registers its architecture."""
    import shoal.models.architectures as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def _common(shape: ModelShape) -> dict[str, Any]:
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


def _check_sizes(shape: ModelShape) -> None:
    sizes = {field.name: getattr(shape, field.name) for field in fields(shape) if field.type in ("int", "int | None")}
    for name, size in sizes.items():
        if name != "end_token_id" and size < 1:
            raise UsageError(f"every size of a model must be at least 1, got {name} = {size}")
