"""Whatever stands in a configuration, a model works or one line says what is wrong with it, within seconds."""

from __future__ import annotations

import json
import math
import time

import pytest

from shoal.errors import CorruptModelError, ModelError, ShoalError
from shoal.evaluation import evaluate
from shoal.models import load_for_scoring, load_model
from shoal.tasks import Example
from tiny_models import byte_tokenizer, tiny_llama

ROWS = [Example(prompt="ab", completion=" cd")]
VALUES = [None, "x", "-1", -1, 0, 3, 1.5, -0.5, 10**9, 10**18, True, [], {}, math.nan, math.inf]


def tiny(name: str):
    from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoConfig, GPTNeoForCausalLM

    sizes = {"vocab_size": 260, "bos_token_id": None, "eos_token_id": 256}
    if name == "gpt2":
        return GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, n_positions=64, **sizes))
    if name == "gpt_neo":
        kinds = [[["global", "local"], 1]]
        config = GPTNeoConfig(
            hidden_size=16, num_layers=2, num_heads=2, attention_types=kinds, max_position_embeddings=64,
            window_size=8, **sizes,
        )  # fmt: skip
        return GPTNeoForCausalLM(config)
    return tiny_llama()


@pytest.fixture(scope="module", params=["llama", "gpt2", "gpt_neo"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tiny(request.param).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def change(folder):
    """Changes one of the folder's JSON files for the time of a test."""
    kept = {name: (folder / name).read_text() for name in ("config.json", "generation_config.json")}

    def write(name: str, changes: dict) -> None:
        (folder / name).write_text(json.dumps(json.loads(kept[name]) | changes))

    yield write
    for name, text in kept.items():
        (folder / name).write_text(text)


def outcome(load, folder) -> str:
    """What a person gets: "works", or the one line."""
    said = "works"
    try:
        loaded = load(str(folder), device="cpu")
        scores = evaluate(loaded.model, loaded.tokenizer, ROWS, greedy_text=False)
    except ShoalError as fault:
        said = str(fault)
    else:
        assert math.isfinite(scores.items[0].margin)
    assert "\n" not in said
    assert len(said) < 700
    return said


@pytest.mark.parametrize(
    ("value", "load"),
    [
        # Both read the configuration by the same checks: in turns they see every kind of value, and all of them slowly.
        pytest.param(value, load, id=f"{value!r}-{load.__name__}", marks=[pytest.mark.slow] * ((place + turn) % 2))
        for place, value in enumerate(VALUES)
        for turn, load in enumerate((load_model, load_for_scoring))
    ],
)
def test_any_value_of_any_field_gives_a_model_or_one_line(folder, change, value, load):
    fields = [key for key in json.loads((folder / "config.json").read_text()) if not key.startswith("summary")]
    began = time.monotonic()

    for key in fields:
        change("config.json", {key: value})
        outcome(load, folder)

    # A hang would be minutes; this bound is no measure of speed.
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_hidden_layers": 10**9}, "at most 10,000 layers"),
        ({"num_hidden_layers": 5000}, "5,000 layers, and the weights are of"),
        ({"num_hidden_layers": 3}, "3 layers, and the weights are of"),
        ({"hidden_size": 10**7}, "by config.json"),
        ({"vocab_size": 10**12}, "by config.json"),
        ({"intermediate_size": 10**9}, "by config.json"),
        ({"rms_norm_eps": "1e-5"}, "rms_norm_eps"),
        ({"rms_norm_eps": -1e-5}, "rms_norm_eps"),
        ({"max_position_embeddings": -1}, "max_position_embeddings = -1"),
        ({"num_attention_heads": 0}, "config.json cannot be used"),
        ({"num_attention_heads": 3}, "config.json cannot be used"),
        ({"head_dim": -8}, "head_dim = -8"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": -1.0}}, "rope_theta = -1.0"),
        ({"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 0.0}}, "factor"),
        ({"hidden_act": "gelo"}, "gelo"),
        ({"model_type": []}, "model_type|architecture"),
        ({"text_config": {"hidden_size": 3}}, "part for text"),
        ({"decoder": {"hidden_size": 3}}, "part for text"),
        ({"decoder": {}, "text_config": {}}, "config.json cannot be used"),
    ],
    ids=str,
)
@pytest.mark.parametrize("load", [load_model, load_for_scoring])
def test_what_is_wrong_with_a_llama_is_said(model_folder, load, changes, said):
    path = model_folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    with pytest.raises(ModelError, match=said) as caught:
        load(str(model_folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"max_new_tokens": -1}, {"num_beams": 0}, {"max_new_tokens": "many"}, {"top_k": -3}]
)
def test_settings_for_generating_text_that_are_none_are_one_line(model_folder, settings):
    (model_folder / "generation_config.json").write_text(json.dumps(settings))

    said = outcome(load_model, model_folder)

    assert said == "works" or "generation_config.json cannot be used" in said


def test_max_new_tokens_below_1_is_named(model_folder):
    (model_folder / "generation_config.json").write_text('{"max_new_tokens": -1}')

    with pytest.raises(ModelError, match=r"generation_config\.json cannot be used.*max_new_tokens"):
        load_model(str(model_folder))


def test_fresh_weights_that_no_machine_could_hold_are_not_drawn(model_folder):
    path = model_folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vocab_size": 10**13}))

    with pytest.raises(ModelError, match=r"needs weights of .* GB, and this machine has"):
        load_model(f"random:{model_folder}")


def test_the_weights_of_another_width_are_told_before_they_are_read(model_folder):
    path = model_folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden_size": 32, "head_dim": 8}))

    with pytest.raises(CorruptModelError, match=r"embed_tokens\.weight, which is 260 by 16 in .* 260 by 32 by config"):
        load_model(str(model_folder))
