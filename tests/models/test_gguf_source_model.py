"""A GGUF file gives the logits of the model that it was written from, or an error that names what is not read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shoal.errors import CorruptModelError, ModelError
from shoal.models import load_model

pytest.importorskip("gguf", reason="the gguf extra is not installed")

from gguf_files import LLAMA3, small_model, write_gguf

LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 32}
LONGROPE = {
    "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 32,
    "short_factor": [1.0, 1.1, 1.2, 1.5], "long_factor": [1.0, 2.0, 3.0, 4.0],
}  # fmt: skip
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 32.0} | LLAMA3
OTHER_LLAMA3_ROPE = LLAMA3_ROPE | {"rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 24}
YARN_STATED = YARN | {"attention_factor": 1.5, "beta_fast": 8.0, "beta_slow": 2.0}
GEMMA3_ROPE = {
    "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0},
}
MODELS = {
    "llama": ("llama", {}),
    "llama tied": ("llama", {"tie_word_embeddings": True}),
    "llama wide heads": ("llama", {"head_dim": 16}),
    "llama linear": ("llama", {"rope_parameters": LINEAR}),
    "llama yarn": ("llama", {"rope_parameters": YARN}),
    "llama yarn stated": ("llama", {"rope_parameters": YARN_STATED}),
    "llama 3": ("llama", {"head_dim": 64, "rope_parameters": LLAMA3_ROPE}),
    "llama 3 of another length": (
        "llama",
        {"rope_parameters": OTHER_LLAMA3_ROPE},
    ),
    "llama biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "qwen2": ("qwen2", {}),
    "qwen2 yarn": ("qwen2", {"rope_parameters": YARN}),
    "qwen3": ("qwen3", {"head_dim": 16}),
    "qwen3 biases": ("qwen3", {"head_dim": 16, "attention_bias": True}),
    "gemma": ("gemma", {"head_dim": 16}),
    "gemma2 soft caps": (
        "gemma2",
        {"head_dim": 256, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0, "sliding_window": 8},
    ),
    "gemma3": (
        "gemma3_text",
        {"head_dim": 256, "num_hidden_layers": 7, "sliding_window": 8, "rope_parameters": GEMMA3_ROPE},
    ),
    "phi": ("phi", {}),
    "phi3": ("phi3", {"original_max_position_embeddings": 128}),
    "phi3 window": ("phi3", {"original_max_position_embeddings": 128, "sliding_window": 8}),
    "phi3 longrope": ("phi3", {"original_max_position_embeddings": 32, "rope_parameters": LONGROPE}),
    "gpt_neox": ("gpt_neox", {}),
    "gpt_neox one after the other": ("gpt_neox", {"use_parallel_residual": False}),
    "stablelm": ("stablelm", {"use_qkv_bias": True}),
    "stablelm parallel": ("stablelm", {"use_parallel_residual": True}),
    "starcoder2": ("starcoder2", {}),
    "gpt2": ("gpt2", {"n_inner": 96}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOAL_CACHE", str(tmp_path / "cache"))


def logits(model, length: int) -> torch.Tensor:
    ids = torch.randint(0, 256, (2, length), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return model(ids).logits


@pytest.mark.parametrize("name", MODELS)
def test_the_logits_are_those_of_the_source_model(tmp_path, name):
    model_type, settings = MODELS[name]
    source = small_model(model_type, **settings)

    loaded = load_model(str(write_gguf(tmp_path / "m.gguf", source))).model

    for length in (5, 100):
        expected = logits(source, length)
        assert torch.allclose(logits(loaded, length), expected, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize(
    "name", ["llama linear", "llama yarn", "llama 3 of another length", "gemma2 soft caps", "llama biases"]
)
def test_what_was_once_dropped_changes_these_logits(name):
    model_type, settings = MODELS[name]
    keep = {"head_dim", "sliding_window"}
    plain = small_model(model_type, **{key: value for key, value in settings.items() if key in keep})
    full = small_model(model_type, **settings)

    assert (logits(plain, 100) - logits(full, 100)).abs().max() > 0.05


def test_a_bias_that_the_file_lacks_is_none(tmp_path):
    source = small_model("llama", attention_bias=True)
    with torch.no_grad():
        for layer in source.model.layers:
            layer.self_attn.o_proj.bias.zero_()
    lost = tuple(f"blk.{layer}.attn_output.bias" for layer in range(2))

    loaded = load_model(str(write_gguf(tmp_path / "m.gguf", source, leave_out=lost))).model

    assert torch.allclose(logits(loaded, 20), logits(source, 20), atol=1e-4)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"expert_count": 4}, "llama.expert_count"),
        ({"attention.sliding_window": 16}, "llama.attention.sliding_window"),
        ({"attention.clamp_kqv": 8.0}, "llama.attention.clamp_kqv"),
        ({"logit_scale": 0.5}, "llama.logit_scale"),
        ({"attention.causal": False}, "llama.attention.causal"),
        ({"rope.scaling.type": "dynamic", "rope.scaling.factor": 2.0}, "llama.rope.scaling.type"),
        ({"rope.scaling.type": "yarn", "rope.scaling.factor": 2.0, "rope.scaling.yarn_ext_factor": 0.5}, "yarn_ext"),
        ({"rope.scaling.type": "linear"}, "llama.rope.scaling.factor"),
        ({"rope.scaling.type": 7}, "llama.rope.scaling.type"),
        ({"rope.dimension_count": 4}, "llama.rope.dimension_count"),
        ({"attention.value_length": 4}, "llama.attention.value_length"),
        ({"attention.head_count_kv": [2, 1]}, "llama.attention.head_count_kv"),
        ({"attention.head_count": 0}, "llama.attention.head_count"),
        ({"attention.head_count_kv": 0}, r"llama\.attention\.head_count_kv = 0"),
        ({"attention.head_count_kv": 3}, r"llama\.attention\.head_count_kv = 3"),
        ({"attention.layer_norm_rms_epsilon": 0.0}, r"m\.gguf has rms_norm_eps"),
        ({"rope.freq_base": 0.0}, r"m\.gguf has rope_theta"),
        ({"context_length": 0}, r"m\.gguf has max_position_embeddings"),
        ({"block_count": 1_000_000_000}, "llama.block_count"),
        ({"embedding_length": 64}, "llama.embedding_length"),
        ({"vocab_size": 300}, "llama.vocab_size"),
        ({"split.count": 3}, "split.count"),
        ({"general.type": "adapter"}, "general.type"),
        ({"tokenizer.ggml.precompiled_charsmap": [1, 2]}, "tokenizer.ggml.precompiled_charsmap"),
        ({"tokenizer.ggml.add_sep_token": True}, "tokenizer.ggml.add_sep_token"),
        ({"tokenizer.ggml.bos_token_id": 5000}, "tokenizer.ggml.bos_token_id"),
        ({"other.key": 1.0}, "other.key"),
    ],
)  # fmt: skip
def test_a_key_that_is_not_read_is_named(tmp_path, keys, named):
    path = write_gguf(tmp_path / "m.gguf", small_model("llama"), keys=keys)

    with pytest.raises(ModelError, match=named) as caught:
        load_model(str(path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "name", ["blk.0.attn_q_norm.weight", "blk.1.attn_rot_embd.weight", "output.bias", "blk.0.ffn_gate_inp.weight"]
)
def test_a_tensor_that_is_not_read_is_named(tmp_path, name):
    path = write_gguf(tmp_path / "m.gguf", small_model("llama"), tensors={name: np.ones(32, dtype=np.float32)})

    with pytest.raises(ModelError, match=f"tensor {name}"):
        load_model(str(path))


@pytest.mark.parametrize("divisor", [0.0, -1.0, np.nan, np.inf])
def test_a_divisor_of_frequencies_that_is_none_is_refused(tmp_path, divisor):
    divisors = np.array([1.0, 1.0, divisor, 8.0], dtype=np.float32)
    path = write_gguf(tmp_path / "m.gguf", small_model("llama"), tensors={"rope_freqs.weight": divisors})

    with pytest.raises(CorruptModelError, match=r"tensor rope_freqs\.weight .*no number above 0"):
        load_model(str(path))
    assert not (tmp_path / "cache").exists()


def test_a_lost_bias_of_qwen2_is_not_made_up(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", small_model("qwen2"), leave_out=("blk.1.attn_k.bias",))

    with pytest.raises(ModelError, match=r"lacks model\.layers\.1\.self_attn\.k_proj\.bias"):
        load_model(str(path))


def test_an_architecture_without_a_reader_is_named(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", small_model("llama"), keys={})
    path.write_bytes(path.read_bytes().replace(b"llama", b"plamo"))

    with pytest.raises(ModelError, match="architecture 'plamo'"):
        load_model(str(path))


def test_what_a_file_of_gemma2_leaves_open_is_not_guessed(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", small_model("gemma2", head_dim=16))

    with pytest.raises(ModelError, match=r"gemma2\.attention\.key_length .*query_pre_attn_scalar"):
        load_model(str(path))


def test_notes_about_the_file_change_nothing(tmp_path):
    keys = {
        "general.name": "Tiny", "general.license": "mit", "general.type": "model", "rope.scaling.finetuned": False,
        "tokenizer.ggml.eot_token_id": 256, "tokenizer.chat_template": "{{ messages[0]['content'] }}",
    }  # fmt: skip
    source = small_model("llama")

    loaded = load_model(str(write_gguf(tmp_path / "m.gguf", source, keys=keys)))

    assert torch.equal(logits(loaded.model, 20), logits(source, 20))
    assert loaded.tokenizer.chat_template == "{{ messages[0]['content'] }}"
