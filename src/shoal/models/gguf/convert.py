"""From a GGUF file to a model and a tokenizer of `transformers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError, ShoalError
from shoal.models.gguf.config import gguf_config
from shoal.models.gguf.file import GgufFile
from shoal.models.gguf.tokenizer import gguf_tokenizer
from shoal.models.gguf.weights import gguf_weights
from shoal.models.transformers_io import build_model, causal_class, quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def convert(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model and the tokenizer that a GGUF file holds.

    Raises:
        ModelError: a key, a tensor, an architecture or a value that is not read here; the message names it.
        CorruptModelError: the file is cut short, or lacks a key or a tensor.
    """
    import torch

    try:
        with quiet():
            file = GgufFile(path)
            config = gguf_config(file)
            tokenizer = gguf_tokenizer(file)
            with torch.device("meta"):
                empty = causal_class(config, str(path))(config)
            weights = gguf_weights(file, empty)
            file.check_all_used()
    except ShoalError:
        raise
    except Exception as error:  # a reader of bytes that nobody checked before may fail in any way
        raise CorruptModelError(
            f"{path} cannot be converted: {in_one_line(error)}; it is cut short, or not a GGUF file of a text model"
        ) from error
    return build_model(config, weights, torch.float32, str(path)), tokenizer
