"""Fresh weights are drawn by the architecture's own initialization, the same ones for the same seed."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from shoal.errors import ModelError
from shoal.models import jitter_weights, load_model, shuffle_weights


def test_the_same_seed_gives_the_same_weights(model_folder):
    first, again, other = (load_model(f"random:{model_folder}", seed=seed) for seed in (3, 3, 4))

    assert first.digest == again.digest
    assert first.digest != other.digest
    assert first.digest != load_model(str(model_folder)).digest
    assert "seed 3" in first.origin
    assert str(model_folder) in first.origin


def test_the_generators_of_the_process_are_left_alone(model_folder):
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002

    load_model(f"random:{model_folder}", seed=3)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()  # noqa: NPY002


def test_the_state_of_the_process_does_not_change_the_weights(model_folder):
    torch.manual_seed(0)
    first = load_model(f"random:{model_folder}", seed=3)
    torch.manual_seed(1)

    assert load_model(f"random:{model_folder}", seed=3).digest == first.digest


def test_the_architecture_and_the_tokenizer_are_those_of_the_other_model(model_folder):
    trained, fresh = load_model(str(model_folder)), load_model(f"random:{model_folder}")

    assert {name: p.shape for name, p in fresh.model.named_parameters()} == {
        name: p.shape for name, p in trained.model.named_parameters()
    }
    assert fresh.tokenizer.get_vocab() == trained.tokenizer.get_vocab()
    assert fresh.parameters == trained.parameters


def test_the_initialization_is_the_architectures_own(model_folder):
    model = load_model(f"random:{model_folder}").model

    assert (model.model.norm.weight == 1).all()
    assert model.model.embed_tokens.weight.std().item() == pytest.approx(model.config.initializer_range, rel=0.1)


def test_the_weights_are_drawn_before_they_are_rounded(model_folder):
    exact, rounded = (load_model(f"random:{model_folder}", dtype=dtype).model for dtype in ("float32", "bfloat16"))

    for one, other in zip(exact.parameters(), rounded.parameters(), strict=True):
        assert torch.equal(one.to(torch.bfloat16), other)


def test_no_weights_need_be_there(model_folder):
    (model_folder / "model.safetensors").unlink()

    assert load_model(f"random:{model_folder}").parameters > 0


def test_fresh_weights_of_nothing_are_refused(tmp_path):
    with pytest.raises(ModelError, match="there is no"):
        load_model(f"random:{tmp_path}/none/here")


def test_shuffled_weights_keep_every_value_and_lose_their_places():
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    before = [weight.detach().clone() for weight in model.parameters()]
    shuffle_weights(model, torch.Generator().manual_seed(1))
    after = [weight.detach().clone() for weight in model.parameters()]
    for old, new in zip(before, after, strict=True):
        assert not torch.equal(old, new)
        assert torch.equal(old.flatten().sort().values, new.flatten().sort().values)
    shuffle_weights(model, torch.Generator().manual_seed(1))
    assert not torch.equal(after[0], next(model.parameters()))


def test_jitter_moves_weights_in_their_last_place_alone_and_otherwise_for_each_seed():
    first, second = (torch.nn.Linear(64, 64) for _ in range(2))
    second.load_state_dict(first.state_dict())
    before = first.weight.detach().clone()
    jitter_weights(first, torch.Generator().manual_seed(1))
    jitter_weights(second, torch.Generator().manual_seed(2))
    moved = (first.weight.detach() - before).abs()
    ulp = torch.nextafter(before.abs(), torch.tensor(torch.inf)) - before.abs()
    assert (moved <= 1.01 * 2 * ulp).all()
    assert 0.1 < (moved > 0).float().mean() < 0.9
    assert not torch.equal(first.weight, second.weight)
