from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import byte_tokenizer, gpt2, llama, own_loss

from shoal.errors import StoreError, TrainingError, UsageError
from shoal.tasks import Example
from shoal.text.encoding import encode_pairs
from shoal.training import MonitoredDocuments, Monitoring, TrainSettings, evaluation_steps, train
from shoal.training.batches import Batch, Document
from shoal.training.held_out import HeldOutCurve, Measured, held_out_point

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
# Their completions contradict those that are trained on, so that learning makes them worse.
OTHERS = [replace(one, completion=one.completion.replace("0", "7").replace("1", "8")) for one in EXAMPLES]
SETTINGS = TrainSettings(
    learning_rate=1e-2, epochs=6, batch_tokens=100, precision="float32", schedule="constant", checkpoint_seconds=0.0
)


def _vector(model):
    return torch.cat([weight.detach().reshape(-1).clone() for weight in model.parameters()])


def _documents(examples):
    pairs = encode_pairs(byte_tokenizer(), [(one.prompt, one.completion, one.ends) for one in examples])
    documents = [Document(np.asarray(pair.ids), pair.boundary) for pair in pairs]

    def losses(model):
        training = model.training
        batches = [Batch((one,), "one") for one in documents]
        with torch.no_grad():
            found = [float(own_loss(model.eval(), batch)) * batch.targets for batch in batches]
        model.train(training)
        return found

    return MonitoredDocuments(losses=losses, tokens=[len(one.ids) - one.boundary for one in documents])


def _monitoring(examples=tuple(OTHERS[:8])):
    return Monitoring(held_out=_documents(examples), training_sample=_documents(EXAMPLES[:8]))


def _trained(settings, *, make=llama, folder=None, monitoring=None, **more):
    model = make()
    monitoring = monitoring or _monitoring()
    return model, train(model, byte_tokenizer(), EXAMPLES, settings, folder=folder, monitoring=monitoring, **more)


# Eight documents are few for a test; its own tests are in test_early_stopping.
STOPPING = replace(SETTINGS, early_stopping_patience=2, early_stopping_alpha=1.0, evaluate_every=3)


def test_evaluations_change_nothing_of_a_training():
    plain = llama()
    curve = train(plain, byte_tokenizer(), EXAMPLES, SETTINGS).curve
    points = []
    model, result = _trained(replace(SETTINGS, dropout=0.0), on_evaluation=points.append)
    assert result.curve == curve
    assert torch.equal(_vector(model), _vector(plain))
    assert tuple(points) == result.held_out.points
    assert [point.step for point in points] == sorted(evaluation_steps(result.steps, 0))
    assert points[0].step == 0
    assert points[-1].step == result.steps == result.held_out.returned_step


def test_losses_and_gap_are_per_token_with_their_intervals():
    model, result = _trained(replace(SETTINGS, epochs=2))
    held_out, sample = _monitoring().held_out, _monitoring().training_sample
    last = result.held_out.points[-1]
    assert last.loss == pytest.approx(sum(held_out.losses(model)) / sum(held_out.tokens))
    assert last.training_loss == pytest.approx(sum(sample.losses(model)) / sum(sample.tokens))
    assert last.gap == pytest.approx(last.loss - last.training_loss)
    assert last.low < last.loss < last.high
    assert last.gap_low < last.gap < last.gap_high
    assert result.held_out.documents == 8
    assert list(result.held_out.to_frame()["step"]) == [point.step for point in result.held_out.points]
    # Before the first step the model knows neither.
    first = result.held_out.points[0]
    assert first.gap_low < 0 < first.gap_high


def test_it_stops_early_and_returns_the_best_weights():
    model, result = _trained(STOPPING)
    held_out = result.held_out
    assert held_out.stopped_early
    assert result.steps == len(result.curve) == held_out.points[-1].step < 21
    assert held_out.returned_step == held_out.best_step < result.steps
    losses = [point.loss for point in held_out.points]
    assert held_out.best.loss == min(losses) < losses[-1]
    tokens = _monitoring().held_out.tokens
    assert sum(_monitoring().held_out.losses(model)) / sum(tokens) == pytest.approx(held_out.best.loss)
    assert f"stopped early after step {result.steps}" in str(held_out)
    assert f"the model has the weights of step {held_out.best_step}, its best" in str(held_out)


def test_keep_best_trains_to_the_end():
    model, result = _trained(replace(SETTINGS, keep_best=True, epochs=4))
    assert not result.held_out.stopped_early
    assert result.steps == result.held_out.points[-1].step
    assert result.held_out.returned_step == result.held_out.best_step < result.steps
    held_out = _monitoring().held_out
    assert sum(held_out.losses(model)) / sum(held_out.tokens) == pytest.approx(result.held_out.best.loss)


@pytest.mark.parametrize(
    "settings", [STOPPING, replace(STOPPING, ema_decay=0.7), replace(SETTINGS, keep_best=True, swa_start=0.2, epochs=4)]
)
def test_a_resumed_training_stops_and_returns_what_an_uninterrupted_one_does(settings, tmp_path):
    whole, expected = _trained(settings)
    stops = [5, 9]

    def interrupt(point):
        if stops and point.step == stops[0]:
            del stops[0]
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            _trained(settings, folder=tmp_path, on_step=interrupt)
    for again in range(2):  # the second time it has ended already
        resumed, result = _trained(settings, folder=tmp_path)
        assert result.resumed_from == (expected.steps if again else 9)
        assert result.curve == expected.curve
        assert result.held_out == expected.held_out
        assert torch.equal(_vector(resumed), _vector(whole))


def test_averaged_weights_are_those_that_are_evaluated():
    model, result = _trained(replace(SETTINGS, epochs=2, ema_decay=0.9))
    held_out = _monitoring().held_out
    assert result.held_out.points[-1].loss == pytest.approx(sum(held_out.losses(model)) / sum(held_out.tokens))


def test_what_cannot_be_monitored_is_refused(tmp_path):
    for change in ({"early_stopping_patience": 3}, {"keep_best": True}, {"evaluate_every": 5}):
        ((name, value),) = change.items()
        with pytest.raises(UsageError, match=f"{name} = {value} needs held-out documents, and none are given"):
            train(llama(), byte_tokenizer(), EXAMPLES, replace(SETTINGS, **change))
    with pytest.raises(UsageError, match="there are no held-out documents to evaluate"):
        _trained(SETTINGS, monitoring=Monitoring(held_out=_documents([])))
    with pytest.raises(UsageError, match="there is one held-out document; give more, or early_stopping_alpha = 1"):
        _trained(replace(STOPPING, early_stopping_alpha=0.05), monitoring=Monitoring(held_out=_documents(OTHERS[:1])))
    few = Monitoring(held_out=MonitoredDocuments(losses=lambda _: [1.0], tokens=[1, 2]))
    with pytest.raises(UsageError, match=r"there are 2 documents, and their function gave \(1,\) losses"):
        _trained(SETTINGS, monitoring=few)
    broken = Monitoring(held_out=MonitoredDocuments(losses=lambda _: [1.0, float("nan")], tokens=[1, 2]))
    with pytest.raises(TrainingError, match="the loss of held-out document 1 after step 0 is nan"):
        _trained(SETTINGS, monitoring=broken)
    _trained(replace(SETTINGS, epochs=0.1), folder=tmp_path, make=gpt2)
    with pytest.raises(StoreError, match="made with 8 held-out and 8 training documents"):
        _trained(replace(SETTINGS, epochs=0.1), folder=tmp_path, make=gpt2, monitoring=_monitoring(OTHERS[:5]))


def test_evaluations_are_at_equal_distances_with_both_ends():
    assert sorted(evaluation_steps(10, 4)) == [0, 4, 8, 10]
    assert sorted(evaluation_steps(1000, 0))[:3] == [0, 50, 100]
    assert sorted(evaluation_steps(3, 0)) == [0, 1, 2, 3]


def test_few_documents_have_no_interval():
    measured = Measured(3, np.array([10.0, 14.0]), np.array([8.0]))
    point = held_out_point(measured, np.array([4.0, 5.0]), np.array([4.0]))
    assert (point.loss, point.training_loss, point.gap) == pytest.approx((24 / 9, 2.0, 24 / 9 - 2))
    assert (point.low, point.high, point.gap_low, point.gap_high) == (None, None, None, None)
    enough = held_out_point(measured._replace(held_out_D=np.arange(6.0)), np.ones(6), np.array([4.0]))
    assert enough.low < enough.loss < enough.high
    assert enough.gap_low is None
    curve = HeldOutCurve(
        points=(point,), documents=2, confidence=0.95, best_step=3, returned_step=3, stopped_early=False, onset=None
    )
    assert "held-out loss 2.6667 nats per token at step 3" in str(curve)
    assert "gap to the training loss 0.6667 nats per token at step 3" in str(curve)


def test_the_last_step_is_evaluated_whatever_steps_are_given():
    model, result = _trained(replace(SETTINGS, epochs=2), monitoring=replace(_monitoring(), steps=(0, 3, 10_000)))
    assert [point.step for point in result.held_out.points] == [0, 3, result.steps]
    assert result.held_out.returned_step == result.steps
    held_out = _monitoring().held_out
    assert result.held_out.points[-1].loss == pytest.approx(sum(held_out.losses(model)) / sum(held_out.tokens))


def test_a_training_is_not_resumed_with_other_documents_under_evaluation(tmp_path):
    settings = replace(SETTINGS, epochs=0.1)
    _trained(settings, folder=tmp_path)
    with pytest.raises(StoreError, match="with other held-out documents under evaluation"):
        _trained(settings, folder=tmp_path, monitoring=_monitoring(OTHERS[8:16]))
    other = replace(_monitoring(), training_sample=_documents(EXAMPLES[8:16]))
    with pytest.raises(StoreError, match="with other training documents under evaluation"):
        _trained(settings, folder=tmp_path, monitoring=other)


def test_no_steps_leave_the_last_one_alone():
    _, result = _trained(replace(SETTINGS, epochs=1), monitoring=replace(_monitoring(), steps=()))
    assert [point.step for point in result.held_out.points] == [result.steps]
