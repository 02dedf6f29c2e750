"""Quality filters: each gives a document a score, and its limits on the score decide whether the document stays.

A new filter is one file in this folder (or a class in the file of its family): a subclass of `QualityFilter` with a
name and a family. `find_filters`, `shoal.curate` and ``shoal curate --filters`` know it by both.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.document import DocumentText

_REGISTRY: dict[str, type[QualityFilter | LineFilter]] = {}
"""By name, in the order in which the classes are defined, which is the order of the rules of a family."""

_INFINITY = float("inf")


class QualityFilter(ABC):
    """Scores a document, and keeps it where the score is within a range; both steps can be used alone.

    Args:
        min_score: the minimum score of a document that stays; by default the filter's own.
        max_score: the maximum score.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    """The set of rules that it belongs to, which is used as a whole by this name; empty where it belongs to none."""

    measures: ClassVar[str]
    """What the score is, such as ``"words"``."""

    source: ClassVar[str]
    """Where the rule and its numbers come from: paper and place."""

    min_score: float = -_INFINITY
    max_score: float = _INFINITY

    strict: ClassVar[bool] = False
    """Whether a score that equals a limit is outside of the range."""

    costly: ClassVar[bool] = False
    """Whether it runs a model, so that it scores only documents that passed all filters before it."""

    def __init_subclass__(cls, **rest: object) -> None:
        super().__init_subclass__(**rest)
        _register(cls)

    def __init__(self, *, min_score: float | None = None, max_score: float | None = None) -> None:
        if min_score is not None:
            self.min_score = min_score
        if max_score is not None:
            self.max_score = max_score
        if not self.min_score <= self.max_score:
            raise UsageError(
                f"the filter {self.name} has the range {self.min_score:g} to {self.max_score:g}, which holds no score; "
                "give a minimum that is not above the maximum"
            )

    @abstractmethod
    def score(self, document: DocumentText) -> float:
        """The score of a document.

        Args:
            document: what is scored; a document without words has a score, too.
        """

    def score_all(self, documents: Sequence[DocumentText]) -> list[float]:
        """The scores of documents in their order; a filter that runs a model takes them together.

        Args:
            documents: what is scored.
        """
        return [self.score(document) for document in documents]

    def keep(self, score: float) -> bool:
        """Whether a document with this score stays.

        Args:
            score: as `score` gives it.
        """
        if self.strict:
            return self.min_score < score < self.max_score
        return self.min_score <= score <= self.max_score

    @property
    def limits(self) -> str:
        """The range of scores that stay, for people: ``"50 to 100,000"``, ``"at most 0.3"``."""
        lower, upper = ("above", "below") if self.strict else ("at least", "at most")
        if not self.strict and self.min_score > -_INFINITY and self.max_score < _INFINITY:
            return f"{self.min_score:,g} to {self.max_score:,g}"
        parts = []
        if self.min_score > -_INFINITY:
            parts.append(f"{lower} {self.min_score:,g}")
        if self.max_score < _INFINITY:
            parts.append(f"{upper} {self.max_score:,g}")
        return " and ".join(parts) or "any"


class LineFilter(ABC):
    """Removes lines of a document, or parts of lines; what follows it reads the lines that are left."""

    name: ClassVar[str]
    family: ClassVar[str]
    measures: ClassVar[str]
    """What makes it remove a line."""

    source: ClassVar[str]

    def __init_subclass__(cls, **rest: object) -> None:
        super().__init_subclass__(**rest)
        _register(cls)

    @abstractmethod
    def edit(self, line: str) -> str | None:
        """The line as it stays, or None where it is removed.

        Args:
            line: without white space around it; it is not empty.
        """


def known_filters() -> dict[str, type[QualityFilter | LineFilter]]:
    """The filters by name, in the order in which a family uses them."""
    # A filter registers itself when its module is imported.
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return dict(_REGISTRY)


def filter_families() -> dict[str, tuple[str, ...]]:
    """The names of the filters of each family; a filter of no family is used by its own name alone."""
    families: dict[str, list[str]] = {}
    for name, kind in known_filters().items():
        if not kind.family:
            continue
        families.setdefault(kind.family, []).append(name)
    return {family: tuple(names) for family, names in families.items()}


def _register(kind: type[QualityFilter | LineFilter]) -> None:
    # A class without a name of its own is a base of several filters.
    if "name" in kind.__dict__:
        _REGISTRY[kind.name] = kind
