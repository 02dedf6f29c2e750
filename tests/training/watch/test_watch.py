"""A watch reports spikes, plateaus, new skills and divergence, and nothing of a training that goes well."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from shoal.errors import DataError, UsageError
from shoal.training.watch import Watch, WatchEvent, event_from


def good_losses(length: int = 1500, seed: int = 0) -> np.ndarray:
    steps = np.arange(length)
    return 1 + 3 * (steps + 20.0) ** -0.3 + 0.03 * np.random.default_rng(seed).normal(size=length)


def events_of(losses: np.ndarray, **settings: float) -> list[WatchEvent]:
    watch = Watch(**settings)
    return [event for step, loss in enumerate(losses.tolist()) for event in watch.observe(step, loss=loss)]


def test_a_good_training_has_no_events() -> None:
    watch, norms = Watch(), np.exp(0.2 * np.random.default_rng(1).normal(size=1500))
    for step, (loss, norm) in enumerate(zip(good_losses().tolist(), norms.tolist(), strict=True)):
        assert not watch.observe(step, loss=loss, gradient_norm=norm)


def test_a_spike_followed_by_descent_is_one_spike_and_no_plateau() -> None:
    losses, steps = good_losses(), np.arange(1500)
    losses[400:] += 2.5 * np.exp(-(steps[400:] - 400) / 600)
    (event,) = events_of(losses)
    assert (event.kind, event.step) == ("spike", 400)


def test_a_loss_that_runs_away_is_a_divergence() -> None:
    losses, steps = good_losses(), np.arange(1500)
    losses[700:] += 0.004 * (steps[700:] - 700)
    event = events_of(losses)[0]
    assert event.kind == "divergence"
    assert 650 <= event.began <= event.step <= 780


def test_a_loss_that_becomes_flat_is_a_plateau() -> None:
    losses = 1 + 3 * np.exp(-np.arange(3000) / 200) + 0.05 * np.random.default_rng(2).normal(size=3000)
    (event,) = events_of(losses)
    assert event.kind == "plateau"
    assert 200 < event.began < event.step


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_one_divergence_until_it_is_finite_again(value: float) -> None:
    losses = good_losses(300)
    losses[[100, 101, 102, 200]] = value
    assert [(event.kind, event.step) for event in events_of(losses)] == [("divergence", 100), ("divergence", 200)]


def test_a_planted_skill_is_found_within_five_percent_of_the_steps_in_18_of_20_seeds() -> None:
    found = 0
    for seed in range(20):
        random, watch = np.random.default_rng(seed), Watch()
        moment = int(200 * random.uniform(0.25, 0.75))
        log_probs = -4 + 3.5 / (1 + np.exp(-(np.arange(200) - moment))) + 0.2 * random.normal(size=200)
        events = [
            event
            for place, value in enumerate(log_probs)
            for event in watch.observe(10 * place, log_probs={"copy": float(value)})
        ]
        found += any(event.kind == "skill" and abs(event.began - 10 * moment) <= 100 for event in events)
    assert found >= 18


def test_a_class_that_is_forgotten_is_a_divergence_of_its_own() -> None:
    random, watch, events = np.random.default_rng(3), Watch(), []
    for step in range(200):
        losses = {"poems": 2.0 + 0.1 * random.normal(), "prose": 2.0 + 0.1 * random.normal() + (step >= 120)}
        events += watch.observe(step, class_losses=losses)
    assert [(event.kind, event.stream) for event in events] == [("divergence", "prose")]


def test_a_spike_names_the_documents_of_its_batch_and_other_steps_do_not_read_theirs() -> None:
    losses = good_losses(300)
    losses[200] += 5
    read, watch, events = [], Watch(), []
    for step, loss in enumerate(losses.tolist()):

        def batch(step: int = step) -> list[str]:
            read.append(step)
            return ["once upon a time there was " * 8, "something else"]

        events += watch.observe(step, loss=loss, batch=batch)
    (event,) = events
    assert read == [200]
    assert event.batch is not None
    assert event.batch.documents[0].place == 0
    assert "once upon a time" in event.batch.repeats[0].text
    assert event_from(json.loads(json.dumps(event.to_dict()))) == event


def test_a_resumed_watch_reports_what_an_uninterrupted_one_does() -> None:
    losses = good_losses()
    losses[900] += 4
    whole, first, second = Watch(), Watch(), Watch()
    expected = [event for step, loss in enumerate(losses.tolist()) for event in whole.observe(step, loss=loss)]
    for step in range(500):
        first.observe(step, loss=float(losses[step]))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    resumed = [event for step in range(500, 1500) for event in second.observe(step, loss=float(losses[step]))]
    assert resumed == expected
    assert whole.state_dict() == second.state_dict()


def test_a_watch_goes_back_to_the_classes_of_its_state() -> None:
    watch = Watch()
    watch.observe(0, loss=2.0, class_losses={"news": 2.0})
    state = watch.state_dict()
    watch.observe(1, loss=2.0, class_losses={"news": 2.0, "tales": 2.0}, log_probs={"counts": -1.0})
    watch.load_state_dict(state)
    assert watch.state_dict() == state


def test_the_state_does_not_grow_with_the_training() -> None:
    watch, sizes = Watch(), []
    for step, loss in enumerate(good_losses(6000).tolist()):
        watch.observe(step, loss=loss)
        if step in (2000, 5999):
            sizes.append(len(json.dumps(watch.state_dict())))
    assert sizes[1] < 1.2 * sizes[0]


def test_events_go_to_the_function_that_was_given() -> None:
    heard: list[WatchEvent] = []
    watch = Watch(on_event=heard.append)
    watch.observe(3, loss=math.inf)
    assert [str(event) for event in heard] == ["step 3: divergence of loss: inf"]


def test_steps_that_go_back_wrong_numbers_and_wrong_settings_are_refused() -> None:
    watch = Watch()
    watch.observe(5, loss=1.0)
    with pytest.raises(UsageError, match="step 4 comes after step 5"):
        watch.observe(4, loss=1.0)
    with pytest.raises(DataError, match="numbers"):
        watch.observe(6, loss="low")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="token ids"):
        Watch().observe(0, loss=math.nan, batch=[3.5])
    with pytest.raises(UsageError, match="mean_run_length"):
        Watch(mean_run_length=-1)
    with pytest.raises(DataError, match="version 1 with"):
        Watch(history=32).load_state_dict(watch.state_dict())


def test_evaluations_that_are_not_finite_are_counted_and_passed_over() -> None:
    watch = Watch()
    assert not watch.observe(0, log_probs={"copy": -math.inf})
    assert watch.missing == 1
