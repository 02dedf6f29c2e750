from __future__ import annotations

import random
import resource
from dataclasses import replace

import pytest
import torch
from small_models import byte_tokenizer, gpt2, llama

from children import answer_of, deadly, killed
from shoal.errors import CorruptModelError, StoreError, TrainingError
from shoal.tasks import Example
from shoal.training import TrainSettings, train
from shoal.training.checkpointing import FILE_NAME

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
SETTINGS = TrainSettings(
    learning_rate=3e-3, epochs=12, batch_tokens=100, precision="float32", checkpoint_seconds=0.0, dropout=0.1
)


def _weights(model):
    return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])


def _run(make, settings, folder, on_step=None):
    model = make()
    return model, train(model, byte_tokenizer(), EXAMPLES, settings, folder=folder, on_step=on_step)


@pytest.mark.parametrize(("make", "dropout", "optimizer"), [(llama, 0.0, "muon"), (gpt2, 0.1, "adamw")])
def test_killed_at_any_moment_it_ends_with_the_same_bits(tmp_path, make, dropout, optimizer):
    settings = replace(SETTINGS, dropout=dropout, optimizer=optimizer)
    model, whole = _run(make, settings, None)
    moments = random.Random(7)
    for _ in range(5):
        killed(_run, make, settings, tmp_path, deadly(3, moments.uniform(0.0, 0.03), last=7))
    resumed, rest = _run(make, settings, tmp_path)
    assert 3 < rest.resumed_from < rest.steps
    assert rest.curve == whole.curve
    assert torch.equal(_weights(model), _weights(resumed))
    again, finished = _run(make, settings, tmp_path)
    assert finished.resumed_from == finished.steps
    assert torch.equal(_weights(model), _weights(again))


def test_an_interrupt_in_a_step_loses_nothing(tmp_path):
    settings = replace(SETTINGS, dropout=0.0)
    model, whole = _run(llama, settings, None)

    def interrupt(point):
        if point.step == 9:
            raise KeyboardInterrupt

    stopped = llama()
    with pytest.raises(KeyboardInterrupt):
        train(stopped, byte_tokenizer(), EXAMPLES, settings, folder=tmp_path, on_step=interrupt)
    assert not stopped.training
    resumed, rest = _run(llama, settings, tmp_path)
    assert rest.resumed_from == 9
    assert torch.equal(_weights(model), _weights(resumed))
    assert rest.curve == whole.curve


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("settings", lambda model, examples, settings: (model, examples, replace(settings, seed=1))),
        ("data", lambda model, examples, settings: (model, examples[1:], settings)),
        ("model", lambda model, examples, settings: (gpt2(seed=1), examples, settings)),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, part, change):
    settings = replace(SETTINGS, epochs=0.3)
    train(gpt2(), byte_tokenizer(), EXAMPLES, settings, folder=tmp_path)
    model, examples, changed = change(gpt2(), EXAMPLES, settings)
    with pytest.raises(StoreError, match=f"another training: its {part} differs"):
        train(model, byte_tokenizer(), examples, changed, folder=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flipped", "text"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    settings = replace(SETTINGS, epochs=0.3)
    _run(gpt2, settings, tmp_path)
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        data[-1000] ^= 1
    else:
        data = b"not a checkpoint"
    path.write_bytes(data)
    with pytest.raises(CorruptModelError, match=f"{FILE_NAME}.*delete it to start again") as fault:
        _run(gpt2, settings, tmp_path)
    assert "\n" not in str(fault.value)


def _train_on_a_full_disk(folder):
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    _run(llama, SETTINGS, folder)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path):
    with pytest.raises(ZeroDivisionError):
        train(llama(), byte_tokenizer(), EXAMPLES, SETTINGS, folder=tmp_path, on_step=lambda _: 1 / 0)
    before = (tmp_path / FILE_NAME).read_bytes()
    fault = answer_of(_train_on_a_full_disk, tmp_path)
    assert isinstance(fault, StoreError)
    assert "free some space" in str(fault)
    assert "\n" not in str(fault)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    _, rest = _run(llama, SETTINGS, tmp_path)
    assert rest.resumed_from == 1


def test_after_a_loss_that_is_not_a_number_the_last_checkpoint_is_kept(tmp_path):
    settings = replace(SETTINGS, learning_rate=1e30, gradient_clip=0.0, warmup=0.0, dropout=0.0)
    with pytest.raises(TrainingError):
        train(llama(), byte_tokenizer(), EXAMPLES, settings, folder=tmp_path)
    kept = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(TrainingError):
        train(llama(), byte_tokenizer(), EXAMPLES, settings, folder=tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == kept


def test_a_file_left_by_a_killed_writer_is_cleared(tmp_path):
    (tmp_path / f".{FILE_NAME}.1.tmp").write_bytes(b"half")
    _run(llama, replace(SETTINGS, epochs=0.3, dropout=0.0), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
