"""Dropout is what the training says, in whatever way an architecture holds it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_models import VOCABULARY, byte_tokenizer

from every_architecture import every_type, small_config, small_model
from shoal.errors import ModelError, UsageError
from shoal.tasks import Example
from shoal.text.encoding import encode_pairs
from shoal.training import TrainSettings, train
from shoal.training.preparation import dropout_set_to

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 4)) for place in range(6)]
SETTINGS = TrainSettings(epochs=2, batch_tokens=1000, learning_rate=1e-3, warmup=0.0, precision="float32")
DROPPING = replace(SETTINGS, dropout=0.4)
FUNCTIONAL = ["biogpt", "gpt_bigcode", "opt", "xglm"]
KINDS = [*FUNCTIONAL, "bloom", "codegen", "ctrl", "falcon", "gpt_neox", "gptj", "mpt", "openai-gpt", "phi", "qwen2"]


def dropping(model_type):
    """A model with every dropout that its configuration names at .3, and these names."""
    names = [
        name
        for name, value in vars(small_config(model_type)).items()
        if "drop" in name and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return small_model(model_type, spread=0.1, vocab_size=VOCABULARY, **dict.fromkeys(names, 0.3)), names


def loss_of(model):
    """Nats a target token of all examples, one at a time."""
    nats, count = 0.0, 0
    for pair in encode_pairs(byte_tokenizer(), [(row.prompt, row.completion, row.ends) for row in EXAMPLES]):
        with torch.no_grad():
            logits_LV = model(input_ids=torch.tensor([pair.ids])).logits[0]
        target = torch.tensor(pair.target)
        logs_NV = logits_LV[pair.boundary - 1 : -1].log_softmax(-1)
        nats -= float(logs_NV.gather(1, target[:, None]).sum())
        count += len(target)
    return nats / count


def weights(model):
    return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])


@pytest.mark.parametrize("model_type", KINDS)
def test_without_dropout_the_loss_is_that_of_the_model_and_trainings_are_equal(model_type):
    (model, names), (twin, _) = dropping(model_type), dropping(model_type)
    assert names
    expected = loss_of(model)
    result = train(model, byte_tokenizer(), EXAMPLES, SETTINGS)
    torch.manual_seed(77)
    train(twin, byte_tokenizer(), EXAMPLES, SETTINGS)
    assert result.curve[0].loss == pytest.approx(expected, abs=1e-4)
    assert torch.equal(weights(model), weights(twin))
    assert {getattr(model.config, name) for name in names} == {0.3}


@pytest.mark.parametrize("model_type", KINDS)
def test_dropout_arrives(model_type):
    model = small_model(model_type, spread=0.1, vocab_size=VOCABULARY)
    expected = loss_of(model)
    assert abs(train(model, byte_tokenizer(), EXAMPLES, DROPPING).curve[0].loss - expected) > 1e-3


def test_what_a_model_holds_is_as_before_afterwards():
    model, _ = dropping("opt")
    before = [dict(vars(module)) for module in model.modules()]
    with dropout_set_to(model, 0.7):
        layer = model.model.decoder.layers[0]
        assert (layer.dropout, layer.self_attn.dropout, model.model.decoder.layerdrop) == (0.7, 0.7, 0.0)
    assert [dict(vars(module)) for module in model.modules()] == before


def test_dropout_of_an_architecture_without_any_is_refused():
    with pytest.raises(UsageError, match=r"dropout = 0.1, but MambaForCausalLM has no dropout; set it to 0"):
        train(small_model("mamba"), byte_tokenizer(), EXAMPLES, replace(SETTINGS, dropout=0.1))


def test_reformer_hashes_at_random_and_is_named():
    hashing = {"attn_layers": ["lsh", "lsh"], "num_buckets": 4, "lsh_attn_chunk_length": 16}
    model = small_model("reformer", vocab_size=VOCABULARY, **hashing)
    with pytest.raises(ModelError, match=r"\(reformer\) is random in training"):
        train(model, byte_tokenizer(), EXAMPLES, SETTINGS)


def test_an_architecture_that_is_random_whatever_its_dropout_is_named():
    model = small_model("llama", vocab_size=VOCABULARY)
    norm = model.model.norm
    norm.register_forward_hook(lambda module, _, output: output + module.training * torch.randn_like(output))
    with pytest.raises(ModelError, match=r"LlamaForCausalLM \(llama\) is random in training with every dropout at 0"):
        train(model, byte_tokenizer(), EXAMPLES, SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("model_type", every_type())
def test_without_dropout_nothing_is_random_in_any_architecture(model_type):
    try:
        model, _ = dropping(model_type)
        ids_BL = torch.arange(1, 17)[None]
        model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL))
    except Exception as fault:  # noqa: BLE001 - what a configuration of this kind needs is another matter
        pytest.skip(f"not made: {type(fault).__name__}")
    with dropout_set_to(model.train(), 0.0), torch.no_grad():
        passes = [model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL)).logits for _ in range(4)]
    assert all(torch.equal(again, passes[0]) for again in passes)
