"""Small GGUF files of small models of `transformers`, written as llama.cpp's converter writes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

NAMES = {"phi": "phi2", "gpt_neox": "gptneox", "gemma3_text": "gemma3"}
"""GGUF's name of an architecture where it is another than that of `transformers`."""

LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def small_model(model_type: str, **settings: Any) -> PreTrainedModel:
    """Two layers of width 32 whose attention matters, so that a wrong angle or a lost bias is seen in the logits."""
    sizes = {
        "vocab_size": 260, "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
        "bos_token_id": None, "eos_token_id": 256, "pad_token_id": 257,
    }  # fmt: skip
    if model_type in ("phi", "gpt_neox", "gpt2"):
        sizes["num_key_value_heads"] = 4
    # The framework draws its initial weights from the global generator, whose state hangs on the tests before.
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **(sizes | settings)))
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in model.parameters():
            scale = 0.3 if weight.dim() == 1 else 0.4
            weight.add_(scale * torch.randn(weight.shape, generator=draw))
    return model.eval()


def write_gguf(
    path: Path,
    model: PreTrainedModel,
    *,
    keys: Mapping[str, Any] | None = None,
    tensors: Mapping[str, np.ndarray] | None = None,
    leave_out: tuple[str, ...] = (),
    vocabulary: Callable[[gguf.GGUFWriter], None] | None = None,
) -> Path:
    """Write a model and a tokenizer.

    Args:
        path: the file.
        model: what `small_model` gives.
        keys: more keys, without the architecture before them where they belong to it; None takes a key away.
        tensors: more tensors by their GGUF name.
        leave_out: tensors that are not written, by their GGUF name.
        vocabulary: writes the tokenizer; by default bytes and two special tokens.
    """
    architecture = NAMES.get(model.config.model_type, model.config.model_type)
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in (_keys(model.config) | dict(keys or {})).items():
        full = name if name.startswith(("general.", "tokenizer.", "split.", "other.")) else f"{architecture}.{name}"
        _add(writer, full, value)
    (vocabulary or write_bytes)(writer)
    for name, array in (_tensors(model, architecture) | dict(tensors or {})).items():
        if name not in leave_out:
            writer.add_tensor(name, np.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_bytes(writer: gguf.GGUFWriter) -> None:
    """The vocabulary of `tiny_models.byte_tokenizer`."""
    from tiny_models import byte_tokenizer

    write_byte_level(writer, byte_tokenizer(), "gpt-2", {256, 257})


def write_byte_level(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerFast, rule: str, control: set[int]) -> None:
    """The vocabulary and the merges of a byte-level tokenizer."""
    import json

    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(rule)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if index in control else 1 for index in range(len(tokens))])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)


def llama3_divisors(config: Any) -> np.ndarray:
    """The tensor ``rope_freqs.weight`` of a Llama 3 configuration, from the angles that `transformers` computes."""
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = config.rope_parameters
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 1.0 / (rope["rope_theta"] ** (torch.arange(0, config.head_dim, 2) / config.head_dim))
    return (plain / scaled).numpy().astype(np.float32)


def _keys(config: Any) -> dict[str, Any]:
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    found = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": getattr(config, "n_inner", None) or config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.key_length": width,
        "attention.value_length": width,
        "vocab_size": config.vocab_size,
        "general.file_type": 0,
        "general.quantization_version": 2,
    }
    for key, name in (
        ("attention.head_count_kv", "num_key_value_heads"),
        ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
        ("attention.layer_norm_epsilon", "layer_norm_eps"),
        ("attention.layer_norm_epsilon", "layer_norm_epsilon"),
        ("attention.layer_norm_epsilon", "norm_epsilon"),
        ("use_parallel_residual", "use_parallel_residual"),
        ("attn_logit_softcapping", "attn_logit_softcapping"),
        ("final_logit_softcapping", "final_logit_softcapping"),
        ("attention.sliding_window", "sliding_window"),
    ):
        if getattr(config, name, None) is not None:
            found[key] = getattr(config, name)
    return found | _rope_keys(config, width)


def _rope_keys(config: Any, width: int) -> dict[str, Any]:
    rope = getattr(config, "rope_parameters", None)
    if rope is None:
        return {}
    local = rope.get("sliding_attention", {}).get("rope_theta")
    rope = rope.get("full_attention", rope)
    found = {
        "rope.freq_base": float(rope["rope_theta"]),
        "rope.freq_base_swa": local,
        "rope.dimension_count": int(width * rope.get("partial_rotary_factor", 1.0)),
    }
    kind = rope["rope_type"]
    if kind in ("linear", "yarn"):
        found |= {"rope.scaling.type": kind, "rope.scaling.factor": float(rope["factor"])}
    if kind in ("yarn", "longrope"):
        found["rope.scaling.original_context_length"] = rope["original_max_position_embeddings"]
    if kind == "longrope":
        stretch = config.max_position_embeddings / rope["original_max_position_embeddings"]
        found["rope.scaling.attn_factor"] = math.sqrt(
            1 + math.log(stretch) / math.log(rope["original_max_position_embeddings"])
        )
    for key, name in (("attn_factor", "attention_factor"), ("beta_fast", "beta_fast"), ("beta_slow", "beta_slow")):
        if kind == "yarn" and name in rope:
            found[f"rope.scaling.yarn_{key}"] = float(rope[name])
    return found


def _tensors(model: PreTrainedModel, architecture: str) -> dict[str, np.ndarray]:
    config = model.config
    (kind,) = (kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    found = {}
    for ours, weight in model.state_dict().items():
        if ours == "lm_head.weight" and config.tie_word_embeddings:
            continue
        stem, _, ending = ours.rpartition(".")
        theirs = f"{names.get_name(stem)}.{ending}"
        found[theirs] = _laid_out(theirs, weight.numpy(), architecture, config)
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") == "llama3":
        found["rope_freqs.weight"] = llama3_divisors(config)
    if rope.get("rope_type") == "longrope":
        found["rope_factors_short.weight"] = np.array(rope["short_factor"], dtype=np.float32)
        found["rope_factors_long.weight"] = np.array(rope["long_factor"], dtype=np.float32)
    return found


def _laid_out(name: str, array: np.ndarray, architecture: str, config: Any) -> np.ndarray:
    """A tensor in the order of llama.cpp."""
    if architecture == "llama" and (".attn_q." in name or ".attn_k." in name):
        heads = config.num_attention_heads if ".attn_q." in name else config.num_key_value_heads
        halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
        return halves.swapaxes(1, 2).reshape(array.shape)
    if architecture.startswith("gemma") and name.endswith("norm.weight"):
        return array + 1
    if architecture == "gpt2" and array.ndim == 2 and name.startswith("blk."):
        return array.T
    if architecture == "gptneox" and ".attn_qkv." in name:
        heads = config.num_attention_heads
        split = array.reshape(heads, 3, array.shape[0] // heads // 3, *array.shape[1:])
        return split.swapaxes(0, 1).reshape(array.shape)
    return array


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if value is None:
        return
    add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    if isinstance(value, list):
        writer.add_array(key, value)
    else:
        add[type(value)](key, value)
