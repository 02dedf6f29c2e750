"""Throw-away models of nearly every causal architecture of `transformers`, small by the names of their settings."""

from __future__ import annotations

IDS = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
SMALL = IDS | {
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input"), 120),
    **dict.fromkeys(
        ("hidden_size", "d_model", "n_embd", "dim", "embed_dim", "word_embed_proj_dim", "lru_width", "block_dim"), 32
    ),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "n_inner", "ffn_hidden_size", "mlp_hidden_size"), 48),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim", "block_ff_dim", "feed_forward_size"), 48),
    **dict.fromkeys(("moe_intermediate_size", "shared_intermediate_size", "shared_expert_intermediate_size"), 24),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers", "encoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "linear_num_key_heads", "n_mamba_heads"), 2),
    **dict.fromkeys(("head_dim", "attention_head_size", "rotary_dim", "qk_rope_head_dim", "qk_nope_head_dim"), 8),
    **dict.fromkeys(("v_head_dim", "linear_key_head_dim", "linear_value_head_dim", "hidden_size_per_layer_input"), 8),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), 96),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_k", "moe_topk", "top_k_experts"), 2),
    **dict.fromkeys(("num_shared_experts", "n_shared_experts", "n_group", "topk_group", "first_k_dense_replace"), 1),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank", "index_head_dim"), 16),
    **dict.fromkeys(("mamba_d_state", "mamba_n_heads", "mamba_d_head", "mamba_num_heads", "mamba_head_dim"), 8),
    **dict.fromkeys(
        ("mamba_chunk_size", "chunk_size", "state_size", "ssm_state_size", "laurel_rank", "adapter_rank"), 8
    ),
    **dict.fromkeys(("mamba_d_conv", "conv_kernel", "linear_conv_kernel_dim", "time_step_rank", "mamba_dt_rank"), 4),
    **dict.fromkeys(("mamba_n_groups", "n_groups"), 1),
    **dict.fromkeys(("sliding_window", "attention_window_size", "window_size", "attention_chunk_size"), 8),
    **dict.fromkeys(("index_topk", "block_size", "qk_head_dim"), 8),
    **dict.fromkeys(("index_n_heads", "linear_num_value_heads", "mamba_expand", "expand"), 2),
    "qk_head_dim": 16,
    "linear_num_value_heads": 4,
    "num_kv_shared_layers": 0,
    "conv_L_cache": 3,
    "use_mamba_kernels": False,
}
"""By the name that a configuration has for it."""

LATENT = {"num_key_value_heads": 4, "rotary_dim": None}
SPECIAL = {
    "axk1": LATENT,
    "axk2": LATENT,
    "bailing_hybrid": LATENT,
    "bamba": {"layer_types": None, "attn_layer_indices": [1]},
    "cwm": {"bos_token_id": 1},
    "deepseek_v2": LATENT,
    "deepseek_v3": LATENT,
    "deepseek_v32": LATENT,
    "falcon_h1": {"layer_types": None, "mamba_d_ssm": 64},
    "glm4_moe_lite": LATENT,
    "glm_moe_dsa": LATENT,
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1},
    "kimi_linear": LATENT,
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "longcat_flash": LATENT | {"expert_ffn_hidden_size": 24, "zero_expert_num": 2},
    "mamba2": {"num_heads": 8},
    "minicpm3": LATENT,
    "modernbert-decoder": {"bos_token_id": 1},
    "recurrent_gemma": {"num_hidden_layers": 3, "layer_types": None},
    "reformer": {
        "is_decoder": True,
        "axial_pos_embds": False,
        "attn_layers": ["local", "local"],
        "local_attn_chunk_length": 8,
    },
    "xlnet": {"d_inner": 48, "max_position_embeddings": None},
    "xlstm": {"v_head_dim": None, "head_dim": None, "hidden_size": 128, "chunk_size": None},
    "youtu": LATENT,
    "zamba": {
        "layer_types": None,
        "num_hidden_layers": 8,
        "attn_layer_period": 4,
        "attn_layer_offset": 2,
        "attention_head_dim": 16,
        "attention_hidden_size": 64,
    },
    "zamba2": {
        "layer_types": None,
        "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
        "num_hidden_layers": 4,
        "mamba_headdim": 8,
        "mamba_ngroups": 1,
        "n_mamba_heads": 8,
        "num_mem_blocks": 1,
        "hybrid_layer_ids": [1, 3],
        "attention_head_dim": 16,
        "attention_hidden_size": 64,
    },
}
"""What else an architecture needs; None leaves a setting at its default."""

NOT_SMALL = {"blt", "fuyu", "gemma3", "gemma3n", "gemma4", "gemma4_unified", "git", "got_ocr2", "mllama"} | {
    "moss_transcribe_diarize", "phi4_multimodal", "roc_bert",
}  # fmt: skip
"""Their settings of size lie elsewhere, so that a model of the default size would be made."""


def every_type() -> list[str]:
    """The model types of all causal architectures."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return sorted(set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) - NOT_SMALL)


def small_config(model_type: str, **changes):
    """A configuration of a few thousand weights."""
    from transformers import CONFIG_MAPPING

    kind = CONFIG_MAPPING[model_type]
    default = kind()
    values = {name: value for name, value in SMALL.items() if name in IDS or hasattr(default, name)}
    types = list(dict.fromkeys(getattr(default, "layer_types", None) or []))
    if types:
        values["layer_types"] = types if len(types) > 1 else types * 2
        count = len(values["layer_types"])
        values |= {name: count for name in ("num_hidden_layers", "n_layer", "n_layers", "num_layers") if name in values}
    fixed = {name for name in values if isinstance(of := getattr(kind, name, None), property) and of.fset is None}
    values = {name: value for name, value in values.items() if name not in fixed} | SPECIAL.get(model_type, {})
    left = {name for name, value in SPECIAL.get(model_type, {}).items() if value is None}
    return kind(**{name: value for name, value in values.items() if name not in left} | changes)


def small_model(model_type: str, *, seed: int = 0, spread: float = 0.3, **changes):
    """A model with fresh weights, in evaluation mode."""
    import torch
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as NAMES

    name = NAMES[model_type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = small_config(model_type, **changes)
        model = getattr(transformers, name if isinstance(name, str) else name[0])(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim == 2:
                    weight.normal_(0.0, spread)
    model.generation_config.update(**IDS)
    return model
