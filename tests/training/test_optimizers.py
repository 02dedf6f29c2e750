from __future__ import annotations

import pytest
import torch
from small_models import llama

from shoal.errors import ModelError, TrainingError
from shoal.training import TrainSettings
from shoal.training.optimizers import learning_rate, make_optimizer
from shoal.training.weights import FlatWeights


def test_weight_decay_falls_on_matrices_alone():
    model = llama()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    with FlatWeights(model) as weights:
        make_optimizer(weights, TrainSettings(learning_rate=0.1, weight_decay=0.5)).step()
    for name, weight in model.named_parameters():
        shrunk = 0.95 if weight.ndim > 1 else 1.0
        assert torch.allclose(weight, shrunk * before[name], rtol=1e-6), name


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_flat_steps_are_those_of_the_optimizer_on_each_tensor(name):
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    model, twin = llama(), llama()
    plain = kinds[name](twin.parameters(), lr=0.01, weight_decay=0.0)
    with FlatWeights(model) as weights:
        flat = make_optimizer(weights, TrainSettings(learning_rate=0.01, optimizer=name))
        for seed in range(3):
            generator = torch.Generator().manual_seed(seed)
            for one, other in zip(model.parameters(), twin.parameters(), strict=True):
                gradient = torch.randn(one.shape, generator=generator)
                one.grad.copy_(gradient)
                other.grad = gradient
            flat.step()
            plain.step()
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_weights_have_memory_of_their_own_afterwards():
    model = llama()
    with FlatWeights(model):
        pass
    storages = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    assert len(storages) == len(list(model.parameters()))
    assert all(weight.grad is None for weight in model.parameters())


def test_learning_rate_rises_and_then_follows_its_schedule():
    rates = {
        name: [
            learning_rate(step, 20, TrainSettings(learning_rate=2.0, warmup=0.2, schedule=name)) for step in range(20)
        ]
        for name in ("constant", "linear", "cosine")
    }
    for series in rates.values():
        assert series[:4] == [0.5, 1.0, 1.5, 2.0]
    assert set(rates["constant"][4:]) == {2.0}
    assert rates["linear"][12] == pytest.approx(1.0)
    assert rates["cosine"][12] == pytest.approx(1.0)
    assert rates["cosine"][8] == pytest.approx(1 + 0.5**0.5)
    assert rates["linear"][19] == pytest.approx(2 / 16)


def test_untrainable_weights_are_refused():
    frozen = llama().requires_grad_(False)
    with pytest.raises(TrainingError, match="frozen"):
        FlatWeights(frozen)
    with pytest.raises(ModelError, match="dtype='float32'"):
        FlatWeights(llama().bfloat16())
