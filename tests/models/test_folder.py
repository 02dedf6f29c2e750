"""A folder is loaded as it is, or refused with one line that says why."""

from __future__ import annotations

import json
import pickle
import shutil
import tarfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from shoal.errors import CorruptModelError, ModelError, UnknownNameError, UnsafeModelError, UsageError
from shoal.models import load_model, load_tokenizer, model_digest
from tiny_models import byte_tokenizer, tiny_llama


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(kind, spec):
    """The message of the error, which must be one line."""
    with pytest.raises(kind) as caught:
        load_model(str(spec))
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def test_a_folder_gives_the_model_that_was_saved(model_folder):
    original = tiny_llama()

    loaded = load_model(str(model_folder), device="cpu")

    ids = torch.tensor([[1, 2, 3, 4]])
    assert torch.equal(loaded.model(ids).logits, original(ids).logits)
    assert loaded.digest == model_digest(original)
    assert loaded.parameters == sum(p.numel() for p in original.parameters())
    assert not loaded.model.training
    assert loaded.origin == str(model_folder)
    assert loaded.tokenizer("a b")["input_ids"] == byte_tokenizer()("a b")["input_ids"]


def test_tied_weights_are_no_missing_weights(tmp_path):
    tiny_llama(tied=True).save_pretrained(tmp_path / "tied")
    byte_tokenizer().save_pretrained(tmp_path / "tied")

    loaded = load_model(str(tmp_path / "tied"))

    assert loaded.model.lm_head.weight is loaded.model.model.embed_tokens.weight


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
def test_the_model_has_the_dtype_that_was_asked_for(model_folder, dtype):
    assert load_model(str(model_folder), dtype=dtype).model.dtype is getattr(torch, dtype)


def test_the_tokenizer_is_had_without_the_weights(model_folder):
    (model_folder / "model.safetensors").unlink()

    assert load_tokenizer(str(model_folder)).eos_token == "<end>"


def test_the_tokenizer_is_had_from_a_folder_that_holds_nothing_else(tmp_path):
    byte_tokenizer().save_pretrained(tmp_path / "alone")

    assert load_tokenizer(str(tmp_path / "alone")).get_vocab() == byte_tokenizer().get_vocab()
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load_model(str(tmp_path / "alone"))


def test_weights_in_several_files_are_read_together(model_folder):
    tiny_llama().save_pretrained(model_folder, max_shard_size="8KB")
    (model_folder / "model.safetensors").unlink()

    assert len(list(model_folder.glob("model-*.safetensors"))) > 1
    assert load_model(str(model_folder)).digest == model_digest(tiny_llama())


def test_nothing_is_said_while_loading(model_folder, capfd):
    load_model(str(model_folder))

    assert capfd.readouterr() == ("", "")


def test_an_unknown_dtype_is_named(model_folder):
    with pytest.raises(UnknownNameError, match="did you mean 'float32'"):
        load_model(str(model_folder), dtype="float23")


@pytest.mark.parametrize("device", ["warp", "", "meta", "cuda:99", "cpu:-2", "hpu", "privateuseone", "\ud800"])
def test_a_device_that_computes_nothing_here_is_named(model_folder, device):
    with pytest.raises(UsageError, match=r"^the device '.*' cannot be used here; give auto, cpu or cuda$"):
        load_model(str(model_folder), device=device)


def test_a_folder_that_does_not_exist_names_the_nearest(model_folder):
    assert str(model_folder) in refusal(ModelError, model_folder.parent / "tinny")


def test_a_missing_configuration_is_named(model_folder):
    (model_folder / "config.json").unlink()

    assert "has no config.json" in refusal(ModelError, model_folder)


def test_a_broken_configuration_is_corrupt(model_folder):
    (model_folder / "config.json").write_text('{"model_type": ')

    assert "config.json cannot be read" in refusal(CorruptModelError, model_folder)


@pytest.mark.parametrize(
    "change", [{"hidden_size": "wide"}, {"num_attention_heads": 0}, {"rope_parameters": 3}, {"hidden_act": "jump"}]
)
def test_a_configuration_with_impossible_values_is_refused(model_folder, change):
    change_json(model_folder / "config.json", **change)

    assert str(model_folder) in refusal(ModelError, model_folder)


def test_an_architecture_that_nobody_knows_is_named(model_folder):
    change_json(model_folder / "config.json", model_type="lamma")

    assert "'lamma'" in refusal(ModelError, model_folder)


def test_a_model_with_code_of_its_own_is_unsafe(model_folder):
    change_json(
        model_folder / "config.json", model_type="homemade", auto_map={"AutoModelForCausalLM": "modeling.Homemade"}
    )
    (model_folder / "modeling.py").write_text("raise SystemExit('this ran')")

    assert "auto_map" in refusal(UnsafeModelError, model_folder)


def test_a_known_architecture_ignores_the_code_beside_it(model_folder):
    change_json(model_folder / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Homemade"})
    (model_folder / "modeling.py").write_text("raise SystemExit('this ran')")

    assert load_model(str(model_folder)).digest == model_digest(tiny_llama())


def test_a_tokenizer_with_code_of_its_own_is_unsafe(model_folder):
    change_json(model_folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokens.Homemade", None]})
    (model_folder / "tokenizer.json").rename(model_folder / "tokenizer.model")

    assert "tokenizer_config.json" in refusal(UnsafeModelError, model_folder)


def test_a_model_that_is_not_causal_is_refused(tmp_path):
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=260, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    byte_tokenizer().save_pretrained(tmp_path / "bert")

    assert "not a causal language model" in refusal(ModelError, tmp_path / "bert")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "last.ckpt", "weights.pkl"])
def test_a_folder_with_pickles_alone_is_unsafe(model_folder, name):
    (model_folder / "model.safetensors").unlink()
    torch.save({"a": torch.ones(1)}, model_folder / name)

    message = refusal(UnsafeModelError, model_folder)

    assert name in message
    assert "safetensors" in message


def test_pickles_beside_safetensors_are_left_alone(model_folder):
    (model_folder / "pytorch_model.bin").write_bytes(b"not even a pickle")

    assert load_model(str(model_folder)).digest == model_digest(tiny_llama())


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path.parent / "sprung"), "w"))


def write_torch(path):
    torch.save({"a": Trap(path)}, path)


def write_old_torch(path):
    torch.save({"a": Trap(path)}, path, _use_new_zipfile_serialization=False)


def write_pickle(path):
    path.write_bytes(pickle.dumps({"a": Trap(path)}))


def write_tar(path):
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "x")


@pytest.mark.parametrize("write", [write_torch, write_old_torch, write_pickle, write_tar])
@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "model.gguf", "model.pt"])
def test_a_pickle_is_refused_under_any_name(model_folder, write, name):
    path = model_folder / name
    write(path)

    spec = model_folder if name == "model.safetensors" else path
    assert f"{path} is a pickle" in refusal(UnsafeModelError, spec)
    assert not (model_folder / "sprung").exists()


def test_a_configuration_cannot_name_a_pickle_as_its_weights(model_folder):
    write_torch(model_folder / "adapter_model.bin")
    change_json(model_folder / "config.json", transformers_weights="adapter_model.bin")

    assert load_model(str(model_folder)).digest == model_digest(tiny_llama())
    assert not (model_folder / "sprung").exists()


def test_the_settings_of_generation_are_those_of_the_folder(model_folder):
    change_json(model_folder / "generation_config.json", max_length=37)

    assert load_model(str(model_folder)).model.generation_config.max_length == 37


def test_a_safetensors_file_asks_for_its_folder(model_folder):
    assert "expected a folder" in refusal(ModelError, model_folder / "model.safetensors")


def test_missing_weights_are_named(model_folder):
    (model_folder / "model.safetensors").unlink()

    assert "expected model.safetensors" in refusal(ModelError, model_folder)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_file_that_is_cut_short_is_corrupt(model_folder, keep):
    path = model_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])

    assert str(path) in refusal(CorruptModelError, model_folder)


def test_an_absent_part_of_the_weights_is_named(model_folder):
    tiny_llama().save_pretrained(model_folder, max_shard_size="8KB")
    (model_folder / "model.safetensors").unlink()
    part = next(model_folder.glob("model-*.safetensors"))
    part.unlink()

    assert part.name in refusal(CorruptModelError, model_folder)


def test_an_index_that_leads_out_of_the_folder_is_refused(model_folder, tmp_path):
    shutil.move(model_folder / "model.safetensors", tmp_path / "outside.safetensors")
    weight_map = dict.fromkeys(load_file(tmp_path / "outside.safetensors"), "../outside.safetensors")
    (model_folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    assert "../outside.safetensors" in refusal(CorruptModelError, model_folder)


def test_a_weight_that_is_missing_is_not_made_up(model_folder):
    path = model_folder / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.0.mlp.up_proj.weight"]
    save_file(weights, path, metadata={"format": "pt"})

    assert "lacks model.layers.0.mlp.up_proj.weight" in refusal(CorruptModelError, model_folder)


def test_a_missing_head_is_not_made_up(model_folder):
    path = model_folder / "model.safetensors"
    weights = load_file(path)
    del weights["lm_head.weight"]
    save_file(weights, path, metadata={"format": "pt"})

    assert "lacks lm_head.weight" in refusal(CorruptModelError, model_folder)


def test_a_weight_too_many_is_named(model_folder):
    path = model_folder / "model.safetensors"
    save_file({**load_file(path), "model.layers.1.extra": torch.ones(2)}, path, metadata={"format": "pt"})

    assert "has unknown model.layers.1.extra" in refusal(CorruptModelError, model_folder)


def test_a_weight_of_another_shape_is_named(model_folder):
    path = model_folder / "model.safetensors"
    save_file({**load_file(path), "model.norm.weight": torch.ones(8)}, path, metadata={"format": "pt"})

    assert "misfits model.norm.weight" in refusal(CorruptModelError, model_folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_a_number_is_named(model_folder, value):
    path = model_folder / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"][3] = value
    save_file(weights, path, metadata={"format": "pt"})

    assert "model.norm.weight" in refusal(CorruptModelError, model_folder)


def test_a_missing_tokenizer_is_named(model_folder):
    (model_folder / "tokenizer.json").unlink()

    assert "has no tokenizer" in refusal(ModelError, model_folder)


def test_a_broken_tokenizer_is_corrupt(model_folder):
    path = model_folder / "tokenizer.json"
    path.write_text(path.read_text()[:200])

    assert "tokenizer" in refusal(CorruptModelError, model_folder)


def test_a_tokenizer_without_an_end_token_is_refused(model_folder):
    tokenizer = byte_tokenizer()
    tokenizer.eos_token = None
    tokenizer.save_pretrained(model_folder)

    assert "no end token" in refusal(ModelError, model_folder)


def test_a_tokenizer_with_more_ids_than_embeddings_is_refused(tmp_path):
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["<one more>"])
    tiny_llama().save_pretrained(tmp_path / "small")
    tokenizer.save_pretrained(tmp_path / "small")

    assert "has ids up to 260, but the model has 260 embeddings" in refusal(ModelError, tmp_path / "small")


def test_an_older_checkpoint_keeps_loading_with_the_buffers_it_used_to_store(tmp_path):
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = GPTNeoConfig(
        vocab_size=260,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=32,
        window_size=8,
        bos_token_id=256,
        eos_token_id=256,
    )
    folder = tmp_path / "neo"
    GPTNeoForCausalLM(config).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    path = folder / "model.safetensors"
    weights = load_file(path)
    for layer in range(2):
        weights[f"transformer.h.{layer}.attn.attention.bias"] = torch.ones(1, 1, 32, 32).tril().bool()
        weights[f"transformer.h.{layer}.attn.attention.masked_bias"] = torch.tensor(-1e9)
    save_file(weights, path, metadata={"format": "pt"})

    assert load_model(str(folder)).model.config.model_type == "gpt_neo"


def test_a_checkpoint_of_the_body_alone_loads_where_the_head_is_tied_to_it(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=260, n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=256, eos_token_id=256
    )
    original = GPT2LMHeadModel(config).eval()
    folder = tmp_path / "gpt2"
    original.transformer.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    path = folder / "model.safetensors"
    weights = {**load_file(path), "h.0.attn.bias": torch.ones(1, 1, 32, 32).tril()}
    save_file(weights, path, metadata={"format": "pt"})

    assert "wte.weight" in weights
    assert load_model(str(folder)).digest == model_digest(original)


def test_the_file_of_a_tokenizer_says_how_text_is_split_whatever_the_architecture(tmp_path):
    """`transformers` would put Qwen 2's own splitting, and a token more, in its place."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path / "qwen"
    config = Qwen2Config(
        vocab_size=260, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, bos_token_id=None, eos_token_id=256,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)

    tokenizer = load_model(str(folder)).tokenizer

    assert len(tokenizer) == 260
    assert tokenizer("  a\n b")["input_ids"] == byte_tokenizer()("  a\n b")["input_ids"]
