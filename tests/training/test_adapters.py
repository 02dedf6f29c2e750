from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import byte_tokenizer, gpt2, llama

from shoal.errors import UnknownNameError, UsageError
from shoal.tasks import Example
from shoal.training import TrainSettings, load_adapters, merge_adapters, save_adapters, train

peft = pytest.importorskip("peft")

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
SETTINGS = TrainSettings(learning_rate=1e-2, epochs=2, batch_tokens=100, precision="float32", checkpoint_seconds=0.0)
LORA = replace(SETTINGS, lora_rank=4)


def _logits(model):
    with torch.no_grad():
        return model(input_ids=torch.arange(12)[None], use_cache=False).logits


def _trained(settings, make=llama, **more):
    model = make()
    return model, train(model, byte_tokenizer(), EXAMPLES, settings, **more)


@pytest.mark.parametrize("make", [llama, gpt2])
def test_adapters_alone_are_trained_and_learn(make):
    before = {name: weight.clone() for name, weight in make().named_parameters()}
    model, result = _trained(replace(LORA, epochs=4), make)
    assert result.curve[-1].loss < result.curve[0].loss - 0.1
    assert result.gradient == "autograd"
    total = sum(weight.numel() for weight in before.values())
    assert result.parameters.total == total + result.parameters.trained
    assert 0 < result.parameters.trained < total
    own = {name.replace(".base_layer", ""): weight for name, weight in model.named_parameters()}
    assert all(torch.equal(own[name], weight) for name, weight in before.items())


# peft reads a name that transformers is about to rename.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_the_files_are_those_of_peft_and_the_merged_model_is_a_plain_one(tmp_path):
    model, _ = _trained(LORA)
    expected = _logits(model)
    assert not torch.allclose(expected, _logits(llama()), atol=1e-3)
    save_adapters(model, tmp_path, base="org/base")
    loaded = peft.PeftModel.from_pretrained(llama(), str(tmp_path))
    torch.testing.assert_close(_logits(loaded), expected)
    assert loaded.peft_config["default"].base_model_name_or_path == "org/base"
    merge_adapters(model)
    torch.testing.assert_close(_logits(model), expected, atol=1e-5, rtol=1e-4)
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in llama().named_parameters()]
    # Trained whole again, by the written-out pass.
    assert train(model, byte_tokenizer(), EXAMPLES, replace(SETTINGS, epochs=0.2)).gradient == "written out"


def test_a_resumed_training_of_adapters_ends_with_the_same_bits(tmp_path):
    whole, expected = _trained(LORA)

    def interrupt(point):
        if point.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _trained(LORA, folder=tmp_path, on_step=interrupt)
    resumed, result = _trained(LORA, folder=tmp_path)
    assert result.resumed_from == 4
    assert result.curve == expected.curve
    assert torch.equal(_logits(resumed), _logits(whole))


def test_targets_scale_and_seed_are_those_of_the_settings():
    model, result = _trained(replace(LORA, lora_targets=("q_proj", "v_proj"), lora_alpha=3.0, epochs=0.2))
    adapted = {name.split(".lora_")[0].rpartition(".")[2] for name, _ in model.named_parameters() if "lora_" in name}
    assert adapted == {"q_proj", "v_proj"}
    assert result.parameters.trained == 2 * 2 * (32 + 32) * 4
    assert model.peft_config["default"].lora_alpha == 3.0


def test_frozen_weights_stay_and_are_trained_again_afterwards():
    model, result = _trained(replace(SETTINGS, freeze=("model.embed_tokens.*", "*.layers.0.*")))
    for (name, weight), before in zip(model.named_parameters(), llama().parameters(), strict=True):
        assert torch.equal(weight, before) == ("embed" in name or ".layers.0." in name), name
        assert weight.requires_grad
    assert result.gradient == "autograd"
    assert str(result.parameters).endswith("%)")
    assert result.parameters.trained < result.parameters.total


def test_what_cannot_be_adapted_or_frozen_is_refused():
    with pytest.raises(UnknownNameError, match=r"unknown weight to freeze 'model.embed_token.weight'; did you mean"):
        _trained(replace(SETTINGS, freeze=("model.embed_token.weight",)))
    with pytest.raises(UsageError, match=r"lora_targets = \['query'\]: no such module in LlamaForCausalLM"):
        _trained(replace(LORA, lora_targets=("query",)))
    model, _ = _trained(replace(LORA, epochs=0.2))
    with pytest.raises(UsageError, match="has adapters already; merge them"):
        train(model, byte_tokenizer(), EXAMPLES, LORA)
    with pytest.raises(UsageError, match="the model has no adapters"):
        merge_adapters(llama())
    with pytest.raises(UsageError, match="lora_rank = -1 is out of range"):
        TrainSettings(lora_rank=-1)


@pytest.mark.parametrize("fault", ["lacks one", "is of another model"])
def test_adapters_that_do_not_fit_are_refused_and_leave_the_model_as_it_was(tmp_path, fault):
    model, _ = _trained(replace(LORA, epochs=0.2), make=llama if fault == "lacks one" else gpt2)
    save_adapters(model, tmp_path, base="org/base")
    if fault == "lacks one":
        file = tmp_path / "adapter_model.safetensors"
        tensors = load_file(file)
        del tensors[next(name for name in tensors if "lora_B" in name)]
        save_file(tensors, file)
    plain = llama()
    with pytest.raises(UsageError, match="are not whole" if fault == "lacks one" else "are not of|another model"):
        load_adapters(plain, tmp_path)
    assert [name for name, _ in plain.named_parameters()] == [name for name, _ in llama().named_parameters()]
    assert all(weight.requires_grad for weight in plain.parameters())
    assert not hasattr(plain, "peft_config")


def test_adapters_that_were_saved_are_those_that_are_loaded(tmp_path):
    model, _ = _trained(LORA)
    save_adapters(model, tmp_path, base="org/base")
    loaded = llama()
    load_adapters(loaded, tmp_path)
    assert torch.equal(_logits(loaded), _logits(model))
