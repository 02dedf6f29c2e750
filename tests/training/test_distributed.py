from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import gpt2, llama
from torch.distributed import TCPStore

from children import answers_of
from shoal.errors import MissingExtraError, TrainingError, UnknownNameError, UsageError
from shoal.tabular.cells import UnlikeCellError
from shoal.training import CorpusShare, TrainSettings, join_process_group, pretrain_documents, tokens_in_memory
from shoal.training.checkpointing import FILE_NAME

SETTINGS = TrainSettings(
    learning_rate=3e-3, epochs=2, batch_tokens=200, micro_tokens=120, precision="float32", weight_decay=0.1
)
MODELS = {"llama": llama, "gpt2": gpt2}


def _portion():
    lengths = np.random.default_rng(0).integers(5, 60, 40)
    return CorpusShare(
        file=tokens_in_memory([np.arange(size) * (size % 7 + 1) % 250 for size in lengths], vocabulary=260)
    )


def _train(model, settings, folder=None, on_step=None):
    return pretrain_documents(model, [_portion()], settings, folder=folder, on_step=on_step)


def _weights(model):
    return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])


def _member(rank, size, port, mode, work):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0"}
    torch.set_num_threads(1)
    with join_process_group(mode) as group:
        return work(group)


def _together(mode, work, size=2):
    """What each of the processes gives, in their order.

    They meet as under torchrun, at a store that is there before them: a port that is looked for and then let go could
    be another program's by the time that it is used.
    """
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    return answers_of([(_member, (rank, size, store.port, mode, work)) for rank in range(size)])


@pytest.mark.parametrize(
    ("mode", "name", "optimizer", "tolerance"),
    [
        ("ddp", "llama", "adamw", 1e-5),
        ("ddp", "gpt2", "adamw", 1e-5),
        ("ddp", "llama", "muon", 1e-5),
        ("fsdp", "llama", "adamw", 1e-5),
        ("fsdp", "gpt2", "adamw", 1e-5),
    ],
)
def test_two_processes_train_as_one(mode, name, optimizer, tolerance):
    settings = replace(SETTINGS, optimizer=optimizer)
    model = MODELS[name]()
    alone = _train(model, settings)

    def work(_):
        points = []
        shared = MODELS[name]()
        result = _train(shared, settings, on_step=points.append)
        return [point.loss for point in result.curve], len(points), _weights(shared).numpy()

    first, second = _together(mode, work)
    assert first[0] == second[0]
    assert (first[1], second[1]) == (alone.steps, 0)
    assert first[0] == pytest.approx([point.loss for point in alone.curve], abs=tolerance)
    for told in (first, second):
        assert np.abs(told[2] - _weights(model).numpy()).max() < 10 * tolerance


@pytest.mark.parametrize("mode", ["ddp", "fsdp"])
def test_a_stopped_training_goes_on_with_both_processes_and_the_first_one_writes(mode, tmp_path):
    settings = replace(SETTINGS, checkpoint_seconds=0.0)
    alone = _train(llama(), settings)

    def stop_after_four(point):
        if point.step == 4:
            raise ZeroDivisionError

    def work(group):
        folder = tmp_path / "shared" if group.is_rank0 else tmp_path / "never"
        with pytest.raises((ZeroDivisionError, RuntimeError)):
            _train(llama(), settings, folder=folder, on_step=stop_after_four)

    def again(group):
        folder = tmp_path / "shared" if group.is_rank0 else tmp_path / "never"
        return _train(llama(), settings, folder=folder)

    _together(mode, work)
    results = _together(mode, again)
    assert [path.name for path in (tmp_path / "shared").iterdir()] == [FILE_NAME]
    assert not (tmp_path / "never").exists()
    for result in results:
        assert result.resumed_from >= 3
        assert [point.loss for point in result.curve] == pytest.approx([point.loss for point in alone.curve], abs=1e-5)


def test_a_checkpoint_of_one_process_is_gone_on_with_by_two(tmp_path):
    settings = replace(SETTINGS, checkpoint_seconds=0.0)
    whole = _train(llama(), settings)
    with pytest.raises(ZeroDivisionError):
        _train(llama(), settings, folder=tmp_path, on_step=lambda point: 1 / (point.step - 5))
    results = _together("ddp", lambda _: _train(llama(), settings, folder=tmp_path))
    assert results[0].resumed_from == 5
    assert results[1].curve[-1].loss == pytest.approx(whole.curve[-1].loss, abs=1e-5)


def test_what_is_wrong_is_said_by_all_processes():
    def broken(_):
        model = llama()
        with torch.no_grad():
            model.model.embed_tokens.weight[3] = float("nan")
        _train(model, SETTINGS)

    for fault in _together("ddp", broken):
        assert isinstance(fault, TrainingError)
        assert "the loss of step 1 is nan on batch 1: documents" in str(fault)

    for fault in _together("ddp", lambda group: _train(llama(seed=group.rank), SETTINGS)):
        assert isinstance(fault, UsageError)
        assert "given different model" in str(fault)

    for fault in _together("fsdp", lambda _: _train(llama(), replace(SETTINGS, optimizer="muon"))):
        assert isinstance(fault, UsageError)
        assert "mode ddp" in str(fault)


def _asks_for_a_name(group):
    def unknown():
        raise UnknownNameError("colour", "gren", ["green", "red"])

    return group.broadcast_from_rank0(unknown)


def test_faults_that_are_made_from_more_than_a_message_reach_all_processes():
    for fault in _together("ddp", _asks_for_a_name):
        assert isinstance(fault, UnknownNameError)
        assert (str(fault), fault.given) == ("unknown colour 'gren'; did you mean 'green'?", "gren")


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (UnknownNameError("colour", "gren", ["green"]), {"kind": "colour", "given": "gren"}),
        (MissingExtraError("lora", "an adapter"), {"extra": "lora"}),
        (UnlikeCellError(3, "x", "age", "number"), {"row": 3}),
        (UsageError("a message"), {}),
    ],
)
def test_every_fault_can_be_sent_to_another_process(fault, kept):
    there = pickle.loads(pickle.dumps(fault))
    assert (type(there), str(there), vars(there)) == (type(fault), str(fault), kept)


def test_wrong_launches_are_refused(monkeypatch):
    with pytest.raises(UsageError, match=r"RANK, .* not started by torchrun"), join_process_group("ddp"):
        pass
    with pytest.raises(UsageError, match="did you mean 'fsdp'"), join_process_group("fsdp2"):
        pass
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="torchrun started 2 processes, and each would train by itself"):
        _train(llama(), SETTINGS)


@pytest.mark.slow
def test_torchrun_starts_it(tmp_path):
    script = tmp_path / "both.py"
    script.write_text(
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from test_distributed import SETTINGS, _train, join_process_group, llama\n"
        "with join_process_group('ddp') as group:\n"
        "    result = _train(llama(), SETTINGS)\n"
        "    print(f'{group.rank} of {group.world_size}: {result.curve[-1].loss:.6f}', flush=True)\n"
    )
    folders = [str(folder) for folder in Path(__file__).parents[:2]]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(script), *folders], capture_output=True, text=True, check=True)
    last = _train(llama(), SETTINGS).curve[-1].loss
    lines = sorted(done.stdout.split("\n"))
    for rank in range(2):
        assert any(line.startswith(f"{rank} of 2: ") and abs(float(line.split()[-1]) - last) < 2e-5 for line in lines)
