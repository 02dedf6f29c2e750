"""A throw-away model that is small enough to be trained in a second, and an experiment on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ALPHABET = " 1:,ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Llama of two thousand parameters with a tokenizer of characters."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from shoal.models import save_model

    vocabulary = {"<end>": 0, "<unknown>": 1} | {letter: place for place, letter in enumerate(ALPHABET, 2)}
    inner = Tokenizer(WordLevel(vocabulary, unk_token="<unknown>"))
    inner.pre_tokenizer = Split(Regex("."), "isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", unk_token="<unknown>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        # Few blocks need many heads: their types are compared with five hundred heads of shuffled models.
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=0,
        tie_word_embeddings=True,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(LlamaForCausalLM(config), tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def plan(tiny_model: Path) -> dict[str, Any]:
    """An experiment of a few seconds as the table of a file."""
    return {
        "name": "tiny",
        "hypothesis": "These weights answer more than fresh ones.",
        "treatment": "given",
        "baseline": "fresh",
        "seeds": 2,
        "device": "cpu",
        "task": {"name": "counting", "options": {"largest": 8}},
        "split": {"name": "last-digit"},
        "arms": {"given": str(tiny_model), "fresh": f"random:{tiny_model}"},
        "training": {"epochs": 4, "batch_tokens": 64, "precision": "float32", "checkpoint_seconds": 0.05},
        "tuning": {"learning_rates": [0.001, 0.01]},
        "measure": {"primary": "agreed_prefix", "smallest_effect": 0.1},
        "controls": {"shuffled_labels": True},
    }
