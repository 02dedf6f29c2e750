"""Writing a model of `transformers` as a GGUF file, one tensor in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ModelError, UnknownNameError
from shoal.models.gguf.architectures import GgufArchitecture, architecture_of, shared_keys
from shoal.models.gguf.vocabulary import GgufVocabulary, gguf_vocabulary

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import torch
    from gguf import GGMLQuantizationType, GGUFWriter
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

GGUF_TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "q8_0": "Q8_0"}
"""The number formats that matrices can be written in, with GGUF's names of them."""

_FILE_TYPES = {"F32": "ALL_F32", "F16": "MOSTLY_F16", "BF16": "MOSTLY_BF16", "Q8_0": "MOSTLY_Q8_0"}

_ALWAYS_FLOAT32 = ("_norm.weight", "position_embd.weight")
"""Matrices that llama.cpp takes in float32 alone, with all vectors."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the file that is to be written."""

    name: str
    weight: torch.Tensor | np.ndarray
    stored: GGMLQuantizationType


def write_gguf(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    path: str | os.PathLike[str],
    *,
    name: str,
    number_format: str = "float32",
    texts: Sequence[str] = (),
) -> GgufVocabulary:
    """Write a model and its tokenizer as one GGUF file.

    Args:
        model: of one of the `writable_model_types`.
        tokenizer: byte-level BPE, or BPE as SentencePiece has it.
        path: the file; it is written where it stands, so that the caller makes it atomic.
        name: of the model, for people.
        number_format: of the matrices: float32, float16, bfloat16 or q8_0 (blocks of 32 numbers of 8 bits with a
            common factor in float16; a matrix whose rows are no multiple of 32 is written in float16). Vectors and
            norms are float32.
        texts: on which the file's tokenizer is compared with the model's, with some of shoal's own.

    Returns:
        What was written of the tokenizer, and the texts on which it differs.

    Raises:
        ModelError: an architecture, a setting or a tokenizer that GGUF cannot state.
        UnknownNameError: a number format that is not known.
    """
    from gguf import GGML_QUANT_VERSION, GGUFWriter, LlamaFileType

    if number_format not in GGUF_TYPES:
        raise UnknownNameError("number format of GGUF", number_format, GGUF_TYPES)
    kind, config = architecture_of(model.config), model.config
    keys = shared_keys(config) | kind.keys(config)
    vocabulary = gguf_vocabulary(tokenizer, config.vocab_size, kind.name, texts)
    tensors = list(_tensors(model, kind, GGUF_TYPES[number_format]))
    writer = GGUFWriter(path, kind.name)
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(LlamaFileType[_FILE_TYPES[GGUF_TYPES[number_format]]])
    if number_format == "q8_0":
        writer.add_quantization_version(GGML_QUANT_VERSION)
    for key, value in keys.items():
        _add(writer, f"{kind.name}.{key}", value)
    for key, value in vocabulary.keys.items():
        _add(writer, key, value)
    _write_tensors(writer, tensors, kind, config)
    return vocabulary


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    """One key, in the type that llama.cpp reads it in."""
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _tensors(model: PreTrainedModel, kind: type[GgufArchitecture], stored: str) -> Iterator[_Tensor]:
    """The tensors of the file, not laid out yet."""
    from gguf import MODEL_ARCH_NAMES, GGMLQuantizationType, get_tensor_name_map

    (architecture,) = (key for key, name in MODEL_ARCH_NAMES.items() if name == kind.name)
    mapping = get_tensor_name_map(architecture, model.config.num_hidden_layers)
    for name, tensor in kind.extra_tensors(model.config).items():
        yield _Tensor(name, tensor, GGMLQuantizationType.F32)
    seen: set[int] = set()
    for ours, weight in model.state_dict(keep_vars=True).items():
        # A head that is tied to the embeddings is stored once, under the first of its names.
        if id(weight) in seen:
            continue
        seen.add(id(weight))
        stem, dot, ending = ours.rpartition(".")
        theirs = mapping.get_name(stem) if ending in ("weight", "bias") else None
        if theirs is None:
            raise ModelError(f"the weight {ours} has no place in a GGUF file of the architecture {kind.name!r}")
        name = f"{theirs}{dot}{ending}"
        plain = weight.dim() < 2 or ending == "bias" or name.endswith(_ALWAYS_FLOAT32)
        # By the rows of the file, which for GPT-2 are the columns of the model.
        yield _Tensor(name, weight, _fitting("F32" if plain else stored, _laid_out(name, weight, kind, model.config)))


def _laid_out(
    name: str, weight: torch.Tensor | np.ndarray, kind: type[GgufArchitecture], config: PreTrainedConfig
) -> tuple[int, ...]:
    """The shape of a tensor in the file."""
    # The layout may turn a matrix; only an empty one of its shape shows how, without the cost.
    return kind.layout(name, np.empty(tuple(weight.shape), dtype=np.bool_), config).shape


def _fitting(stored: str, shape: Sequence[int]) -> GGMLQuantizationType:
    """The type of a tensor; float16 where its rows cannot be cut into blocks, as llama.cpp's converter does."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    chosen = GGMLQuantizationType[stored]
    return chosen if shape[-1] % GGML_QUANT_SIZES[chosen][0] == 0 else GGMLQuantizationType.F16


def _write_tensors(
    writer: GGUFWriter, tensors: Sequence[_Tensor], kind: type[GgufArchitecture], config: PreTrainedConfig
) -> None:
    """Write the header, and then each tensor in turn."""
    from gguf import quant_shape_to_byte_shape, quantize

    for tensor in tensors:
        shape = _laid_out(tensor.name, tensor.weight, kind, config)
        held = quant_shape_to_byte_shape(shape, tensor.stored)
        writer.add_tensor_info(tensor.name, held, np.dtype(np.uint8), int(np.prod(held)), raw_dtype=tensor.stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        array = tensor.weight if isinstance(tensor.weight, np.ndarray) else tensor.weight.detach().cpu().float().numpy()
        laid_out = np.ascontiguousarray(kind.layout(tensor.name, array, config))
        writer.write_tensor_data(quantize(laid_out, tensor.stored))
    writer.close()
