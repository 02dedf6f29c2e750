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
    CurvePoint,
    DocumentSource,
    HeldOutPoint,
    MonitoredDocuments,
    Monitoring,
    TrainSettings,
    run_training,
    tokens_in_memory,
)
from shoal.training.watch import Watch


class Source:
    """Batches of documents that repeat one pattern, themselves again after some steps where a period is given."""

    def __init__(self, steps: int, period: int | None = None) -> None:
        random = np.random.default_rng(0)
        documents = [(np.arange(12) + int(random.integers(200))) % VOCABULARY for _ in range(4 * steps)]
        file = tokens_in_memory(documents, vocabulary=VOCABULARY)
        self._source = DocumentSource([CorpusShare(file=file)], context=16, batch_tokens=48, seed=1, bare=1.0)
        self.steps, self.digest = min(steps, self._source.steps), self._source.digest
        self._period = period or self.steps
        self.read: list[int] = []

    def batch(self, step: int) -> Batch:
        self.read.append(step)
        return self._source.batch(step % self._period)


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


@pytest.mark.parametrize("average", [{"ema_decay": 0.5}, {"swa_start": 0.0}, {"swa_start": 0.6}], ids=str)
def test_weights_that_were_rolled_back_leave_no_trace_in_an_average(average: dict[str, float]) -> None:
    model, source = llama(), Source(40)
    result = run_training(model, source, settings(**average), callbacks=spoiled(source, model, set(range(20, 1000))))
    assert result.decisions[-1].action == "roll back"
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())


def test_an_average_that_was_rolled_back_is_resumed_to_the_same_bits(tmp_path) -> None:
    class KilledError(Exception):
        pass

    spoiling = settings(ema_decay=0.5, checkpoint_seconds=0.0)

    def trained(folder, kill_at: int | None) -> torch.Tensor:
        model, source = llama(), Source(40)
        spoil = spoiled(source, model, set(range(20, 1000))).on_step
        assert spoil is not None

        def on_step(point: CurvePoint) -> None:
            spoil(point)
            if point.step == kill_at:
                raise KilledError

        run_training(model, source, spoiling, folder=folder, callbacks=Callbacks(on_step=on_step))
        return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])

    # Killed before the weights are spoiled, when the copies to go back to are those of the checkpoint.
    with pytest.raises(KilledError):
        trained(tmp_path / "killed", 17)
    resumed = trained(tmp_path / "killed", None)
    assert torch.equal(resumed, trained(tmp_path / "whole", None))


@pytest.fixture
def grown(monkeypatch) -> None:
    """A schedule whose steps take four batches from the tenth on."""
    from shoal.training.watch import ChangesSchedule

    observe = ChangesSchedule.observe

    def growing(self, step, loss, norm=None, *, done=None):
        if step == 10:
            self.batches = 4
        return observe(self, step, loss, norm, done=done)

    monkeypatch.setattr(ChangesSchedule, "observe", growing)


def vector(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().reshape(-1).clone() for weight in model.parameters()])


@pytest.mark.usefixtures("grown")
def test_the_last_weights_of_steps_of_several_batches_are_evaluated() -> None:
    evaluated: list[HeldOutPoint] = []
    told: list[tuple[int, bool]] = []
    documents = MonitoredDocuments(
        losses=lambda model: [float(model.get_input_embeddings().weight.detach().double().sum())], tokens=[1]
    )
    model = llama()
    result = run_training(
        model,
        Source(40),
        settings(changes_acts_on="batch"),
        callbacks=Callbacks(
            on_evaluation=evaluated.append,
            before_checkpoint=lambda point, is_last: told.append((point.step, is_last)),
        ),
        monitoring=Monitoring(held_out=documents),
    )
    assert result.steps == 18
    assert evaluated[-1].step == 18
    assert evaluated[-1].loss == documents.measure(model)[0]
    assert result.held_out is not None
    assert result.held_out.returned_step == 18
    assert not result.held_out.stopped_early
    assert told == [*((step, False) for step in range(1, 18)), (18, True)]


@pytest.mark.usefixtures("grown")
def test_an_average_of_steps_of_several_batches_begins_by_its_share_of_the_training() -> None:
    steps: list[torch.Tensor] = []
    plain, averaged = llama(), llama()
    acting = settings(changes_acts_on="batch")
    run_training(plain, Source(40), acting, callbacks=Callbacks(on_step=lambda _: steps.append(vector(plain))))
    run_training(averaged, Source(40), settings(changes_acts_on="batch", swa_start=0.6))
    # Behind 24 of 40 batches: the tenth step ends behind 10 of them, the fourteenth behind 26.
    expected = torch.stack(steps[13:]).double().mean(0)
    torch.testing.assert_close(vector(averaged).double(), expected, atol=1e-6, rtol=0)
    assert float((vector(averaged) - steps[-1]).abs().max()) > 1e-5


@pytest.mark.usefixtures("grown")
def test_a_step_that_takes_several_batches_reads_each_batch_once() -> None:
    source = Source(40)
    result = run_training(llama(), source, settings(changes_acts_on="batch"))
    assert sorted(set(source.read)) == list(range(40))
    assert result.steps == 10 + math.ceil(30 / 4)
    assert result.curve[-1].tokens > result.curve[9].tokens


def test_a_training_that_is_rolled_back_twice_goes_back_to_the_same_state_both_times(monkeypatch) -> None:
    from shoal.training.watch import ChangesSchedule

    # The copies of the first steps alone: no later one takes their place.
    monkeypatch.setattr(ChangesSchedule, "is_calm", property(lambda self: len(self.decisions) == 0))
    model, source = llama(), Source(60, period=20)
    behind: dict[int, torch.Tensor] = {}

    def on_step(point: CurvePoint) -> None:
        weight = model.get_input_embeddings().weight
        with torch.no_grad():
            if point.step in (24, 44):
                weight.fill_(math.nan)
        behind[point.step] = vector(model)

    result = run_training(model, source, settings(), callbacks=Callbacks(on_step=on_step))
    rolled = [one.step for one in result.decisions if one.action == "roll back"]
    assert rolled == [28, 48]
    assert torch.equal(behind[28], behind[48])
    # The step behind it reads the same batch at a lower rate: it goes the same way if the optimizer is the same too.
    first, second = (behind[step + 1] - behind[step] for step in rolled)
    assert float(torch.nn.functional.cosine_similarity(first, second, dim=0)) > 0.9999
