from __future__ import annotations

import pytest
import torch
from small_models import VOCABULARY, gpt2, gpt_neo, llama, own_loss, random_batch

from every_architecture import small_model
from shoal.models import forget
from shoal.training.flat_parameters import FlatParameters
from shoal.training.gradients import PaddedGradient
from shoal.training.llama import LlamaGradient, is_plain_llama
from shoal.training.preparation import choose_gradient

LENGTHS = (130, 7, 2, 61, 300, 7, 58)
LLAMA3_ROTATION = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def _gradient(model, batch, precision="float32"):
    """Loss and gradient as training computes them, by parameter."""
    with FlatParameters(model) as weights:
        gradient = choose_gradient(model, weights, dropout=False)
        loss = float(gradient(batch, precision, batch.targets))
        return type(gradient), loss, {name: weight.grad.clone() for name, weight in weights.parameters.items()}


def _assert_close(found, expected, tolerance):
    scale = max(float(grad.abs().max()) for grad in expected.values())
    for name, grad in expected.items():
        assert float((found[name] - grad).abs().max()) <= tolerance * scale, name


def _own(model, batch):
    loss = own_loss(model, batch)
    names, weights = zip(*model.named_parameters(), strict=True)
    return float(loss.detach()), dict(zip(names, torch.autograd.grad(loss, weights), strict=True))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (llama, LlamaGradient),
        (lambda: llama(keys=1, tied=False), LlamaGradient),
        (lambda: llama(rope_parameters=LLAMA3_ROTATION), LlamaGradient),
        (lambda: llama(attention_bias=True), PaddedGradient),
        (gpt2, PaddedGradient),
        (gpt_neo, PaddedGradient),
    ],
    ids=["llama", "llama-shared-keys", "llama3-rotation", "llama-with-biases", "gpt2", "gpt-neo"],
)
def test_loss_and_gradient_are_those_of_the_model_itself(make, kind):
    model, batch = make(), random_batch(LENGTHS)
    loss, expected = _own(model, batch)
    used, found_loss, found = _gradient(model, batch)
    assert used is kind
    assert abs(found_loss - loss) < 1e-5
    _assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("make", [llama, gpt2])
def test_the_gradient_of_smoothed_labels_is_that_of_torchs_cross_entropy(make):
    model, batch = make(), random_batch(LENGTHS)
    loss = own_loss(model, batch, label_smoothing=0.2)
    names, weights = zip(*model.named_parameters(), strict=True)
    expected = dict(zip(names, torch.autograd.grad(loss, weights), strict=True))
    with FlatParameters(model) as flat:
        gradient = choose_gradient(model, flat, dropout=False, label_smoothing=0.2)
        found_loss = float(gradient(batch, "float32", batch.targets))
        found = {name: weight.grad.clone() for name, weight in flat.parameters.items()}
    assert abs(found_loss - float(loss.detach())) < 1e-5
    _assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("make", [llama, gpt2])
def test_bfloat16_gives_the_gradient_to_its_rounding(make):
    model, batch = make(), random_batch(LENGTHS)
    loss, expected = _own(model, batch)
    _, found_loss, found = _gradient(model, batch, "bfloat16")
    assert 0 < abs(found_loss - loss) < 5e-3
    _assert_close(found, expected, 0.05)


@pytest.mark.parametrize("make", [llama, gpt_neo], ids=["packed", "padded"])
def test_no_document_sees_its_neighbours(make):
    model = make()
    first, second, third = (random_batch((length,), seed=length).documents[0] for length in (50, 47, 44))
    batch = random_batch((2,))
    together = type(batch)((first, second, third), "three")
    _, loss, grads = _gradient(model, together)
    total, sums = 0.0, {name: torch.zeros_like(grad) for name, grad in grads.items()}
    for document in together.documents:
        alone = type(batch)((document,), "one")
        share = alone.targets / together.targets
        _, one, parts = _gradient(model, alone)
        total += share * one
        for name, part in parts.items():
            sums[name] += share * part
    assert abs(total - loss) < 1e-6
    _assert_close(sums, grads, 1e-6)


def test_a_changed_neighbour_leaves_a_documents_loss_as_it_was():
    model = llama()
    (first, second), (other,) = random_batch((40, 40)).documents, random_batch((40,), seed=9).documents
    kind = type(random_batch((2,)))
    losses = []
    for neighbour in (second, other):
        both, alone = kind((first, neighbour), "both"), kind((neighbour,), "alone")
        share = _gradient(model, both)[1] * both.targets - _gradient(model, alone)[1] * alone.targets
        losses.append(share)
    assert abs(losses[0] - losses[1]) < 1e-4


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_changed_document_leaves_all_other_losses_as_they_were_to_the_bit(precision):
    model, batch = llama(), random_batch((130, 7, 3, 61, 300, 7, 58, 40, 128, 2))
    with FlatParameters(model) as weights:
        gradient = LlamaGradient(model, weights)
        before = gradient.losses(batch, precision)
        for place, document in enumerate(batch.documents):
            ids = (document.ids + 1 + place) % 250
            documents = [*batch.documents]
            documents[place] = type(document)(ids, document.boundary)
            after = gradient.losses(type(batch)(tuple(documents), "changed"), precision)
            same = [one == other for one, other in zip(before, after, strict=True)]
            assert same == [other != place for other in range(len(documents))]
        loss = float(gradient(batch, precision, batch.targets))
    assert sum(before) / batch.targets == pytest.approx(loss, abs=1e-5)


def test_only_an_unaltered_llama_takes_the_written_out_way():
    assert is_plain_llama(llama())
    hooked = llama()
    hooked.model.layers[0].mlp.register_forward_hook(lambda *_: None)
    frozen = llama()
    frozen.model.norm.weight.requires_grad_(False)
    altered = llama()
    altered.model.layers[0].mlp.down_proj = torch.nn.Sequential(altered.model.layers[0].mlp.down_proj)
    biased = llama(tied=False)
    biased.lm_head.bias = torch.nn.Parameter(torch.ones(len(biased.lm_head.weight)))
    replaced = llama()
    replaced.model.norm.forward = lambda hidden: hidden
    without_head = llama().model
    others = (hooked, frozen, altered, biased, replaced, without_head, gpt2())
    assert not any(is_plain_llama(model) for model in others)


LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": 16,
    "short_factor": [1.0, 1.1, 1.2, 1.3],
    "long_factor": [2.0, 4.0, 8.0, 16.0],
}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("phi3", {"rope_parameters": LONGROPE, "original_max_position_embeddings": 16}),
        ("llama", {"rope_parameters": DYNAMIC, "max_position_embeddings": 16}),
    ],
)
def test_the_loss_of_a_document_hangs_on_no_other_where_frequencies_change_with_the_length(kind, settings):
    model = small_model(kind, vocab_size=VOCABULARY, **settings)
    batch = random_batch([40, 12, 33, 17, 16, 30, 5])
    _, together, _ = _gradient(model, batch)
    alone = 0.0
    for document in batch.documents:
        forget(model)
        one = type(batch)((document,), "one")
        alone += _own(model, one)[0] * one.targets / batch.targets
    assert together == pytest.approx(alone, abs=1e-5)
