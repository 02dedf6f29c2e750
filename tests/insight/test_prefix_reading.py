"""What is shown at a token is what the model computes on the prefix that ends there, whatever follows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from architectures import letter_tokenizer, letters, tiny_model
from shoal.insight import (
    TextQuery,
    capture,
    direct_attribution,
    find_parts,
    head_type_scores,
    inspect_text,
    lens_readings,
    read_activations,
)
from shoal.insight.head_scores import related_keys
from shoal.insight.head_types import head_patterns
from shoal.insight.hooks import find_segments, read_position
from shoal.insight.logits.lens import residual_readings
from shoal.insight.vectors import read_vectors
from shoal.models import LoadedModel

ORIGINAL = 16
LENGTH = 40
IDS = torch.randint(1, 300, (LENGTH,), generator=torch.Generator().manual_seed(0))
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "long_factor": [4.0] * 4,
    "short_factor": [1.0] * 4,
    "original_max_position_embeddings": ORIGINAL,
}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}


def llama(rope: dict[str, object], context: int = 64) -> LlamaForCausalLM:
    """A Llama with fresh weights whose rotation hangs on the length of what it reads."""
    shape = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
    config = LlamaConfig(vocab_size=300, max_position_embeddings=context, rope_parameters=rope, **shape, **ids)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = LlamaForCausalLM(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0.0, 0.35)
    return model


@pytest.fixture(scope="module")
def longrope() -> LlamaForCausalLM:
    return llama(LONGROPE)


@torch.no_grad()
def by_prefix(model: LlamaForCausalLM, name: str) -> torch.Tensor:
    """An activation at each position, read off the prefix that ends there."""
    found = []
    for stop in range(1, LENGTH + 1):
        with capture(model, [name]) as cache:
            model(IDS[None, :stop], use_cache=False)
        found.append(cache[name][0, -1])
    return torch.stack(found)


def test_the_model_of_these_tests_reads_a_long_text_otherwise(longrope) -> None:
    with torch.no_grad():
        whole = longrope(IDS[None], use_cache=False).logits[0]
    assert (whole[:ORIGINAL] - by_prefix(longrope, "logits")[:ORIGINAL]).abs().max() > 0.1


def test_a_longrope_text_has_a_segment_before_the_original_context_ends_and_one_behind_it(longrope) -> None:
    found = [(segment.start, segment.stop) for segment in find_segments(longrope, LENGTH)]
    assert found == [(0, ORIGINAL), (ORIGINAL, LENGTH)]
    assert [tuple(segment[:2]) for segment in find_segments(longrope, ORIGINAL)] == [(0, ORIGINAL)]


@pytest.mark.parametrize("architecture", ["GPT2", "GPTNeo", "Llama", "Gemma2"])
def test_most_models_read_a_text_in_one_segment(architecture: str) -> None:
    assert [tuple(segment) for segment in find_segments(tiny_model(architecture), LENGTH)] == [(0, LENGTH, False)]


def test_behind_the_context_of_dynamic_scaling_every_prefix_is_a_segment_and_what_was_read_is_forgotten() -> None:
    model = llama(DYNAMIC, context=ORIGINAL)
    segments = find_segments(model, 20)
    assert [(each.start, each.stop) for each in segments] == [(0, 16), (16, 17), (17, 18), (18, 19), (19, 20)]
    assert all(each.forget for each in segments)


@pytest.mark.parametrize("name", ["logits", "embedding", "blocks.1.residual_out", "blocks.0.mlp.neurons"])
def test_activations_of_a_longrope_model_are_those_of_each_prefix(longrope, name: str) -> None:
    found = read_activations(longrope, IDS[None], [name])[name]
    assert found.shape[:2] == (1, LENGTH)
    torch.testing.assert_close(found[0], by_prefix(longrope, name), atol=1e-5, rtol=1e-4)


def test_weights_of_a_longrope_model_are_those_of_each_prefix_with_zeros_behind(longrope) -> None:
    name = "blocks.1.attention.weights"
    found = read_activations(longrope, IDS[None], [name])[name]
    assert found.shape == (1, 2, LENGTH, LENGTH)
    torch.testing.assert_close(found.sum(-1), torch.ones(1, 2, LENGTH))
    assert not found.triu(1).any()
    for stop in (5, ORIGINAL, 30):
        with torch.no_grad(), capture(longrope, [name]) as cache:
            longrope(IDS[None, :stop], use_cache=False)
        torch.testing.assert_close(found[0, :, stop - 1, :stop], cache[name][0, :, -1], atol=1e-5, rtol=1e-4)


def test_dynamic_scaling_is_read_prefix_by_prefix_whatever_was_read_before() -> None:
    model = llama(DYNAMIC, context=ORIGINAL)
    with torch.no_grad():
        model(torch.arange(1, 50)[None], use_cache=False)  # leaves the frequencies of a longer text behind
    found = read_activations(model, IDS[None, :24], ["logits"])["logits"][0]
    for stop in (10, 18, 24):
        fresh = llama(DYNAMIC, context=ORIGINAL)
        with torch.no_grad():
            expected = fresh(IDS[None, :stop], use_cache=False).logits[0, -1]
        torch.testing.assert_close(found[stop - 1], expected, atol=1e-5, rtol=1e-4)


def test_a_reduction_sees_one_segment_at_a_time_and_its_results_are_joined(longrope) -> None:
    shapes = []

    def mean(_: str, value: torch.Tensor) -> torch.Tensor:
        shapes.append(value.shape[1])
        return value[0].mean(-1)

    name = "blocks.0.residual_out"
    found = read_activations(longrope, IDS[None], [name], reduce=mean, axis=lambda _: 0)[name]
    assert shapes == [ORIGINAL, LENGTH - ORIGINAL]
    torch.testing.assert_close(found, by_prefix(longrope, name).mean(-1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("position", [3, ORIGINAL - 1, ORIGINAL, LENGTH - 1])
def test_one_position_is_read_as_its_prefix_is(longrope, position: int) -> None:
    name = "blocks.1.residual_out"
    found = read_position(longrope, IDS, [name], position)[name]
    torch.testing.assert_close(found, by_prefix(longrope, name)[position], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("position", [5, 30])
def test_an_attribution_is_of_the_logits_of_the_prefix(longrope, position: int) -> None:
    logits = by_prefix(longrope, "logits")[position]
    found = direct_attribution(longrope, IDS, target=5, foil=7, position=position)
    assert found.total == pytest.approx(float(logits[5] - logits[7]), abs=2e-3)
    assert sum(found.parts.values()) == pytest.approx(found.total, abs=1e-4)


def test_the_lens_ends_in_the_logits_of_each_prefix(longrope) -> None:
    last = lens_readings(longrope, IDS)[-1]
    assert [ids[0] for ids in last.top_ids] == by_prefix(longrope, "logits").argmax(-1).tolist()
    assert max(last.divergence) < 1e-5


def test_patterns_and_the_residual_stream_are_of_each_prefix(longrope) -> None:
    parts = find_parts(longrope)
    patterns = head_patterns(parts, IDS, None)
    weights = read_activations(longrope, IDS[None], ["blocks.1.attention.weights"])["blocks.1.attention.weights"][0, 1]
    found = next(each for each in patterns if (each.block, each.head) == (1, 1))
    largest = weights.topk(found.keys_LT.shape[1], dim=-1)
    torch.testing.assert_close(torch.tensor(found.weights_LT), largest.values, atol=1e-6, rtol=1e-5)
    norms = by_prefix(longrope, "blocks.1.residual_out").norm(dim=-1)
    assert residual_readings(parts, IDS)[-1].length == pytest.approx(float(np.median(norms)), rel=1e-4)


def test_contextual_vectors_are_of_each_prefix(longrope) -> None:
    text = letters(IDS.tolist())
    loaded = LoadedModel(spec="tiny", model=longrope, tokenizer=letter_tokenizer(), digest="", parameters=0, origin="")
    found = read_vectors(loaded, text).contextual
    torch.testing.assert_close(
        torch.tensor(found[1]), by_prefix(longrope, "blocks.0.residual_out"), atol=1e-5, rtol=1e-4
    )


def test_surprisal_of_an_inspection_is_that_of_each_prefix(longrope) -> None:
    query = TextQuery(text=letters(IDS.tolist()), position=4)
    found = inspect_text(longrope, letter_tokenizer(), query)
    log_p = by_prefix(longrope, "logits").log_softmax(-1)
    for place in (1, ORIGINAL - 1, ORIGINAL, LENGTH - 1):
        expected = -float(log_p[place - 1, IDS[place]]) / math.log(2)
        assert found.surprisal[place] == pytest.approx(expected, abs=1e-3)
    assert found.attribution is not None
    assert found.attribution.target == int(log_p[4].argmax())


def test_scores_of_heads_are_of_each_prefix(longrope) -> None:
    row = torch.cat([IDS[:20], IDS[:20]])[None]
    found = head_type_scores(longrope, row, [40])
    related = related_keys(row, [40])[0].float()
    weights = read_activations(longrope, row, ["blocks.*.attention.weights"])
    for block, value in enumerate(weights.values()):
        mass = torch.einsum("hqk,rqk->hr", value[0], related)
        torch.testing.assert_close(found[block], mass / related.any(-1).sum(-1), atol=1e-5, rtol=1e-4)
