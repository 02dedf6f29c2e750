"""A planted neuron is found with the words that it fires on, and noise is not called selective."""

import itertools
import random

import pytest
import torch
from planted import TOKENS, neuron_model

from architectures import tiny_model
from shoal.errors import DataError, ModelError, UsageError
from shoal.insight import (
    AnalysisOptions,
    NeuronExample,
    NeuronReport,
    NeuronSettings,
    capture,
    find_parts,
    find_selective_neurons,
)
from shoal.insight.neurons import TopActivations, neuron_activations, selectivity
from shoal.insight.neurons.activations import corpus_rows
from shoal.models import load_model

ANIMALS = range(3, 8)


def word_tokenizer():
    """A word a token: w0 to w27, the animals among them."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {("animal" if place in ANIMALS else "word") + str(place): place for place in range(TOKENS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="word0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="word0", pad_token="word0"), list(words)


@pytest.fixture(scope="module")
def corpus():
    tokenizer, words = word_tokenizer()
    draw = random.Random(0)
    return tokenizer, [" ".join(draw.choices(words[1:], k=30)) for _ in range(40)]


def test_a_planted_neuron_is_found_with_the_class_that_it_fires_on(corpus):
    tokenizer, texts = corpus
    found = find_selective_neurons(neuron_model(ANIMALS), tokenizer, texts, settings=NeuronSettings(count=3))
    first = found.neurons[0]
    assert (first.block, first.neuron) == (0, 5)
    assert set(first.tokens) == {f"animal{place}" for place in ANIMALS}
    assert first.auc > 0.99
    assert first.selective
    assert all(example.token.startswith("animal") for example in first.examples)
    assert found.tokens == 40 * 30


def test_at_most_one_neuron_in_twenty_of_a_random_model_is_selective(corpus):
    tokenizer, texts = corpus
    for seed in range(3):
        found = find_selective_neurons(
            tiny_model("Llama", seed=seed), tokenizer, texts, settings=NeuronSettings(count=48)
        )
        assert found.all_neurons == 48
        assert sum(report.selective for report in found.neurons) <= 0.05 * 48


def test_positions_that_are_shuffled_make_no_neuron_selective(corpus):
    """Activations that do not depend on the token: the tokens that were lucky in one half are not in the other."""
    draws = torch.Generator().manual_seed(0)
    ids = torch.randint(1, TOKENS, (1200,), generator=draws)
    half = torch.arange(1200) < 600
    values = [selectivity(torch.randn(1200, generator=draws), ids, half).p_value for _ in range(200)]
    assert 0.01 < sum(value <= 0.1 for value in values) / 200 < 0.2


def test_examples_are_the_largest_activations_of_the_corpus(corpus):
    tokenizer, texts = corpus
    model = neuron_model(ANIMALS)
    found = find_selective_neurons(model, tokenizer, texts, neurons=[(0, 7)], settings=NeuronSettings(examples=5))
    every = []
    for text in texts:
        with capture(model, ["blocks.0.mlp.neurons"]) as seen, torch.no_grad():
            model(tokenizer(text, return_tensors="pt")["input_ids"])
        every += seen["blocks.0.mlp.neurons"][0, :, 7].tolist()
    got = [example.activation for example in found.neurons[0].examples]
    assert got == pytest.approx(sorted(every, reverse=True)[:5], abs=1e-6)
    example = found.neurons[0].examples[0]
    words = texts[example.text].split()
    assert words[example.position] == example.token
    assert example.before.split() == words[max(0, example.position - 8) : example.position]


def test_streaming_keeps_what_sorting_everything_would():
    draws = torch.Generator().manual_seed(0)
    values = torch.randint(0, 50, (300, 4), generator=draws).float()
    strongest = TopActivations(4, 6)
    for start, stop in itertools.pairwise([0, 3, 100, 101, 300]):
        strongest.add(values[start:stop], torch.arange(start, stop))
    for neuron in range(4):
        assert strongest.value_CT[neuron].tolist() == values[:, neuron].sort(descending=True).values[:6].tolist()
        assert values[strongest.place_CT[neuron], neuron].tolist() == strongest.value_CT[neuron].tolist()


def test_a_real_model_has_selective_neurons(data_folder):
    loaded = load_model("bundled:searches")
    text = (data_folder / "tinystories" / "tinystories_v2_sample_cs336.txt").read_text(encoding="utf-8")
    found = find_selective_neurons(
        loaded.model, loaded.tokenizer, text.split("<|endoftext|>"), settings=NeuronSettings(count=10)
    )
    assert len(found.neurons) == 10
    assert found.neurons[0].selective


def test_what_cannot_be_watched_is_refused(corpus):
    tokenizer, texts = corpus
    model = neuron_model(ANIMALS)
    with pytest.raises(UsageError, match="neurons 0 to 31"):
        find_selective_neurons(model, tokenizer, texts, neurons=[(0, 32)])
    with pytest.raises(DataError, match="two texts"):
        find_selective_neurons(model, tokenizer, texts[:1])
    with pytest.raises(ModelError, match="could not be taken apart"):
        find_selective_neurons(tiny_model("Mamba"), tokenizer, texts)
    assert find_parts(model).neurons == 32


def test_texts_that_are_read_together_show_what_each_shows_alone(corpus):
    tokenizer, texts = corpus
    mixed = [text.rsplit(" ", place % 4)[0] for place, text in enumerate(texts)]
    model = tiny_model("Llama")
    parts = find_parts(model)
    activation_NC, ids_N, half_N = neuron_activations(
        parts, corpus_rows(parts, tokenizer, mixed, 256), [1, parts.neurons + 2], AnalysisOptions()
    )
    start = 0
    for number, text in enumerate(mixed):
        ids = tokenizer(text)["input_ids"]
        with torch.inference_mode(), capture(model, ["blocks.*.mlp.neurons"]) as seen:
            model(torch.tensor([ids]), use_cache=False)
        alone = torch.stack([seen["blocks.0.mlp.neurons"][0, :, 1], seen["blocks.1.mlp.neurons"][0, :, 2]], dim=1)
        rows = slice(start, start + len(ids))
        torch.testing.assert_close(activation_NC[rows], alone, atol=1e-6, rtol=1e-5)
        assert ids_N[rows].tolist() == ids
        assert half_N[rows].tolist() == [number % 2 == 0] * len(ids)
        start += len(ids)


def test_of_a_large_corpus_texts_that_are_spread_evenly_are_read(corpus, monkeypatch):
    tokenizer, texts = corpus
    monkeypatch.setattr("shoal.insight.neurons.activations.MAX_CORPUS", 400)
    found = find_selective_neurons(neuron_model(ANIMALS), tokenizer, texts, settings=NeuronSettings(count=1))
    assert (found.texts, found.tokens) == (14, 14 * 30)


def test_a_label_that_the_strongest_examples_belie_says_so():
    def report(*shown):
        examples = tuple(
            NeuronExample(activation=3.0, text=0, position=0, token=token, before="", after="") for token in shown
        )
        numbers = {"auc": 0.97, "auc_p_value": 0.001, "separation": 4.0, "p_value": 0.001, "selective": True}
        named = {"tokens": ("Once",), "token_ids": (4,), "token_means": (1.0,)}
        return NeuronReport(block=0, neuron=1, examples=examples, **named, **numbers)

    assert report("Once", "Once", "Anna").fires_on() == "'Once'"
    assert (
        report("Anna", "Anna", "Tim", "Once").fires_on()
        == "on average most at 'Once', but strongest at 'Anna' 'Tim' 'Once'"
    )
    assert not report("Anna").examples_agree
