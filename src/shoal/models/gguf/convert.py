"""From a GGUF file to a model and a tokenizer of `transformers`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import CorruptModelError, ShoalError
from shoal.models.gguf.config import gguf_config
from shoal.models.gguf.file import GgufFile
from shoal.models.gguf.tokenizer import gguf_tokenizer
from shoal.models.transformers_io import build_model, causal_class, quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast


def read_gguf(path: str | os.PathLike[str]) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model and the tokenizer that a GGUF file holds.

    Raises:
        ModelError: a key, a tensor, an architecture or a value that is not read here; the message names it.
        CorruptModelError: the file is cut short, or lacks a key or a tensor.
    """
    import torch

    path = Path(path)
    try:
        with quiet():
            file = GgufFile.read(path)
            config = gguf_config(file)
            tokenizer = gguf_tokenizer(file)
            with torch.device("meta"):
                empty = causal_class(config, str(path))(config)
            weights = gguf_weights(file, empty)
            # Last, since configuration, tokenizer and weights each use their share.
            file.check_all_used()
    except ShoalError:
        raise
    except Exception as error:  # a reader of unchecked bytes may fail in any way
        raise CorruptModelError(
            f"{path} cannot be converted: {in_one_line(error)}; it is cut short, or not a GGUF file of a text model"
        ) from error
    return build_model(config, weights, torch.float32, str(path)), tokenizer


_OPTIONAL_BIAS = frozenset({"llama", "qwen3", "stablelm"})
"""Architectures of which one layer's bias may be there and another's not."""


def gguf_weights(file: GgufFile, empty: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Every weight of a model that the file holds, as float32.

    Args:
        file: where they are read.
        empty: the model of the file's configuration, on the meta device: it names the weights.
    """
    import torch

    restore = _LAYOUTS.get(file.architecture, _as_it_is)
    shapes = {name: tuple(weight.shape) for name, weight in empty.state_dict().items()}
    names = _names(file, shapes)
    weights = {}
    for theirs in file.tensor_names():
        if theirs in names:
            weights[names[theirs]] = torch.from_numpy(restore(theirs, file.tensor(theirs), empty.config))
    if file.architecture in _OPTIONAL_BIAS:
        absent = {name: shape for name, shape in shapes.items() if name.endswith(".bias") and name not in weights}
        # A configuration has biases in all layers or in none; a bias of 0 is the same as none.
        weights |= {name: torch.zeros(shape) for name, shape in absent.items()}
    return weights


def _names(file: GgufFile, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """The name in `transformers` of each tensor that the file may hold, by its name there."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    (kind,) = (kind for kind, name in MODEL_ARCH_NAMES.items() if name == file.architecture)
    mapping = get_tensor_name_map(kind, file.integer("block_count"))
    names = {}
    for ours in shapes:
        stem, dot, ending = ours.rpartition(".")
        theirs = mapping.get_name(stem) if ending in ("weight", "bias") else None
        if theirs is not None:
            names[f"{theirs}{dot}{ending}"] = ours
    return names


def _as_it_is(_name: str, array: np.ndarray, _config: PreTrainedConfig) -> np.ndarray:
    return array


def _turned_in_halves(name: str, array: np.ndarray, config: PreTrainedConfig) -> np.ndarray:
    """Rows of queries and keys: a file pairs neighbours for the rotation, `transformers` the halves of a head."""
    found = re.search(r"\.attn_([qk])\.", name)
    if found is None:
        return array
    heads = config.num_attention_heads if found[1] == "q" else config.num_key_value_heads
    if array.shape[0] % (2 * heads):
        raise CorruptModelError(f"the tensor {name} has {array.shape[0]} rows, which {heads} heads cannot share")
    pairs = array.reshape(heads, array.shape[0] // heads // 2, 2, *array.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(array.shape))


def _norms_around_zero(name: str, array: np.ndarray, _config: PreTrainedConfig) -> np.ndarray:
    """Gemma's norms multiply by one more than their weight, and a file holds the whole factor."""
    return array - 1 if name.endswith("norm.weight") else array


def _inputs_first(name: str, array: np.ndarray, _config: PreTrainedConfig) -> np.ndarray:
    """GPT-2's products keep their inputs in the rows."""
    product = re.search(r"\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$", name)
    return np.ascontiguousarray(array.T) if product else array


def _by_heads(name: str, array: np.ndarray, config: PreTrainedConfig) -> np.ndarray:
    """GPT-NeoX keeps query, key and value of a head together, a file all queries, all keys, all values."""
    if ".attn_qkv." not in name:
        return array
    heads = config.num_attention_heads
    split = array.reshape(3, heads, array.shape[0] // (3 * heads), *array.shape[1:])
    return np.ascontiguousarray(split.swapaxes(0, 1).reshape(array.shape))


_LAYOUTS: dict[str, Callable[[str, np.ndarray, PreTrainedConfig], np.ndarray]] = {
    "llama": _turned_in_halves,
    "gemma": _norms_around_zero,
    "gemma2": _norms_around_zero,
    "gemma3": _norms_around_zero,
    "gpt2": _inputs_first,
    "gptneox": _by_heads,
}
"""By the name that GGUF gives an architecture: how a tensor of a file becomes one of `transformers`."""
