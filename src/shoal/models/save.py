"""Saving a model as a folder of `transformers`: the whole folder, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.models.transformers_io import in_one_line, quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer's files into a folder, which `load_model` takes.

    They are written beside it first, so that a fault leaves the old folder, or none, and never a half.

    Raises:
        ModelError: the folder holds something else than a model, or cannot be written (no space, say).
    """
    from safetensors import SafetensorError

    target = Path(folder)
    if target.exists() and not (target / "config.json").is_file() and (target.is_file() or any(target.iterdir())):
        raise ModelError(
            f"{target} holds something else than a model; give a new folder, or one with a model to replace"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
            fresh = Path(scratch) / "new"
            with quiet():
                model.save_pretrained(fresh)
                tokenizer.save_pretrained(fresh)
            _open_to_readers(fresh)
            _swap(fresh, target, Path(scratch) / "old")
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the model cannot be saved as {target}: {in_one_line(error)}") from error
    return target


def _open_to_readers(folder: Path) -> None:
    """Give all files the mode of config.json: safetensors files are written for their owner's eyes alone."""
    mode = (folder / "config.json").stat().st_mode
    for path in folder.iterdir():
        path.chmod(mode)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put a new folder where an old one may stand; the old one is put back if that fails."""
    if not target.exists():
        fresh.rename(target)
        return
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
