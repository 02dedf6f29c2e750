"""What an augmenter is, and how one is named: ``spelling-noise(rate=0.2)``, a table of a file, or an object.

A new method is one file in ``methods/`` with a subclass; its fields are its parameters.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.tasks import make_by_name

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from shoal.progress import Progress
    from shoal.tasks import Example, Task


@dataclass(frozen=True)
class Augmenter(ABC):
    """A method of augmentation, with its parameters as fields. A named subclass is registered by being defined."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """A sentence for lists of methods."""

    registry: ClassVar[dict[str, type[Augmenter]]] = {}

    makes_items: ClassVar[bool] = False
    """Whether it makes other items than the example's, which may lie in the held-out part."""

    needs_endpoint: ClassVar[bool] = False
    """Whether it asks a model at an endpoint, so that it does not belong into a training."""

    def __init_subclass__(cls) -> None:
        # Its own name and no inherited one: a base class such as `TextAugmenter` is no method.
        if "name" in cls.__dict__:
            Augmenter.registry[cls.name] = cls

    def label(self) -> str:
        """The name with the parameters that differ from their defaults: ``spelling-noise(rate=0.2)``."""
        given = [f"{one.name}={value!r}" for one in fields(self) if (value := getattr(self, one.name)) != one.default]
        return f"{self.name}({','.join(given)})" if given else self.name

    def prepared(self, texts: Sequence[str], progress: Progress = no_progress) -> Augmenter:  # noqa: ARG002
        """The augmenter that is used for these texts: itself, unless it has work to do for all of them at once.

        Args:
            texts: what will be augmented.
            progress: called with (what, done, total).
        """
        return self

    @abstractmethod
    def candidates(self, example: Example, task: Task | None, generator: random.Random) -> Iterator[Example]:
        """Examples made of one, in a random order, as long as there are any; they are checked by the caller.

        Args:
            example: what they are made of.
            task: that the example belongs to, where one is known.
            generator: every draw comes from it.
        """


class TextAugmenter(Augmenter):
    """An augmenter that rewrites a text, whatever it belongs to: a prompt, or a document of a corpus."""

    @abstractmethod
    def rewrite(self, text: str, generator: random.Random) -> str:
        """The text in another form; the same text where it has none.

        Args:
            text: a prompt or a document.
            generator: every draw comes from it.
        """

    def candidates(self, example: Example, task: Task | None, generator: random.Random) -> Iterator[Example]:  # noqa: ARG002
        """The example with its prompt rewritten; the completion stays, and is to be checked."""
        while True:
            yield replace(example, prompt=self.rewrite(example.prompt, generator))


AugmenterSpec = str | Mapping[str, Any] | Augmenter
"""An augmenter as a person gives it: by name, as a table with its name and parameters, or made already."""


def known_augmenters() -> dict[str, type[Augmenter]]:
    """The methods by name."""
    package = f"{__package__}.methods"
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(sorted(Augmenter.registry.items()))


def make_augmenter(spec: AugmenterSpec) -> Augmenter:
    """The augmenter that a person names.

    Args:
        spec: ``synonyms``, ``spelling-noise(rate=0.2)``, ``{"name": "reordering", "unit": "words"}``, or an augmenter.

    Raises:
        UnknownNameError: no method or parameter has that name; the nearest one is named.
        UsageError: a parameter is missing or cannot be used.
    """
    if isinstance(spec, Augmenter):
        return spec
    given = {"name": spec} if isinstance(spec, str) else dict(spec) if isinstance(spec, Mapping) else {}
    name = given.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f"the augmentation is {spec!r}; give its name, or a table with its name and parameters")
    return make_by_name("augmentation", known_augmenters(), name, given, form="spelling-noise(rate=0.1)")
