"""The schedule ``changes`` in the loop: it is resumed to the bit, survives losses that are not finite, and says why."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from small_models import VOCABULARY, llama

from shoal.errors import TrainingError
from shoal.training import (
    Batch,
    Callbacks,
    CorpusShare,
    DocumentSource,
    TrainSettings,
    run_training,
    tokens_in_memory,
)
from shoal.training.watch import Watch


class Source:
    """Batches of documents that repeat one pattern; some may be replaced."""

    def __init__(self, steps: int) -> None:
        random = np.random.default_rng(0)
        documents = [(np.arange(12) + int(random.integers(200))) % VOCABULARY for _ in range(4 * steps)]
        file = tokens_in_memory(documents, vocabulary=VOCABULARY)
        self._source = DocumentSource([CorpusShare(file=file)], context=16, batch_tokens=48, seed=1, bare=1.0)
        self.steps, self.digest = min(steps, self._source.steps), self._source.digest
        self.read: list[int] = []

    def batch(self, step: int) -> Batch:
        self.read.append(step)
        return self._source.batch(step)


def settings(**more: object) -> TrainSettings:
    return TrainSettings(
        **({"schedule": "changes", "learning_rate": 1e-2, "precision": "float32", "warmup": 0.0} | more)  # type: ignore[arg-type]
    )


def spoiled(source: Source, model: torch.nn.Module, steps: set[int]) -> Callbacks:
    """Weights that are not finite before some steps, and good again behind them."""
    kept: list[torch.Tensor] = []

    def on_step(point: object) -> None:
        weight = model.get_input_embeddings().weight
        number = point.step  # type: ignore[attr-defined]
        with torch.no_grad():
            if number + 1 in steps and not kept:
                kept.append(weight.detach().clone())
                weight.fill_(math.nan)
            elif kept and number + 1 not in steps:
                weight.copy_(kept.pop())

    return Callbacks(on_step=on_step)


def test_a_step_that_is_not_finite_is_left_out_and_the_record_says_why() -> None:
    model, source = llama(), Source(30)
    result = run_training(model, source, settings(), callbacks=spoiled(source, model, {15, 16}))
    assert [(one.action, one.step) for one in result.decisions] == [("skip", 15), ("skip", 16)]
    assert math.isnan(result.curve[14].loss)
    assert math.isfinite(result.curve[-1].loss)
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())


def test_weights_that_are_spoiled_are_rolled_back_to_the_last_good_ones() -> None:
    model, source = llama(), Source(40)
    result = run_training(model, source, settings(), callbacks=spoiled(source, model, set(range(20, 1000))))
    assert [one.action for one in result.decisions] == ["skip", "skip", "skip", "roll back"]
    assert result.curve[-1].learning_rate < 1e-2
    assert math.isfinite(result.curve[-1].loss)


def test_other_schedules_still_refuse_a_loss_that_is_not_finite() -> None:
    model, source = llama(), Source(20)
    with pytest.raises(TrainingError, match="step 10"):
        run_training(model, source, settings(schedule="constant"), callbacks=spoiled(source, model, {10}))


def test_a_resumed_training_ends_with_the_same_bits_and_record(tmp_path) -> None:
    whole = llama()
    watch = Watch()
    expected = run_training(whole, Source(40), settings(), callbacks=Callbacks(watch=watch))

    class KilledError(Exception):
        pass

    def kill(point: object) -> None:
        if point.step == 25:  # type: ignore[attr-defined]
            raise KilledError

    fast = settings(checkpoint_seconds=0.0)
    with pytest.raises(KilledError):
        run_training(llama(), Source(40), fast, folder=tmp_path, callbacks=Callbacks(watch=Watch(), on_step=kill))
    model, resumed_watch = llama(), Watch()
    resumed = run_training(model, Source(40), fast, folder=tmp_path, callbacks=Callbacks(watch=resumed_watch))
    assert resumed.resumed_from == 25
    assert [point.loss for point in resumed.curve] == [point.loss for point in expected.curve]
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), model.parameters(), strict=True))
    assert resumed.decisions == expected.decisions
    assert resumed_watch.state_dict() == watch.state_dict()


def test_the_rate_of_a_training_of_known_length_ends_near_0() -> None:
    result = run_training(llama(), Source(40), settings())
    rates = [point.learning_rate for point in result.curve]
    assert set(rates[:28]) == {1e-2}
    assert rates[-1] == pytest.approx(1e-2 / 12)


def test_a_step_that_takes_several_batches_reads_each_batch_once(monkeypatch) -> None:
    from shoal.training.watch import ChangesSchedule

    observe = ChangesSchedule.observe

    def grown(self, step, loss, norm=None, *, done=None):
        if step == 10:
            self.batches = 4
        return observe(self, step, loss, norm, done=done)

    monkeypatch.setattr(ChangesSchedule, "observe", grown)
    source = Source(40)
    result = run_training(llama(), source, settings(changes_acts_on="batch"))
    assert sorted(set(source.read)) == list(range(40))
    assert result.steps == 10 + math.ceil(30 / 4)
    assert result.curve[-1].tokens > result.curve[9].tokens
