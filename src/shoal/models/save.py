"""Saving a model as a folder of `transformers`, the whole folder or nothing; and the digest that names its weights.

A digest is equal for equal weights, whatever device they lie on and however they were loaded.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.files import atomic_folder
from shoal.models.transformers_io import quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_GENERATION = "generation_config.json"


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer's files into a folder, which `load_model` takes.

    They are written beside it first, so that a fault leaves the old folder, or none, and never a half. The model's
    settings for generating text are written as they are, whether or not `transformers` would take them for sound.

    Args:
        model: whose weights are written as they are.
        tokenizer: written beside it.
        folder: new, or one with a model, which is replaced.

    Raises:
        ModelError: the folder holds something else than a model, or cannot be written, for example for want of space.
    """
    target = Path(folder)
    _check_target(target)
    try:
        with atomic_folder(target) as fresh, quiet():
            with _plain_settings(model) as settings:
                model.save_pretrained(fresh)
            (fresh / _GENERATION).write_text(settings, encoding="utf-8")
            tokenizer.save_pretrained(fresh)
            _open_to_readers(fresh)
    except Exception as error:  # transformers refuses what it does not like with any kind of error
        raise ModelError(f"the model cannot be saved as {target}: {in_one_line(error)}") from error
    return target


def check_saving(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> None:
    """Raise where `save_model` would, so that it is known before a training. The weights alone are not tried.

    Args:
        model: as for `save_model`.
        tokenizer: as for `save_model`.
        folder: as for `save_model`.

    Raises:
        ModelError: as `save_model` does.
    """
    _check_target(Path(folder))
    try:
        with tempfile.TemporaryDirectory() as trial, quiet():
            model.config.save_pretrained(trial)
            tokenizer.save_pretrained(trial)
    except Exception as error:  # transformers refuses what it does not like with any kind of error
        raise ModelError(
            f"a model like this one could not be saved: {in_one_line(error)}; mend that in its folder first"
        ) from error


def _check_target(target: Path) -> None:
    if target.exists() and not (target / "config.json").is_file() and (target.is_file() or any(target.iterdir())):
        raise ModelError(
            f"{target} holds something else than a model; give a new folder, or one with a model to replace"
        )


@contextmanager
def _plain_settings(model: PreTrainedModel) -> Iterator[str]:
    """Take away the settings for generating text for a while; they are given as the JSON of their own file.

    `transformers` loads a model whose settings contradict each other (a temperature without sampling), and people
    publish such models; it refuses to save one.
    """
    generation = model.generation_config
    settings = generation.to_diff_dict() if generation is not None else {}
    model.generation_config = type(generation)() if generation is not None else None
    try:
        yield json.dumps(settings, indent=2, sort_keys=True, default=str) + "\n"
    finally:
        model.generation_config = generation


def _open_to_readers(folder: Path) -> None:
    """Give all files the mode of config.json: safetensors files are written for their owner's eyes alone."""
    mode = (folder / "config.json").stat().st_mode
    for path in folder.iterdir():
        path.chmod(mode)


def weight_digest(model: nn.Module) -> str:
    """The digest (see `tensors_digest`) of a module's parameters and persistent buffers."""
    return tensors_digest(model.state_dict(keep_vars=True))


def tensors_digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over tensors in the order of their names, as 64 hexadecimal characters.

    Each one adds a JSON line with its name, dtype and shape, and then its bytes in row-major order. Of tensors that
    are tied to each other only the first name counts. It reads each byte once, about 1 s for each GB.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for name, tensor in sorted(weights.items()):
        # By identity, which keep_vars leaves: state_dict otherwise gives a new tensor for each name.
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        head = [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        digest.update(json.dumps(head).encode() + b"\n")
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    """The tensor's bytes in row-major order; without a copy where it lies so on the CPU."""
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    # As bytes: NumPy has no bfloat16.
    return memoryview(flat.view(torch.uint8).numpy().data)
