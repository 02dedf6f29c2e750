"""A recipe run by two processes that torchrun started: the same losses as one, and one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """
name = "shared"
[[corpus]]
name = "told"
grammar = 60
held_out = 0.1
[tokenizer]
vocabulary = 290
[model]
width = 16
layers = 1
heads = 2
context = 64
[training]
tokens = 5000
batch_tokens = 512
precision = "float32"
[evaluation]
every = 5
documents = 3
sample_tokens = 3
memorised = 5
"""


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_train_the_model_of_one(tmp_path: Path, parallel: str) -> None:
    (tmp_path / "shared.toml").write_text(RECIPE)
    alone = [sys.executable, "-m", "shoal", "pretrain", str(tmp_path / "shared.toml")]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    together = [*torchrun, "-m", "shoal", "pretrain", str(tmp_path / "shared.toml"), "--parallel", parallel]
    told = {}
    for name, command in (("alone", alone), ("together", together)):
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [*command, "--out", str(tmp_path / name), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=500)
        assert done.returncode == 0, done.stderr[-3000:]
        told[name] = json.loads(done.stdout)
    assert losses(tmp_path / "together") == pytest.approx(losses(tmp_path / "alone"), abs=1e-5)
    bits = [told[name]["held_out"]["told"]["bits_per_byte"] for name in ("alone", "together")]
    assert bits[0] == pytest.approx(bits[1], abs=1e-4)
    assert (tmp_path / "together" / "model" / "model.safetensors").is_file()
