"""What a format of export must give: a check, the files, and the written model read back."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from shoal.errors import MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from shoal.models import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What is to be written."""

    source: LoadedModel
    """On the CPU, in float32."""

    name: str
    """Of the model: part of file names and the title of the card."""

    dtype: str
    """The number format of the matrices that are written."""

    texts: tuple[str, ...] = ()
    """On which a format compares what it writes of the tokenizer."""


class WrittenModel(Protocol):
    """An exported model, read back from its files."""

    def logits(self, ids: Sequence[int]) -> np.ndarray:
        """The logits (L × V, float32) after each of L ids."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with what the tokenizer puts around it."""


class ExportFormat(ABC):
    """A format; a subclass registers itself."""

    name: ClassVar[str]
    dtypes: ClassVar[tuple[str, ...]]
    """The number formats that it can hold, the default first."""

    packages: ClassVar[tuple[str, ...]] = ()
    """What must be installed."""

    extra: ClassVar[str] = ""
    """The extra of shoal that installs it."""

    known: ClassVar[dict[str, type[ExportFormat]]] = {}

    def __init_subclass__(cls) -> None:
        ExportFormat.known[cls.name] = cls

    @classmethod
    def check(cls, dtype: str) -> None:
        """Raise where nothing can be written, before a model is loaded.

        Raises:
            MissingExtraError: a package is not installed; the message has the pip command.
            UnknownNameError: the format does not hold such numbers.
        """
        if dtype not in cls.dtypes:
            raise UnknownNameError(f"number format of {cls.name}", dtype, cls.dtypes)
        # Looked up and not imported: onnxruntime and onnxscript take seconds, and a wrong dtype should be reported at
        # once.
        if any(importlib.util.find_spec(package) is None for package in cls.packages):
            raise MissingExtraError(cls.extra, f"export to {cls.name}")

    @classmethod
    @abstractmethod
    def write(cls, request: ExportRequest, folder: Path) -> dict[str, Any]:
        """Write the model into an empty folder.

        Returns:
            What is to be known of the files beyond their sizes, by name.

        Raises:
            ModelError: the model has something that the format cannot hold; the message names it.
        """

    @classmethod
    @abstractmethod
    def read(cls, folder: Path) -> WrittenModel:
        """The model that was written into a folder."""

    @classmethod
    @abstractmethod
    def usage(cls, folder: Path, name: str) -> str:
        """How to run the model, as Markdown for its card.

        Args:
            folder: where it was written, to name files.
            name: of the model.
        """


def export_format_names() -> tuple[str, ...]:
    """The formats that a model can be exported to."""
    _import_all()
    return tuple(sorted(ExportFormat.known))


def find_export_format(name: str) -> type[ExportFormat]:
    """The format of a name.

    Raises:
        UnknownNameError: there is none.
    """
    _import_all()
    if name not in ExportFormat.known:
        raise UnknownNameError("format of export", name, ExportFormat.known)
    return ExportFormat.known[name]


@cache
def _import_all() -> None:
    """Import each file of this folder, which registers its format."""
    import shoal.serving.export.formats as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
