"""Folders that hold a throw-away model."""

from __future__ import annotations

import pytest

from tiny_models import byte_tokenizer, tiny_llama


@pytest.fixture
def model_folder(tmp_path):
    """A folder as `transformers` writes it."""
    folder = tmp_path / "tiny"
    tiny_llama().save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder
