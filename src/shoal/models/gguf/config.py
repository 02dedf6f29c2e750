"""The configuration of `transformers` that a GGUF file describes, one function per architecture.

A file holds less than a configuration does: what an architecture's files never state (such as its activation) is what
llama.cpp computes for it. Where the files of an architecture leave open what its models differ in, the file is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.models.checks import check_values
from shoal.models.gguf.rope import rope_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedConfig

    from shoal.models.gguf.file import GgufFile

Fields = dict[str, Any]


def gguf_config(file: GgufFile) -> PreTrainedConfig:
    """The configuration that a file describes.

    Raises:
        ModelError: an architecture, or the value of a key, that is not known here.
        CorruptModelError: a key or a tensor that the architecture needs is not there.
    """
    from transformers import AutoConfig

    if file.architecture not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise ModelError(
            f"{file.path} has the architecture {file.architecture!r}, of which no GGUF file is read here "
            f"(known: {known}); give the model's own folder, with its config.json"
        )
    model_type, fields = _ARCHITECTURES[file.architecture]
    config: PreTrainedConfig = AutoConfig.for_model(model_type, **(_sizes(file) | fields(file)))
    check_values(config, str(file.path))
    return config


def _sizes(file: GgufFile) -> Fields:
    """What the files of every architecture state."""
    *_, rows, width = (0, *file.shape("token_embd.weight"))
    blocks = len({name.split(".")[1] for name in file.tensor_names() if name.startswith("blk.")})
    for key, held, what in (
        ("vocab_size", rows, "the rows of token_embd.weight"),
        ("embedding_length", width, "the columns of token_embd.weight"),
        ("block_count", blocks, "the number of its blocks of tensors"),
    ):
        stated = file.integer(key, held)
        if stated != held:
            file.refuse(key, stated, f"{held}, {what}")
    heads = file.integer("attention.head_count")
    if heads <= 0 or (width % heads and not file.integer("attention.key_length", 0)):
        file.refuse("attention.head_count", heads, f"a divisor of {width}")
    key_heads = file.integer("attention.head_count_kv", heads)
    if key_heads <= 0 or heads % key_heads:
        file.refuse("attention.head_count_kv", key_heads, f"a divisor of {heads}, the heads of queries")
    if not file.flag("attention.causal", True):
        file.refuse("attention.causal", False, "true")
    return {
        "vocab_size": rows,
        "max_position_embeddings": file.integer("context_length"),
        "hidden_size": file.integer("embedding_length"),
        "intermediate_size": file.integer("feed_forward_length"),
        "num_hidden_layers": file.integer("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        # GGUF has no key for it: a tied head is one that is not stored.
        "tie_word_embeddings": "output.weight" not in file.tensor_names(),
        "bos_token_id": file.integer("tokenizer.ggml.bos_token_id", None),
        "eos_token_id": file.integer("tokenizer.ggml.eos_token_id", None),
        "pad_token_id": file.integer("tokenizer.ggml.padding_token_id", None),
    }


def _head_width(file: GgufFile) -> int:
    """The width of a head, the same for keys and values."""
    usual = file.integer("embedding_length") // file.integer("attention.head_count")
    width: int = file.integer("attention.key_length", usual)
    values = file.integer("attention.value_length", width)
    if values != width:
        file.refuse("attention.value_length", values, f"{width}, the width of a key")
    return width


def _usual_width(file: GgufFile) -> int:
    """The width of a head where the architecture leaves no choice: the hidden width over the heads."""
    usual: int = file.integer("embedding_length") // file.integer("attention.head_count")
    width = _head_width(file)
    if width != usual:
        file.refuse("attention.key_length", width, str(usual))
    return usual


def _turned_whole(file: GgufFile) -> Fields:
    """Head width and rotary angles of an architecture that turns every dimension of a head."""
    width = _head_width(file)
    turned = file.integer("rope.dimension_count", width)
    if turned != width:
        file.refuse("rope.dimension_count", turned, f"{width}, the width of a head")
    return {"head_dim": width, "rope_parameters": rope_parameters(file, file.integer("context_length"))}


def _turned_in_part(file: GgufFile) -> Fields:
    """Rotary angles of an architecture that may turn a part of each head's dimensions."""
    width = _usual_width(file)
    part = file.integer("rope.dimension_count", width) / width
    return {"rope_parameters": rope_parameters(file, file.integer("context_length"), part)}


def _has(file: GgufFile, *endings: str) -> bool:
    return any(name.endswith(endings) for name in file.tensor_names())


def _llama(file: GgufFile) -> Fields:
    # Read so that it counts as used: the layout is undone in `convert` whatever it is called.
    file.text("tensor_data_layout", None)
    return _turned_whole(file) | {
        "rms_norm_eps": file.number("attention.layer_norm_rms_epsilon"),
        "attention_bias": _has(file, "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias"),
        "mlp_bias": _has(file, "ffn_gate.bias", "ffn_up.bias", "ffn_down.bias"),
    }


def _qwen2(file: GgufFile) -> Fields:
    _usual_width(file)
    fields = _turned_whole(file)
    # Qwen2 has no such setting; the width follows from the heads.
    del fields["head_dim"]
    return fields | {"rms_norm_eps": file.number("attention.layer_norm_rms_epsilon")}


def _qwen3(file: GgufFile) -> Fields:
    return _turned_whole(file) | {
        "rms_norm_eps": file.number("attention.layer_norm_rms_epsilon"),
        "attention_bias": _has(file, "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias"),
    }


def _gemma(file: GgufFile) -> Fields:
    return _turned_whole(file) | {"rms_norm_eps": file.number("attention.layer_norm_rms_epsilon")}


def _gemma2(file: GgufFile) -> Fields:
    return _gemma(file) | {
        "query_pre_attn_scalar": _query_scalar(file, mixed_layers=46),
        "sliding_window": file.integer("attention.sliding_window", 4096),
        "attn_logit_softcapping": file.number("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": file.number("final_logit_softcapping", 30.0),
    }


def _gemma3(file: GgufFile) -> Fields:
    fields = _gemma(file)
    layers = file.integer("block_count")
    window = file.integer("attention.sliding_window", 0)
    # Five local layers to a global one, as in all releases of Gemma 3.
    period = file.integer("attention.sliding_window_pattern", 6) if window else 1
    local = {"rope_type": "default", "rope_theta": file.number("rope.freq_base_swa", 10000.0)}
    return fields | {
        "rope_parameters": {"full_attention": fields["rope_parameters"], "sliding_attention": local},
        "layer_types": ["sliding_attention" if (n + 1) % period else "full_attention" for n in range(layers)],
        "sliding_window": window or None,
        "query_pre_attn_scalar": _query_scalar(file, mixed_layers=62),
        "final_logit_softcapping": file.number("final_logit_softcapping", None),
    }


def _query_scalar(file: GgufFile, mixed_layers: int) -> int:
    """What a query is divided by the root of, which the files of Gemma 2 and 3 do not state.

    It is the width of a head, 256, in all released models but those of 27 billion weights, where it is the hidden
    width over the heads. A model of another shape may have either, or the 256 that a configuration has by default.
    """
    width: int = _head_width(file)
    scale = file.number("attention.scale", None)
    if scale is not None:
        # The file has the factor, 1/√scalar.
        from_scale: int = round(scale**-2)
        return from_scale
    if file.integer("block_count") == mixed_layers:
        return int(file.integer("embedding_length") // file.integer("attention.head_count"))
    if width != 256:
        file.refuse("attention.key_length", width, "256: for another width the file leaves query_pre_attn_scalar open")
    return width


def _phi3(file: GgufFile) -> Fields:
    context = file.integer("context_length")
    return _turned_in_part(file) | {
        "rms_norm_eps": file.number("attention.layer_norm_rms_epsilon"),
        "original_max_position_embeddings": file.integer("rope.scaling.original_context_length", context),
        "sliding_window": file.integer("attention.sliding_window", 0) or None,
    }


def _phi2(file: GgufFile) -> Fields:
    return _turned_in_part(file) | {"layer_norm_eps": file.number("attention.layer_norm_epsilon")}


def _gpt_neox(file: GgufFile) -> Fields:
    return _turned_in_part(file) | {
        "layer_norm_eps": file.number("attention.layer_norm_epsilon"),
        "use_parallel_residual": file.flag("use_parallel_residual", True),
    }


def _stablelm(file: GgufFile) -> Fields:
    return _turned_in_part(file) | {
        "layer_norm_eps": file.number("attention.layer_norm_epsilon"),
        "use_parallel_residual": file.flag("use_parallel_residual", True),
        "use_qkv_bias": _has(file, "attn_q.bias", "attn_k.bias", "attn_v.bias"),
    }


def _starcoder2(file: GgufFile) -> Fields:
    _usual_width(file)
    return _turned_whole(file) | {"norm_epsilon": file.number("attention.layer_norm_epsilon")}


def _gpt2(file: GgufFile) -> Fields:
    _usual_width(file)
    return {
        "n_inner": file.integer("feed_forward_length"),
        "layer_norm_epsilon": file.number("attention.layer_norm_epsilon"),
    }


_ARCHITECTURES: dict[str, tuple[str, Callable[[GgufFile], Fields]]] = {
    "llama": ("llama", _llama),
    "qwen2": ("qwen2", _qwen2),
    "qwen3": ("qwen3", _qwen3),
    "gemma": ("gemma", _gemma),
    "gemma2": ("gemma2", _gemma2),
    "gemma3": ("gemma3_text", _gemma3),
    "phi2": ("phi", _phi2),
    "phi3": ("phi3", _phi3),
    "gptneox": ("gpt_neox", _gpt_neox),
    "stablelm": ("stablelm", _stablelm),
    "starcoder2": ("starcoder2", _starcoder2),
    "gpt2": ("gpt2", _gpt2),
}
"""By the name that GGUF gives an architecture: its model type in `transformers`, and the fields that its files give."""
