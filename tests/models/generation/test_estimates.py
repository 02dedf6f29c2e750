"""Memory and time are estimated from the configuration alone, and what does not fit is refused with the figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from every_architecture import every_type, small_config
from shoal.errors import ModelError, UsageError
from shoal.models.generation import TokenChooser, TokenSampling, check_fits, estimate_generation

PHI_3 = {
    "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32064,
    "max_position_embeddings": 4096, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 32000,
    "pad_token_id": 32000,
}  # fmt: skip


@pytest.fixture(scope="module")
def phi_3(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phi3")
    (folder / "config.json").write_text(json.dumps(PHI_3))
    return estimate_generation(str(folder), dtype="bfloat16", rows=2, context=1024)


def test_a_model_of_the_size_of_phi_3_is_estimated_without_its_weights(phi_3):
    # The technical report (Abdin et al. 2024, arXiv:2404.14219, section 2): 3.8 billion parameters.
    assert phi_3.parameters == 3_821_079_552
    assert phi_3.weight_bytes == 2 * phi_3.parameters
    # Keys and values of 32 layers, each as wide as the model, in two bytes.
    assert phi_3.cache_bytes_per_token == 2 * 32 * 3072 * 2
    assert phi_3.cache_bytes == phi_3.cache_bytes_per_token * 2 * 1024
    assert 0 < phi_3.tokens_per_second < 1000
    assert "3,821,079,552 parameters" in str(phi_3)
    assert phi_3.to_dict()["total_bytes"] > 8e9


@pytest.mark.parametrize(
    "wrong", [{"dtype": "float33"}, {"dtype": "int8"}, {"rows": 0}, {"context": 0}, {"context": -5}]
)
def test_settings_that_are_none_are_refused(wrong):
    with pytest.raises(UsageError):
        estimate_generation("bundled:stories", **wrong)


@pytest.mark.parametrize("wrong", [{"top_k": 2.5}, {"top_k": 0}, {"seed": 1.5}, {"seed": -1}, {"top_p": 0.0}])
def test_a_sampling_of_no_sense_is_refused(wrong):
    with pytest.raises(UsageError):
        TokenSampling(temperature=1.0, **wrong)


def test_whole_numbers_of_numpy_sample_as_those_of_python():
    logits = torch.linspace(0, 3, 40)
    own, numpy = (
        [
            TokenChooser(TokenSampling(temperature=1.0, top_k=kind(7), seed=kind(3)), [1]).choose(logits)
            for _ in range(5)
        ]
        for kind in (int, np.int64)
    )
    assert own == numpy


def test_what_does_not_fit_is_refused_with_the_figures(phi_3):
    check_fits(replace(phi_3, available_bytes=10**12))
    check_fits(replace(phi_3, available_bytes=None))
    with pytest.raises(ModelError, match=r"7\.6 GB for the weights.*of 4\.0 GB that are free.*does not fit"):
        check_fits(replace(phi_3, available_bytes=4 * 10**9))


def estimated(folder, model_type):
    small_config(model_type).save_pretrained(folder)
    return estimate_generation(str(folder), rows=3)


@pytest.mark.parametrize(
    ("model_type", "cached", "context"),
    [
        ("mamba", 0, 4096),  # a state of one size, and no keys and values
        ("rwkv", 0, 96),
        ("xlnet", 2 * 2 * 32, 4096),  # it states a context of -1
        ("gemma3n_text", 2 * 2 * 16, 96),  # a size for each layer
        ("llama", 2 * 2 * 16, 96),
    ],
)
def test_layers_of_every_kind_are_counted(tmp_path, model_type, cached, context):
    found = estimated(tmp_path, model_type)
    assert (found.cache_bytes_per_token, found.context) == (4 * cached, context)
    assert found.tokens_per_second > 0
    assert found.total_bytes == found.weight_bytes + 3 * context * 4 * cached + found.activation_bytes


@pytest.mark.slow
@pytest.mark.parametrize("model_type", every_type())
def test_every_architecture_is_estimated_or_says_why_not(tmp_path, model_type):
    try:
        small_config(model_type)
    except Exception as fault:  # noqa: BLE001 - what a configuration of this kind needs is another matter
        pytest.skip(f"not made: {type(fault).__name__}")
    said, found = "", None
    try:
        found = estimated(tmp_path, model_type)
    except ModelError as fault:
        said = str(fault)
    assert "\n" not in said
    assert said or (found.cache_bytes_per_token >= 0 < min(found.context, found.activation_bytes))
