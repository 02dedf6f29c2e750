"""The schedule acts on the end of progress and on divergence, never on a spike, and says why."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from shoal.errors import UsageError
from shoal.training.watch import ChangesLR, ChangesSchedule


def flattening(length: int = 2500, seed: int = 0) -> list[float]:
    random = np.random.default_rng(seed)
    return (1 + 3 * np.exp(-np.arange(length) / 150) + 0.05 * random.normal(size=length)).tolist()


def followed(schedule: ChangesSchedule, losses: list[float]) -> list[float]:
    shares = []
    for step, loss in enumerate(losses):
        shares.append(schedule.share(step))
        schedule.observe(step, loss)
    return shares


def test_the_rate_stays_until_progress_ends_and_then_decays() -> None:
    schedule = ChangesSchedule(warmup_steps=50)
    shares = followed(schedule, flattening())
    first = schedule.decisions[0]
    assert first.action == "decay"
    assert "plateau of loss" in first.reason
    assert first.evidence is not None
    assert first.evidence["step"] == first.step
    assert shares[0] == pytest.approx(1 / 50)
    assert set(shares[50 : first.step + 1]) == {1.0}
    assert shares[first.step + 1] < 1.0
    assert min(shares) <= first.share_after == pytest.approx(0.3)
    assert all(after <= before for before, after in pairwise(shares[50:]))


@pytest.mark.parametrize("seed", range(5))
def test_a_spike_that_is_followed_by_descent_cuts_nothing(seed: int) -> None:
    steps = np.arange(1500)
    losses = 1 + 2 * np.exp(-steps / 150) + 0.05 * np.random.default_rng(seed).normal(size=1500)
    losses[250:] += 2.5 * np.exp(-(steps[250:] - 250) / 600)
    schedule = ChangesSchedule()
    assert set(followed(schedule, losses.tolist())) == {1.0}
    assert not schedule.decisions


def test_a_training_of_known_length_ends_at_0() -> None:
    schedule = ChangesSchedule(steps=1000)
    falling = (10 * (np.arange(1000) + 10.0) ** -0.3 + 0.05 * np.random.default_rng(1).normal(size=1000)).tolist()
    shares = followed(schedule, falling)
    assert set(shares[:700]) == {1.0}
    assert shares[-1] == pytest.approx(1 / 300)


def test_the_batch_grows_instead_where_that_is_wanted() -> None:
    schedule = ChangesSchedule(acts_on="batch")
    shares = followed(schedule, flattening())
    assert set(shares) == {1.0}
    assert schedule.batches >= 2
    assert schedule.decisions[0].action == "grow the batch"


def test_losses_that_are_not_finite_are_skipped_and_then_rolled_back() -> None:
    schedule = ChangesSchedule()
    followed(schedule, flattening(200))
    actions = [one.action for step in range(200, 204) for one in schedule.observe(step, math.nan)]
    assert actions == ["skip", "skip", "skip", "roll back"]
    assert schedule.share(204) == 0.5


def test_a_loss_that_runs_away_is_rolled_back() -> None:
    schedule, losses = ChangesSchedule(), np.asarray(flattening(1200))
    losses[1000:] += 0.02 * np.arange(200)
    followed(schedule, losses.tolist())
    assert schedule.decisions[0].action == "roll back"


def test_a_resumed_schedule_decides_as_an_uninterrupted_one() -> None:
    losses = flattening()
    whole, first, second = ChangesSchedule(steps=2500), ChangesSchedule(steps=2500), ChangesSchedule(steps=2500)
    expected = followed(whole, losses)
    followed(first, losses[:800])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for step in range(800, 2500):
        assert second.share(step) == expected[step]
        second.observe(step, losses[step])
    assert second.decisions == whole.decisions
    assert whole.decisions


def test_wrong_settings_are_refused_in_one_line() -> None:
    for given in ({"decay": 2.0}, {"factor": 1.0}, {"acts_on": "momentum"}, {"steps": 0}, {"warmup_steps": -1}):
        with pytest.raises(UsageError, match=next(iter(given))):
            ChangesSchedule(**given)  # type: ignore[arg-type]


def make_scheduler(model: torch.nn.Module | None = None) -> ChangesLR:
    weights = [torch.nn.Parameter(torch.ones(2))] if model is None else list(model.parameters())
    groups = [{"params": weights[:1], "lr": 0.5}] + [{"params": weights[1:], "lr": 0.1}] * (len(weights) > 1)
    return ChangesLR(torch.optim.SGD(groups, lr=1.0), 1000, model=model, warmup_steps=10)


def test_the_scheduler_of_torch_sets_the_rate_of_each_group() -> None:
    scheduler = make_scheduler(torch.nn.Linear(2, 1))
    assert scheduler.get_last_lr() == pytest.approx([0.05, 0.01])
    for loss in flattening(20):
        scheduler.optimizer.step()
        scheduler.step(loss)
    assert scheduler.get_last_lr() == [0.5, 0.1]


@pytest.mark.parametrize("kind", [int, float, np.float32, torch.tensor])
def test_the_scheduler_of_torch_takes_losses_of_any_kind(kind) -> None:
    scheduler = make_scheduler()
    assert scheduler.accepts(kind(2))
    scheduler.optimizer.step()
    scheduler.step(kind(2))
    assert scheduler.last_epoch == 1


def test_the_scheduler_of_torch_comes_back_from_its_state() -> None:
    losses = flattening(1000)
    whole, first, second = make_scheduler(), make_scheduler(), make_scheduler()
    expected = []
    for loss in losses:
        whole.optimizer.step()
        whole.step(loss)
        expected.append(whole.get_last_lr())
    for loss in losses[:600]:
        first.optimizer.step()
        first.step(loss)
    second.load_state_dict(first.state_dict())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    for step in range(600, 1000):
        second.optimizer.step()
        second.step(losses[step])
        assert second.get_last_lr() == expected[step]
    assert second.decisions == whole.decisions


def test_the_scheduler_of_torch_rolls_the_model_back() -> None:
    model = torch.nn.Linear(2, 1)
    scheduler = make_scheduler(model)
    good = model.weight.detach().clone()
    for loss in flattening(20):
        assert scheduler.accepts(loss)
        scheduler.optimizer.step()
        scheduler.step(loss)
    with torch.no_grad():
        model.weight.fill_(math.nan)
    for _ in range(4):
        assert not scheduler.accepts(math.nan)
        scheduler.optimizer.step()
        scheduler.step(math.nan)
    assert torch.equal(model.weight, good)
    assert scheduler.decisions[-1].action == "roll back"


def test_a_second_roll_back_finds_weights_and_optimizer_as_the_first_did() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = ChangesLR(optimizer, model=model)

    def step(loss: float) -> None:
        if scheduler.accepts(loss):
            optimizer.zero_grad()
            model(torch.ones(3, 2)).pow(2).mean().backward()
            optimizer.step()
        scheduler.step(loss)

    found: list[list[torch.Tensor]] = []
    # Short of the step at which a newer copy takes the place of the first one.
    for _ in range(2):
        for loss in [*flattening(20), *[math.nan] * 4]:
            step(loss)
        state = optimizer.state[model.weight]
        kept = [state[name].clone() for name in ("step", "exp_avg", "exp_avg_sq")]
        found.append([model.weight.detach().clone(), *kept])
    assert [one.action for one in scheduler.decisions if one.action != "skip"] == ["roll back"] * 2
    for first, second in zip(*found, strict=True):
        assert torch.equal(first, second)
