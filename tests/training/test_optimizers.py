from __future__ import annotations

import pytest
import torch
from small_models import llama
from torch.optim import _muon

from shoal.errors import ModelError, TrainingError
from shoal.training import TrainSettings
from shoal.training.flat_parameters import FlatParameters
from shoal.training.muon import orthogonalised
from shoal.training.optimizers import make_optimizer, schedule_share


def test_weight_decay_falls_on_matrices_alone():
    model = llama()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    with FlatParameters(model) as weights:
        make_optimizer(weights, TrainSettings(learning_rate=0.1, weight_decay=0.5)).step(1.0)
    for name, weight in model.named_parameters():
        shrunk = 0.95 if weight.ndim > 1 else 1.0
        assert torch.allclose(weight, shrunk * before[name], rtol=1e-6), name


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_flat_steps_are_those_of_the_optimizer_on_each_tensor(name):
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    model, twin = llama(), llama()
    betas = {} if name == "sgd" else {"betas": (0.9, 0.7)}
    plain = kinds[name](twin.parameters(), lr=0.01, weight_decay=0.0, **betas)
    with FlatParameters(model) as weights:
        flat = make_optimizer(weights, TrainSettings(learning_rate=0.01, optimizer=name, beta2=0.7))
        for seed in range(3):
            generator = torch.Generator().manual_seed(seed)
            for one, other in zip(model.parameters(), twin.parameters(), strict=True):
                gradient = torch.randn(one.shape, generator=generator)
                one.grad.copy_(gradient)
                other.grad = gradient
            flat.step(1.0)
            plain.step()
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_muon_moves_the_blocks_matrices_and_adamw_the_rest():
    model, twin = llama(tied=False), llama(tied=False)
    settings = TrainSettings(learning_rate=0.01, matrix_learning_rate=0.02, weight_decay=0.1, optimizer="muon")
    start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    blocks = {name for name, weight in model.named_parameters() if weight.ndim == 2 and "layers" in name}
    matrices = [weight for name, weight in twin.named_parameters() if name in blocks]
    tables = [weight for name, weight in twin.named_parameters() if name not in blocks and weight.ndim == 2]
    vectors = [weight for weight in twin.parameters() if weight.ndim == 1]
    plain = [
        torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(tables, lr=0.01, weight_decay=0.1),
        torch.optim.AdamW(vectors, lr=0.01, weight_decay=0.0),
    ]
    with FlatParameters(model) as weights:
        assert set(weights.matrices) == blocks
        flat = make_optimizer(weights, settings)
        for seed in range(3):
            generator = torch.Generator().manual_seed(seed)
            for one, other in zip(model.parameters(), twin.parameters(), strict=True):
                gradient = torch.randn(one.shape, generator=generator)
                one.grad.copy_(gradient)
                other.grad = gradient
            flat.step(0.5**seed)
            for optimizer in plain:
                for group in optimizer.param_groups:
                    group["lr"] *= 0.5 if seed else 1.0
                optimizer.step()
    for (name, one), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        moved = float((other - start[name]).norm().detach())
        assert float((one - other).norm().detach()) < (0.02 if name in blocks else 1e-4) * moved, name


def test_the_iteration_is_that_of_torch_in_more_digits_and_brings_singular_values_near_one():
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(0))
    found = orthogonalised(matrices)
    for one, matrix in zip(found, matrices, strict=True):
        theirs = _muon._zeropower_via_newtonschulz(matrix, (3.4445, -4.7750, 2.0315), 5, 1e-7)
        assert float((one - theirs).norm() / theirs.norm()) < 0.02
        values = torch.linalg.svdvals(one)
        assert 0.6 < float(values.min()) < float(values.max()) < 1.3


def test_weights_have_memory_of_their_own_afterwards():
    model = llama()
    with FlatParameters(model):
        pass
    storages = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    assert len(storages) == len(list(model.parameters()))
    assert all(weight.grad is None for weight in model.parameters())


def test_learning_rate_rises_and_then_follows_its_schedule():
    rates = {
        name: [
            2.0 * schedule_share(step, 20, TrainSettings(warmup=0.2, decay=0.25, schedule=name)) for step in range(20)
        ]
        for name in ("constant", "linear", "cosine", "wsd")
    }
    for series in rates.values():
        assert series[:4] == [0.5, 1.0, 1.5, 2.0]
    assert set(rates["constant"][4:]) == {2.0}
    assert rates["linear"][12] == pytest.approx(1.0)
    assert rates["cosine"][12] == pytest.approx(1.0)
    assert rates["cosine"][8] == pytest.approx(1 + 0.5**0.5)
    assert rates["wsd"][4:15] == [2.0] * 11
    assert rates["wsd"][15:] == pytest.approx([2.0, 1.6, 1.2, 0.8, 0.4])
    assert rates["linear"][19] == pytest.approx(2 / 16)


def test_untrainable_weights_are_refused():
    frozen = llama().requires_grad_(False)
    with pytest.raises(TrainingError, match="frozen"):
        FlatParameters(frozen)
    with pytest.raises(ModelError, match="dtype='float32'"):
        FlatParameters(llama().bfloat16())
