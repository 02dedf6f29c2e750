from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_models import byte_tokenizer, llama

from shoal.errors import UsageError
from shoal.tasks import Example
from shoal.text.encoding import encode_pairs
from shoal.training import Callbacks, TrainSettings, run_training, train
from shoal.training.batches import PackedExamples

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
SETTINGS = TrainSettings(learning_rate=3e-3, epochs=4, batch_tokens=100, precision="float32", checkpoint_seconds=0.0)
EMA, SWA = replace(SETTINGS, ema_decay=0.8), replace(SETTINGS, swa_start=0.6, schedule="constant")


def _vector(model):
    return torch.cat([weight.detach().reshape(-1).clone() for weight in model.parameters()])


def _weights_after_each_step(settings):
    """Those of a training without an average."""
    model, seen = llama(), []
    plain = replace(settings, ema_decay=0.0, swa_start=None)
    train(model, byte_tokenizer(), EXAMPLES, plain, on_step=lambda _: seen.append(_vector(model).double()))
    return seen


@pytest.mark.parametrize("settings", [EMA, SWA], ids=["ema", "swa"])
def test_the_model_ends_with_the_average_of_its_weights(settings):
    steps = _weights_after_each_step(settings)
    if settings.ema_decay:
        shares = torch.tensor([settings.ema_decay ** (len(steps) - 1 - place) for place in range(len(steps))])
    else:
        shares = torch.tensor([float(place >= round(0.6 * len(steps))) for place in range(len(steps))])
    assert 1 < int((shares > 1e-3).sum()) < len(steps) + 1
    expected = (shares[:, None] * torch.stack(steps)).sum(0) / shares.sum()
    model = llama()
    result = train(model, byte_tokenizer(), EXAMPLES, settings)
    assert result.steps == len(steps)
    torch.testing.assert_close(_vector(model).double(), expected, atol=1e-6, rtol=0)
    assert float((expected - steps[-1]).abs().max()) > 1e-3


def test_the_averaged_weights_are_those_that_are_evaluated():
    steps, seen = _weights_after_each_step(SWA), []
    model = llama()
    pairs = encode_pairs(byte_tokenizer(), [(one.prompt, one.completion, one.ends) for one in EXAMPLES])
    source = PackedExamples(pairs, SWA, context=400)
    run_training(
        model, source, SWA, callbacks=Callbacks(before_checkpoint=lambda *_: seen.append(_vector(model).double()))
    )
    first = round(0.6 * len(steps))
    # Before the average begins they are the weights themselves, and the training goes on from its own.
    assert torch.equal(torch.stack(seen[:first]), torch.stack(steps[:first]))
    torch.testing.assert_close(seen[-1], torch.stack(steps[first:]).mean(0), atol=1e-6, rtol=0)


@pytest.mark.parametrize("settings", [EMA, SWA], ids=["ema", "swa"])
def test_a_resumed_training_continues_its_average_to_the_same_bits(settings, tmp_path):
    whole, resumed = llama(), llama()
    train(whole, byte_tokenizer(), EXAMPLES, settings)

    stops = [3, 11]

    def interrupt(point):
        if point.step == stops[0]:
            del stops[0]
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(llama(), byte_tokenizer(), EXAMPLES, settings, folder=tmp_path, on_step=interrupt)
    result = train(resumed, byte_tokenizer(), EXAMPLES, settings, folder=tmp_path)
    assert result.resumed_from == 11
    assert torch.equal(_vector(whole), _vector(resumed))
    # Of a finished training the average is given again.
    finished = llama()
    assert train(finished, byte_tokenizer(), EXAMPLES, settings, folder=tmp_path).resumed_from == result.steps
    assert torch.equal(_vector(whole), _vector(finished))


def test_an_average_that_would_begin_behind_the_end_is_of_the_last_step():
    last, model = llama(), llama()
    settings = replace(SETTINGS, epochs=1)
    train(last, byte_tokenizer(), EXAMPLES, settings)
    train(model, byte_tokenizer(), EXAMPLES, replace(settings, swa_start=0.999))
    assert torch.equal(_vector(last), _vector(model))


def test_two_averages_at_once_are_refused():
    with pytest.raises(UsageError, match=r"ema_decay = 0.9 and swa_start = 0.5 are two averages"):
        TrainSettings(ema_decay=0.9, swa_start=0.5)
