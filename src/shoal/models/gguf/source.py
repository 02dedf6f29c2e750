"""A GGUF file, converted to a folder of `transformers` once and loaded from there afterwards.

The conversion unpacks every quantized block to float32 and takes about half a minute for 100 MB. Its result lies in
`shoal.files.cache_folder` under the SHA-256 of the file and the version that converted it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError, MissingExtraError
from shoal.files import cache_folder
from shoal.models.checks import check_file
from shoal.models.folder import FolderSource
from shoal.models.sources import Source
from shoal.models.transformers_io import save_model

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

_CONVERSION = 2
"""Raise it when the conversion gives other weights or another tokenizer."""


class GgufSource(Source):
    """A GGUF file."""

    def __init__(self, path: str | Path) -> None:
        check_gguf(path)
        self.origin = str(path)
        self._converted = FolderSource(converted_folder(path), origin=self.origin)

    def config(self) -> PreTrainedConfig:
        """From the converted folder."""
        return self._converted.config()

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """From the converted folder."""
        return self._converted.tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """From the converted folder."""
        return self._converted.model(dtype)


def check_gguf(path: str | Path) -> None:
    """Raise where a path is no GGUF file, or nothing here can read one.

    Raises:
        ModelError: there is no such file.
        UnsafeModelError: it is a pickle.
        CorruptModelError: it does not begin as a GGUF file does.
        MissingExtraError: the ``gguf`` package is not installed.
    """
    path = Path(path)
    check_file(path)
    with path.open("rb") as file:
        head = file.read(4)
    if head != b"GGUF":
        raise CorruptModelError(f"{path} begins with {head!r}; a GGUF file begins with b'GGUF'")
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtraError("gguf", f"reading {path.name}")


def converted_folder(path: str | Path) -> Path:
    """The folder of safetensors that a GGUF file was converted to, now or before."""
    import transformers

    from shoal.models.gguf.convert import read_gguf

    path = Path(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # Half of the digest, 128 bits, keeps paths short and distinguishes files all the same; another transformers may lay
    # a model out otherwise.
    folder = cache_folder("gguf") / f"{digest[:32]}-{_CONVERSION}-transformers-{transformers.__version__}"
    if not (folder / "config.json").is_file():
        model, tokenizer = read_gguf(path)
        save_model(model, tokenizer, folder)
    return folder
