"""Throw-away models of many architectures, with weights so large that they say many different things."""

from __future__ import annotations

import importlib

IDS = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
LLAMA_LIKE = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 96,
}
GROUPED = LLAMA_LIKE | {"num_key_value_heads": 1}

SETTINGS = {
    "GPTNeo": {
        "hidden_size": 16,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 8,
        "max_position_embeddings": 96,
    },
    "GPT2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 96},
    "Llama": GROUPED,
    "GPTNeoX": LLAMA_LIKE,
    "Qwen2": GROUPED,
    "Gemma2": GROUPED | {"head_dim": 8, "sliding_window": 8, "final_logit_softcapping": 3.0},
    "Cohere": GROUPED | {"logit_scale": 0.25},
    "Granite": GROUPED | {"logits_scaling": 2.5},
    "Phi": GROUPED,
    "OPT": {
        "hidden_size": 16,
        "word_embed_proj_dim": 16,
        "ffn_dim": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 96,
    },
    "Mamba": {"hidden_size": 16, "state_size": 4, "num_hidden_layers": 2},
}
CLASSES = {"GPT2": "GPT2LMHeadModel"}


def tiny_model(architecture: str, *, vocab_size: int = 300, seed: int = 0, spread: float = 0.35):
    """A model of the architecture with fresh weights of the given spread."""
    import torch

    transformers = importlib.import_module("transformers")
    config = getattr(transformers, f"{architecture}Config")(vocab_size=vocab_size, **SETTINGS[architecture], **IDS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, CLASSES.get(architecture, f"{architecture}ForCausalLM"))(config).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.ndim > 1 and "A_log" not in name:
                    weight.normal_(0.0, spread)
                elif name.endswith("bias"):
                    weight.normal_(0.0, 0.1)
    model.generation_config.update(**IDS)
    return model


def letter_tokenizer(size: int = 300):
    """A token a character: `size` characters from a block of the alphabet, the end token first."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<end>": 0} | {chr(0x4E00 + place): place for place in range(1, size)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>", clean_up_tokenization_spaces=False
    )


def letters(ids) -> str:
    """The text of token ids of `letter_tokenizer`."""
    return "".join(chr(0x4E00 + token) for token in ids)
