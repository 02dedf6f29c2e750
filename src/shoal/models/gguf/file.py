"""A GGUF file with an account of what was read from it.

GGUF holds a model's configuration as keys that each architecture defines, and its weights as tensors by name. A key or
tensor that a reader passes over may change every number of the model (the scaling of rotary angles, a bias, a cap on
the logits). So each one that is read here is noted, and what is left at the end is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from shoal.errors import CorruptModelError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NOTES = ("GGUF.", "general.", "quantize.", "mradermacher.", "tokenizer.chat_template", "tokenizer.huggingface.json")
"""Beginnings of keys that describe the file, its origin or its quantization, and change no number of the model."""

_ROLES = ("eot", "eom", "seperator", "separator", "cls", "mask", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep")
"""Tokens whose roles concern chat and infilling alone; scoring uses none of them."""

_HARMLESS = frozenset(
    [f"tokenizer.ggml.{role}_token_id" for role in (*_ROLES, "fim_sep", "prefix", "suffix", "middle")]
)
"""Keys that change no logit and no token id."""

_MISSING: Any = object()


class GgufField(Protocol):
    """The value of a key."""

    def contents(self) -> Any:
        """As Python has it."""


@dataclass(frozen=True, slots=True)
class _Value:
    value: Any

    def contents(self) -> Any:
        return self.value


class GgufFile:
    """The keys and tensors of one file. A key without a dot belongs to the file's architecture."""

    def __init__(self, path: Path, fields: Mapping[str, GgufField], tensors: Sequence[Any] = ()) -> None:
        """Take the keys and tensors; `read` and `of_keys` find them."""
        self.path = path
        self._fields = fields
        self._tensors = {tensor.name: tensor for tensor in tensors}
        self._used: set[str] = set()
        self.architecture = self.text("general.architecture")
        self._check_kind()

    @classmethod
    def read(cls, path: Path) -> GgufFile:
        """The file at a path."""
        from gguf import GGUFReader

        reader = GGUFReader(path)
        return cls(path, reader.fields, reader.tensors)

    @classmethod
    def of_keys(cls, keys: Mapping[str, Any], path: Path) -> GgufFile:
        """A file that is not written yet, without tensors.

        Args:
            keys: whole names with their values.
            path: names it in error messages.
        """
        return cls(path, {name: _Value(value) for name, value in keys.items()})

    def integer(self, key: str, default: Any = _MISSING) -> Any:
        """A whole number; ``default`` where the file does not hold the key. A list of equal numbers is that number."""
        value = self._take(key, default)
        # Some converters write one number per layer.
        if isinstance(value, list) and value and all(item == value[0] for item in value):
            value = value[0]
        if value is not default and (isinstance(value, bool) or not isinstance(value, int)):
            self.refuse(key, value, "a whole number")
        return value

    def number(self, key: str, default: Any = _MISSING) -> Any:
        """A finite number as a float; ``default`` where the file does not hold the key."""
        value = self._take(key, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
            self.refuse(key, value, "a number")
        return float(value)

    def flag(self, key: str, default: Any = _MISSING) -> Any:
        """True or false; ``default`` where the file does not hold the key."""
        value = self._take(key, default)
        if value is not default and not isinstance(value, bool):
            self.refuse(key, value, "true or false")
        return value

    def text(self, key: str, default: Any = _MISSING) -> Any:
        """A string; ``default`` where the file does not hold the key."""
        value = self._take(key, default)
        if value is not default and not isinstance(value, str):
            self.refuse(key, value, "text")
        return value

    def array(self, key: str, default: Any = _MISSING) -> Any:
        """A list; ``default`` where the file does not hold the key."""
        value = self._take(key, default)
        if value is not default and not isinstance(value, list):
            self.refuse(key, value, "a list")
        return value

    def tensor_names(self) -> list[str]:
        """In the order of the file."""
        return list(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor as torch counts it, the slowest dimension first.

        Raises:
            CorruptModelError: the file does not hold the tensor.
        """
        if name not in self._tensors:
            raise CorruptModelError(f"{self.path} lacks the tensor {name}")
        return tuple(int(size) for size in reversed(self._tensors[name].shape))

    def tensor(self, name: str) -> np.ndarray:
        """A tensor as float32, unpacked from its quantized blocks."""
        from gguf import dequantize

        tensor = self._tensors[name]
        self._used.add(name)
        return np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32).reshape(self.shape(name))

    def refuse(self, key: str, value: Any, expected: str) -> None:
        """Raise for a key whose value cannot be used.

        Raises:
            ModelError: always.
        """
        shown = repr(value)
        raise ModelError(
            f"{self.path} has {self._name(key)} = {shown[:60]}{'...' if len(shown) > 60 else ''}, which is not read "
            f"here (expected {expected}); give the model's own folder, with its config.json"
        )

    def check_all_used(self) -> None:
        """Raise where a key or a tensor was not read and is not known to be harmless.

        Raises:
            ModelError: with the names of the first two.
        """
        keys = [
            key for key in self._fields if key not in self._used and key not in _HARMLESS and not key.startswith(_NOTES)
        ]
        for kind, names in (("key", keys), ("tensor", [name for name in self._tensors if name not in self._used])):
            if names:
                more = f" and {len(names) - 2} more" if len(names) > 2 else ""
                raise ModelError(
                    f"{self.path} holds the {kind} {', '.join(names[:2])}{more}, which is not read here for the "
                    f"architecture {self.architecture!r} and may change the model; give the model's own folder"
                )

    def _take(self, key: str, default: Any) -> Any:
        name = self._name(key)
        if name not in self._fields:
            if default is _MISSING:
                raise CorruptModelError(f"{self.path} lacks the key {name}")
            return default
        self._used.add(name)
        return self._fields[name].contents()

    def _name(self, key: str) -> str:
        return key if key.startswith(("general.", "tokenizer.", "split.")) else f"{self.architecture}.{key}"

    def _check_kind(self) -> None:
        """Raise where the file is an adapter, a projector or one part of several."""
        kind = self.text("general.type", "model")
        if kind != "model":
            self.refuse("general.type", kind, "a whole model, 'model'")
        parts = self.integer("split.count", 1)
        if parts > 1:
            self.refuse("split.count", parts, "1: the whole model in one file, as gguf-split --merge writes it")
        for key in ("split.no", "split.tensors.count"):
            self.integer(key, 0)
