"""Saving a model as a folder of `transformers`: the whole folder, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.files import whole_folder
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
        with whole_folder(target) as fresh, quiet():
            model.save_pretrained(fresh)
            tokenizer.save_pretrained(fresh)
            _open_to_readers(fresh)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the model cannot be saved as {target}: {in_one_line(error)}") from error
    return target


def _open_to_readers(folder: Path) -> None:
    """Give all files the mode of config.json: safetensors files are written for their owner's eyes alone."""
    mode = (folder / "config.json").stat().st_mode
    for path in folder.iterdir():
        path.chmod(mode)
