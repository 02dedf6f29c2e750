"""Lenses end in the model's own logits, and attributions add up."""

import math
import statistics

import numpy as np
import pytest
import torch

from architectures import SETTINGS, letter_tokenizer, letters, tiny_model
from shoal.errors import CorruptModelError, DataError, ModelError
from shoal.insight import capture, direct_attribution, find_parts, lens_readings, surprisal, train_tuned_lens
from shoal.insight.logits import TunedLens, find_unembedding, linearize_norm
from shoal.models import load_model

IDS = torch.randint(1, 300, (20,), generator=torch.Generator().manual_seed(0))
ADDING_UP = [name for name in SETTINGS if name not in {"Mamba", "OPT"}]


@torch.no_grad()
def logits_of(model, ids=IDS):
    return model(ids[None], use_cache=False).logits[0]


@pytest.fixture(scope="module")
def stories(data_folder):
    loaded = load_model("bundled:searches")
    with (data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt").open(encoding="utf-8") as file:
        text = file.read(100_000)
    texts = [part.strip() for part in text.split("<|endoftext|>") if len(part) > 400]
    return loaded, texts


@pytest.mark.parametrize("architecture", SETTINGS)
def test_at_the_last_layer_the_lens_gives_the_logits(architecture):
    model = tiny_model(architecture)
    parts = find_parts(model)
    last = f"blocks.{len(parts.blocks) - 1}.residual_out"
    with capture(model, [last]) as seen:
        logits = logits_of(model)
    lens = find_unembedding(parts).logits(seen[last])[0]
    if architecture == "Granite":  # divides by its scale, where the lens multiplies by the inverse
        torch.testing.assert_close(lens, logits, rtol=1e-6, atol=1e-6)
    else:
        assert torch.equal(lens, logits)
    readings = lens_readings(model, IDS)
    assert [reading.layer for reading in readings] == ["embedding", "block 0", "block 1"]
    assert max(readings[-1].divergence) < 1e-5
    assert [ids[0] for ids in readings[-1].top_ids] == logits.argmax(-1).tolist()
    assert statistics.mean(readings[0].divergence) > 0.1


def test_the_probability_of_the_next_token_is_the_models_own():
    model = tiny_model("Llama")
    reading = lens_readings(model, IDS)[-1]
    bits = surprisal(logits_of(model), IDS)
    assert bits[0] is None
    assert reading.next_p[-1] is None
    for p, surprise in zip(reading.next_p[:-1], bits[1:], strict=True):
        assert -math.log2(p) == pytest.approx(surprise, rel=1e-4)
    loss = torch.nn.functional.cross_entropy(logits_of(model)[:-1], IDS[1:])
    assert statistics.mean(bits[1:]) == pytest.approx(float(loss) / math.log(2), rel=1e-5)


@pytest.mark.parametrize("architecture", ADDING_UP)
@pytest.mark.parametrize("position", [-1, 6])
def test_attributions_add_up_to_the_logit_difference(architecture, position):
    model = tiny_model(architecture)
    logits = logits_of(model).double()
    if architecture == "Gemma2":
        logits = 3.0 * torch.atanh(logits / 3.0)
    one = direct_attribution(model, IDS, target=5, foil=7, position=position)
    assert one.total == pytest.approx(float(logits[position, 5] - logits[position, 7]), abs=2e-3)
    assert sum(one.parts.values()) == pytest.approx(one.total, abs=1e-4)
    mean = direct_attribution(model, IDS, target=5, position=position)
    assert mean.total == pytest.approx(float(logits[position, 5] - logits[position].mean()), abs=2e-3)
    assert sum(mean.parts.values()) == pytest.approx(mean.total, abs=1e-4)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", ["GPT2", "Llama", "Gemma2"])
def test_attributions_in_half_precision_are_nearly_those_of_float32(architecture, kind):
    exact = direct_attribution(tiny_model(architecture), IDS, target=5, foil=7)
    found = direct_attribution(tiny_model(architecture).to(kind), IDS, target=5, foil=7)
    size = sum(map(abs, exact.parts.values()))
    assert sum(found.parts.values()) == pytest.approx(found.total, abs=0.01 * size)
    assert max(abs(found.parts[name] - value) for name, value in exact.parts.items()) < 0.01 * size


@pytest.mark.parametrize("architecture", ["GPT2", "Llama"])
def test_a_tuned_lens_is_trained_on_a_model_in_half_precision(architecture):
    model = tiny_model(architecture).to(torch.bfloat16)
    draws = np.random.default_rng(0)
    texts = [letters(draws.integers(1, 20, 30).tolist()) for _ in range(20)]
    lens = train_tuned_lens(model, letter_tokenizer(), texts, steps=2)
    plain, tuned = (statistics.mean(lens_readings(model, IDS, tuned=which)[0].divergence) for which in (None, lens))
    assert 0 < tuned < plain
    assert max(lens_readings(model, IDS, tuned=lens)[-1].divergence) < 1e-5


def test_a_part_that_writes_nothing_gets_nothing():
    model = tiny_model("GPT2")
    with torch.no_grad():
        model.transformer.h[1].attn.c_proj.weight[:8] = 0.0
        model.transformer.h[0].mlp.c_proj.weight.zero_()
        model.transformer.h[0].mlp.c_proj.bias.zero_()
    parts = direct_attribution(model, IDS, target=5, foil=7).parts
    assert parts["block 1 head 0"] == 0
    assert parts["block 0 mlp"] == 0
    assert parts["block 1 head 1"] != 0


def test_a_model_whose_parts_do_not_add_up_is_refused():
    model = tiny_model("Granite")
    for block in model.model.layers:
        block.residual_multiplier = 0.3
    with pytest.raises(ModelError, match="add up"):
        direct_attribution(model, IDS, target=5, foil=7)
    with pytest.raises(ModelError, match="cannot be decomposed"):
        direct_attribution(tiny_model("Mamba"), IDS, target=5, foil=7)


@torch.no_grad()
def test_a_frozen_norm_is_linear_in_its_parts():
    torch.manual_seed(0)
    norm = torch.nn.LayerNorm(15)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    inputs, direction = torch.randn(4, 15), torch.randn(4, 15)
    before, constant = linearize_norm(norm, inputs, direction)
    torch.testing.assert_close((inputs * before).sum(-1) + constant, (norm(inputs) * direction).sum(-1))
    with pytest.raises(ModelError, match="neither a layer norm"):
        linearize_norm(torch.nn.Tanh(), inputs, direction)


def test_a_tuned_lens_is_nearer_to_the_model_than_the_plain_one_on_other_texts(stories, tmp_path):
    loaded, texts = stories
    lens = train_tuned_lens(loaded.model, loaded.tokenizer, texts[:-10])
    lens.save(tmp_path / "lens.safetensors")
    lens = TunedLens.load(tmp_path / "lens.safetensors")
    plain, tuned = [], []
    for text in texts[-4:]:
        ids = torch.tensor(loaded.tokenizer(text)["input_ids"][:100])
        for found, which in ((plain, None), (tuned, lens)):
            readings = lens_readings(loaded.model, ids, tuned=which)
            found.append([statistics.mean(reading.divergence) for reading in readings])
    assert max(row[-1] for row in tuned) < 1e-5
    for layer in range(4):
        assert sum(row[layer] for row in tuned) < 0.8 * sum(row[layer] for row in plain)


def test_a_tuned_lens_of_another_model_or_a_broken_file_is_refused(stories, tmp_path):
    loaded, texts = stories
    lens = train_tuned_lens(loaded.model, loaded.tokenizer, texts[:5], steps=0)
    with pytest.raises(ModelError, match="another model"):
        lens_readings(load_model("random:bundled:searches").model, torch.tensor([1, 2, 3]), tuned=lens)
    broken = tmp_path / "lens.safetensors"
    broken.write_bytes(b"no lens")
    with pytest.raises(CorruptModelError, match="no tuned lens"):
        TunedLens.load(broken)
    for few in ([], [""], ["One day"]):
        with pytest.raises(DataError, match="give"):
            train_tuned_lens(loaded.model, loaded.tokenizer, few)
