"""A digest tells models apart by their weights and by what their settings change of their numbers."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import PreTrainedTokenizerFast

from architectures import tiny_model
from shoal.models import (
    EnsembleForCausalLM,
    load_for_scoring,
    load_model,
    model_digest,
    tensor_bytes,
    tokenizer_digest,
    vocabulary_digest,
)
from shoal.models.fast import FastModel
from tiny_models import byte_tokenizer, tiny_llama


def test_it_is_the_hash_of_names_dtypes_shapes_and_bytes():
    model = nn.Linear(3, 2)
    expected = hashlib.sha256()
    for name, tensor in (("bias", model.bias), ("weight", model.weight)):
        expected.update(json.dumps([name, "float32", list(tensor.shape)]).encode() + b"\n")
        expected.update(tensor.detach().numpy().tobytes())

    assert model_digest(model) == expected.hexdigest()


def test_equal_weights_have_equal_digests_and_others_have_not():
    first, second, other = tiny_llama(), tiny_llama(), tiny_llama(seed=1)

    assert model_digest(first) == model_digest(second)
    assert model_digest(first) != model_digest(other)
    with torch.no_grad():
        second.model.norm.weight[0] = torch.nextafter(second.model.norm.weight[0], torch.tensor(9.0))
    assert model_digest(first) != model_digest(second)


def test_the_layout_in_memory_does_not_count():
    plain, strided = nn.Linear(3, 2), nn.Linear(3, 2)
    strided.weight = nn.Parameter(plain.weight.detach().t().contiguous().t())
    strided.bias = plain.bias

    assert not strided.weight.is_contiguous()
    assert model_digest(strided) == model_digest(plain)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_dtype_counts(dtype):
    assert model_digest(tiny_llama().to(dtype)) != model_digest(tiny_llama())
    assert model_digest(tiny_llama().to(dtype)) == model_digest(tiny_llama().to(dtype))


def test_tied_tensors_count_once_under_their_first_name():
    tied, once = nn.Module(), nn.Module()
    tied.second = tied.first = nn.Parameter(torch.ones(2, 3))
    once.first = nn.Parameter(torch.ones(2, 3))

    assert len(tied.state_dict()) == 2
    assert model_digest(once) == model_digest(tied)


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 0), (3,), (2, 1)])
def test_strides_that_are_never_taken_are_no_fault(shape):
    number = torch.full((), 2.0, dtype=torch.float64)
    for tensor in (number.expand(shape), torch.as_strided(number.expand(shape), shape, (0,) * len(shape))):
        assert tensor_bytes(tensor) == number.numpy().tobytes() * tensor.numel()


def test_a_number_alone_and_an_empty_tensor_count():
    model = nn.Module()
    model.register_buffer("scale", torch.tensor(2.0))
    model.register_buffer("none", torch.zeros(0, 3))
    first = model_digest(model)
    model.scale += 1

    assert model_digest(model) != first


EDITS = [
    ("Llama", {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}),
    ("Llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 2.0}}),
    ("Llama", {"rms_norm_eps": 0.1}),
    ("Llama", {"max_position_embeddings": 16}),
    ("GPT2", {"n_head": 1}),
    ("GPT2", {"layer_norm_epsilon": 0.1}),
    ("GPTNeo", {"window_size": 3}),
    ("GPTNeoX", {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.25}}),
    ("Gemma2", {"sliding_window": 3}),
]


def edited(folder, changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return str(folder)


def saved(model, folder):
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("architecture", "changes"), EDITS)
def test_a_setting_that_no_weight_shows_counts(tmp_path, architecture, changes):
    """Records of a model whose config.json was edited would be taken for those of the model as it is now."""
    folder = saved(tiny_model(architecture), tmp_path / "model")
    before = load_for_scoring(str(folder))
    assert before.digest == load_model(str(folder)).digest
    after = load_for_scoring(edited(folder, changes))
    assert after.digest == load_model(str(folder)).digest
    assert after.digest != before.digest


def test_a_setting_without_effect_does_not_count(tmp_path):
    folder = saved(tiny_llama(), tmp_path / "model")
    before = load_model(str(folder)).digest
    changes = {"initializer_range": 0.5, "attention_dropout": 0.5, "use_cache": False, "bos_token_id": 3}
    assert load_model(edited(folder, changes)).digest == load_for_scoring(str(folder)).digest == before


def test_settings_that_are_left_out_count_as_what_they_come_to(tmp_path):
    folder = saved(tiny_llama(), tmp_path / "model")
    before = load_for_scoring(str(folder))
    assert isinstance(before.model, FastModel)
    path = folder / "config.json"
    kept = {key: value for key, value in json.loads(path.read_text()).items() if key not in ("head_dim", "hidden_act")}
    path.write_text(json.dumps(kept))
    assert load_for_scoring(str(folder)).digest == load_model(str(folder)).digest == before.digest


def test_the_settings_of_each_member_of_an_ensemble_count():
    members = [tiny_llama(seed=seed) for seed in range(2)]
    before = model_digest(EnsembleForCausalLM(members))
    members[1].config.rms_norm_eps = 0.1
    assert model_digest(EnsembleForCausalLM(members)) != before


def test_a_vocabulary_is_told_from_one_with_other_ids_or_another_end():
    plain, other = byte_tokenizer(), byte_tokenizer()
    assert vocabulary_digest(plain) == vocabulary_digest(other)
    other.eos_token = "<pad>"
    assert vocabulary_digest(plain) != vocabulary_digest(other)
    other.eos_token = "<end>"
    other.add_tokens(["new"])
    assert vocabulary_digest(plain) != vocabulary_digest(other)


def lower_case(tokenizer):
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()


def without_accents(tokenizer):
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])


def with_a_space_before(tokenizer):
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)


def with_a_token_before(tokenizer):
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<pad> $A", special_tokens=[("<pad>", 257)]
    )


def without_merges(tokenizer):
    vocabulary = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False)
    tokenizer.backend_tokenizer.model = models.BPE(vocab=vocabulary, merges=[])


CHANGES = (lower_case, without_accents, with_a_space_before, with_a_token_before, without_merges)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_tokenizer_is_told_from_one_of_the_same_tokens_that_cuts_otherwise(change):
    plain, other = byte_tokenizer(), byte_tokenizer()
    assert tokenizer_digest(plain) == tokenizer_digest(other)
    change(other)
    assert vocabulary_digest(plain) == vocabulary_digest(other)
    assert tokenizer_digest(plain) != tokenizer_digest(other)


@pytest.mark.parametrize("spec", ["bundled:stories", "bundled:searches"])
def test_a_tokenizer_has_one_digest_however_it_was_read(spec):
    assert tokenizer_digest(load_for_scoring(spec).tokenizer) == tokenizer_digest(load_model(spec).tokenizer)


def test_a_tokenizer_that_cannot_write_every_text_has_a_digest():
    few = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "b": 1})), eos_token="b")
    more = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "c": 1})), eos_token="c")
    assert tokenizer_digest(few) != tokenizer_digest(more)
