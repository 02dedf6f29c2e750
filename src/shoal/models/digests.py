"""Digests that identify a model: records and plans are kept under them, and taken for no other.

The digest of a model covers what its numbers follow from: the weights, and those settings of its configuration that no
weight shows, such as the base of rotary positions or the size of a window. It is equal for equal models, whatever
device they lie on, whichever file format they were read from, and whether `transformers` computes them or a fast model.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from shoal.models.probe_texts import PROBE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn
    from transformers import PreTrainedConfig, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.text import PlainTokenizer


def model_digest(model: nn.Module | FastModel) -> str:
    """SHA-256 of a model's settings and weights, as 64 hexadecimal characters.

    It reads each byte of the weights once, about 1 s for each GB.

    Args:
        model: any module, with its parameters and persistent buffers; one of `transformers`, an ensemble of them or a
            fast model has settings as well.
    """
    from shoal.models.fast import FastModel

    digest = hashlib.sha256()
    if isinstance(model, FastModel):
        settings = [("", {"model_type": model.model_type, **model.settings_beyond_weights(model.settings)})]
        weights: Mapping[str, Tensor] = model.named_weights()
    else:
        settings = _settings(model)
        weights = model.state_dict(keep_vars=True)
    for name, values in settings:
        digest.update(json.dumps([name, values], sort_keys=True, default=str).encode() + b"\n")
    _add_tensors(digest, weights)
    return digest.hexdigest()


def vocabulary_digest(tokenizer: PreTrainedTokenizerFast | PlainTokenizer) -> str:
    """SHA-256 of a tokenizer's tokens with their ids and of its end token, as 16 hexadecimal characters.

    Args:
        tokenizer: of either kind, which of one vocabulary give one digest.
    """
    known = [sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]), tokenizer.eos_token_id]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def tokenizer_digest(tokenizer: PreTrainedTokenizerFast | PlainTokenizer) -> str:
    """SHA-256 of a tokenizer's vocabulary and of how it cuts texts, as 16 hexadecimal characters.

    Two tokenizers may have the same tokens and give a text other ids: one puts it into lower case, leaves accents out,
    or begins it with a token.

    Args:
        tokenizer: of either kind, which give one digest where they cut the same.
    """
    known = [vocabulary_digest(tokenizer), [_ids_of(tokenizer, text) for text in PROBE_TEXTS]]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def _ids_of(tokenizer: PreTrainedTokenizerFast | PlainTokenizer, text: str) -> list[int] | None:
    """The ids of a text; None where the tokenizer cannot write it."""
    try:
        ids: list[int] = tokenizer(text, verbose=False)["input_ids"]
    except Exception:  # noqa: BLE001 (the tokenizers library raises nothing narrower)
        return None
    return ids


def _settings(model: nn.Module) -> list[tuple[str, dict[str, Any]]]:
    """Where each configuration within a module stands, and what of it changes a number."""
    from transformers import PreTrainedModel

    found: dict[int, tuple[str, dict[str, Any]]] = {}
    for name, module in model.named_modules():
        # The body and the head of a model share one configuration; the members of an ensemble have their own.
        if isinstance(module, PreTrainedModel) and id(module.config) not in found:
            found[id(module.config)] = (name, _effective(module.config))
    return list(found.values())


def _effective(config: PreTrainedConfig) -> dict[str, Any]:
    """What of a configuration changes the numbers of a model beyond its weights.

    Of an architecture that a fast model computes these are a few numbers, which say the same whether they were read
    from config.json, from a GGUF file, or from a live model; of another one all settings but those without effect.
    """
    from shoal.models.fast import INDIFFERENT_SETTINGS, fast_class

    kind = fast_class(config.model_type)
    settings = kind.settings_of(config) if kind is not None else None
    if kind is not None and settings is not None:
        return {"model_type": config.model_type, **kind.settings_beyond_weights(settings)}
    known = {key: value for key, value in config.to_dict().items() if key not in INDIFFERENT_SETTINGS}
    return {"model_type": config.model_type, **known}


def _add_tensors(digest: hashlib._Hash, weights: Mapping[str, Tensor]) -> None:
    """Add tensors in the order of their names: a JSON line with name, dtype and shape, and the bytes by row.

    Of tensors that are tied to each other only the first name counts.
    """
    seen: set[int] = set()
    for name, tensor in sorted(weights.items()):
        # By identity, which keep_vars leaves: state_dict otherwise gives a new tensor for each name.
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        head = [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        digest.update(json.dumps(head).encode() + b"\n")
        digest.update(tensor_bytes(tensor))


def tensor_bytes(tensor: Tensor) -> memoryview:
    """The tensor's bytes in row-major order; without a copy where it lies so on the CPU.

    Args:
        tensor: of any dtype, device and layout in memory.
    """
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    if flat.numel() < 2 and flat.stride(0) != 1:
        # A stride that is never taken may be any number (NumPy gives 0), and then there is no view as another dtype.
        flat = flat.clone(memory_format=torch.contiguous_format)
    # As bytes: NumPy has no bfloat16.
    return memoryview(flat.view(torch.uint8).numpy().data)
