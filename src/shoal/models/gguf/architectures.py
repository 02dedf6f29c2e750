"""What a GGUF file states of each architecture that can be written, and how its tensors are laid out there.

The keys are those that llama.cpp reads for the architecture (its `src/llama-arch.cpp`); a tensor's layout is the
inverse of what `shoal.models.gguf.convert` does when it reads one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shoal.errors import ModelError
from shoal.models.gguf.rope import rope_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedConfig

Keys = dict[str, Any]
"""Keys without the architecture's name before them, with their values."""


class GgufArchitecture(ABC):
    """An architecture that can be written; a subclass registers itself for its model types."""

    model_types: ClassVar[tuple[str, ...]]
    """The ``model_type`` of configurations of `transformers`."""

    name: ClassVar[str]
    """What GGUF calls it."""

    known: ClassVar[dict[str, type[GgufArchitecture]]] = {}

    def __init_subclass__(cls) -> None:
        for model_type in cls.model_types:
            GgufArchitecture.known[model_type] = cls

    @classmethod
    @abstractmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """What only files of this architecture state."""

    @classmethod
    def layout(cls, _name: str, array: np.ndarray, _config: PreTrainedConfig) -> np.ndarray:
        """A tensor as the file holds it.

        Args:
            _name: of the tensor in the file.
            array: the tensor of `transformers`.
            _config: of the model.
        """
        return array

    @classmethod
    def extra_tensors(cls, config: PreTrainedConfig) -> Mapping[str, np.ndarray]:
        """Tensors that the file needs and the model does not store: the divisors of rotary frequencies."""
        return rope_keys(config)[1]


def writable_model_types() -> tuple[str, ...]:
    """The model types of `transformers` that can be written as GGUF."""
    return tuple(sorted(GgufArchitecture.known))


def architecture_of(config: PreTrainedConfig) -> type[GgufArchitecture]:
    """How models of a configuration are written.

    Raises:
        ModelError: they cannot be; the message names what can.
    """
    kind = GgufArchitecture.known.get(config.model_type)
    if kind is None:
        raise ModelError(
            f"a model of type {config.model_type!r} cannot be written as GGUF; "
            f"supported: {', '.join(writable_model_types())}"
        )
    return kind


def shared_keys(config: PreTrainedConfig) -> Keys:
    """What the files of every architecture state: the sizes."""
    width = config.hidden_size
    keys = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": width,
        "attention.head_count": config.num_attention_heads,
        "vocab_size": config.vocab_size,
    }
    return keys | {"feed_forward_length": getattr(config, "intermediate_size", None) or 4 * width}


def _grouped_heads(config: PreTrainedConfig) -> Keys:
    """The heads of keys and the width of a head, where both may be chosen freely."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return {
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": width,
        "attention.value_length": width,
    }


def _rms_norm(config: PreTrainedConfig) -> Keys:
    return {"attention.layer_norm_rms_epsilon": float(config.rms_norm_eps)}


class _LlamaWriter(GgufArchitecture):
    """Llama, and Mistral without its window, which llama.cpp's ``llama`` does not have."""

    model_types = ("llama", "mistral")
    name = "llama"

    @classmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """See `GgufArchitecture.keys`."""
        window = getattr(config, "sliding_window", None)
        if window is not None and window < config.max_position_embeddings:
            raise ModelError(
                f"the model attends to a window of {window} tokens, which GGUF's architecture 'llama' cannot state; "
                f"set sliding_window to null and max_position_embeddings to {window} in its config.json"
            )
        return _grouped_heads(config) | _rms_norm(config) | rope_keys(config)[0]

    @classmethod
    def layout(cls, name: str, array: np.ndarray, config: PreTrainedConfig) -> np.ndarray:
        """Rows of queries and keys: llama.cpp rotates neighbours, `transformers` the two halves of a head."""
        found = re.search(r"\.attn_([qk])\.", name)
        if found is None:
            return array
        heads = config.num_attention_heads if found[1] == "q" else config.num_key_value_heads
        halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
        return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(array.shape))


class _Qwen2Writer(GgufArchitecture):
    """Qwen 2 and 2.5."""

    model_types = ("qwen2",)
    name = "qwen2"

    @classmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """See `GgufArchitecture.keys`."""
        return _grouped_heads(config) | _rms_norm(config) | rope_keys(config)[0]


class _Qwen3Writer(_Qwen2Writer):
    """Qwen 3, dense."""

    model_types = ("qwen3",)
    name = "qwen3"


class _Phi3Writer(GgufArchitecture):
    """Phi 3, with one matrix for queries, keys and values, which GGUF takes as it is."""

    model_types = ("phi3",)
    name = "phi3"

    @classmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """See `GgufArchitecture.keys`; to llama.cpp a window of 0 is none."""
        rotary = rope_keys(config)[0]
        return (
            {"attention.head_count_kv": config.num_key_value_heads}
            | _rms_norm(config)
            | rotary
            | {"rope.scaling.original_context_length": config.original_max_position_embeddings}
            | {"attention.sliding_window": config.sliding_window or 0}
        )


class _GPT2Writer(GgufArchitecture):
    """GPT-2, whose products keep their inputs in the rows and are stored transposed."""

    model_types = ("gpt2",)
    name = "gpt2"

    @classmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """See `GgufArchitecture.keys`."""
        # Its configuration has a name of its own for this size, and may hold the usual one without a meaning.
        inner = config.n_inner or 4 * config.hidden_size
        return {"attention.layer_norm_epsilon": float(config.layer_norm_epsilon), "feed_forward_length": inner}

    @classmethod
    def layout(cls, name: str, array: np.ndarray, _config: PreTrainedConfig) -> np.ndarray:
        """See `GgufArchitecture.layout`."""
        product = re.search(r"\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$", name)
        return np.ascontiguousarray(array.T) if product else array

    @classmethod
    def extra_tensors(cls, _config: PreTrainedConfig) -> Mapping[str, np.ndarray]:
        """None: positions are learned."""
        return {}


class _GPTNeoXWriter(GgufArchitecture):
    """GPT-NeoX and Pythia: query, key and value of a head lie together, in a file all queries, keys and values do."""

    model_types = ("gpt_neox",)
    name = "gptneox"

    @classmethod
    def keys(cls, config: PreTrainedConfig) -> Keys:
        """See `GgufArchitecture.keys`."""
        return {
            "attention.layer_norm_epsilon": float(config.layer_norm_eps),
            "use_parallel_residual": bool(config.use_parallel_residual),
        } | rope_keys(config)[0]

    @classmethod
    def layout(cls, name: str, array: np.ndarray, config: PreTrainedConfig) -> np.ndarray:
        """See `GgufArchitecture.layout`."""
        if ".attn_qkv." not in name:
            return array
        heads = config.num_attention_heads
        by_head = array.reshape(heads, 3, array.shape[0] // (3 * heads), *array.shape[1:])
        return np.ascontiguousarray(by_head.swapaxes(0, 1).reshape(array.shape))
