"""What a row says is a function of its seed, whatever goes with it, and is drawn as the model says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from architectures import tiny_model
from shoal.errors import ModelError, UsageError
from shoal.models.generation import TokenChooser, TokenSampling
from shoal.models.sampling import draw_tokens, sample_continuations

PREFIXES = [[5, 6, 7], [9], [5, 6, 7], [11, 12, 13, 14, 15, 16]]
SEEDS = [1, 2, 3, 4]


def plainly(model, prefix, seed, temperature, longest, end_id):
    """One row, everything read anew in float64 logits, one draw a token."""
    ids, draws = list(prefix), np.random.default_rng(seed).random(longest)
    for draw in draws:
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1].double() / temperature
        ids.append(int((logits.softmax(-1).cumsum(-1) <= draw).sum()))
        if ids[-1] == end_id:
            break
    return ids[len(prefix) :]


@pytest.mark.parametrize("architecture", ["Llama", "Gemma2", "Mamba"])
def test_each_way_of_going_on_draws_what_one_row_alone_draws(architecture):
    model = tiny_model(architecture, vocab_size=60)
    with torch.inference_mode():
        end_id = plainly(model, PREFIXES[0], SEEDS[0], 0.8, 12, None)[5]
        wanted = [plainly(model, prefix, seed, 0.8, 12, end_id) for prefix, seed in zip(PREFIXES, SEEDS, strict=True)]
    said = sample_continuations(model, PREFIXES, SEEDS, [12] * 4, temperature=0.8, end_id=end_id)
    assert said == wanted
    assert said[0][-1] == end_id
    assert said[0] != said[2]


def test_tokens_come_as_often_as_the_model_says():
    model = tiny_model("Llama", vocab_size=12)
    with torch.inference_mode():
        wanted = (model(input_ids=torch.tensor([[3, 4]])).logits[0, -1].double() / 2).softmax(-1).numpy()
    said = sample_continuations(model, [[3, 4]] * 4000, range(4000), [1] * 4000, temperature=2, end_id=None)
    counts = np.bincount([row[0] for row in said], minlength=12)
    assert chisquare(counts, wanted * 4000).pvalue > 1e-3
    assert chisquare(counts, np.full(12, 4000 / 12)).pvalue < 1e-9


def test_temperature_zero_is_greedy():
    model = tiny_model("Llama", vocab_size=60)
    said = sample_continuations(model, [[5, 6]] * 2, [1, 2], [4, 4], temperature=0, end_id=None)
    with torch.inference_mode():
        ids = [5, 6]
        for _ in range(4):
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    assert said == [ids[2:], ids[2:]]


@pytest.mark.parametrize("temperature", [-1.0, math.nan, math.inf])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(UsageError, match="a temperature is a number of 0 or more"):
        sample_continuations(tiny_model("Llama"), [[1]], [1], [1], temperature=temperature, end_id=None)


def test_logits_that_are_not_numbers_are_an_error():
    model = tiny_model("Llama")
    with torch.no_grad():
        model.lm_head.weight.fill_(math.nan)
    with pytest.raises(ModelError, match="not numbers"):
        sample_continuations(model, [[1]], [1], [1], temperature=1, end_id=None)


@pytest.mark.parametrize("temperature", [1e-307, 5e-324])
def test_the_smallest_temperatures_take_the_most_likely_token(temperature):
    logits = torch.tensor([[1.0, 30.0, -math.inf, 29.0]], dtype=torch.float64)
    drawn = torch.tensor([0.99], dtype=torch.float64)
    assert draw_tokens(logits, drawn, temperature).tolist() == [1]
    chooser = TokenChooser(TokenSampling(temperature=temperature, top_p=0.5), [1])
    assert chooser.choose(logits[0]) == 1
