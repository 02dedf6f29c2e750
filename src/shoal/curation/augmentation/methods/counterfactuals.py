"""Counterfactuals: the least change of a prompt that turns its answer, and the wording that the answer ignores.

Source: Kaushik, Hovy and Lipton (2020), "Learning the difference that makes a difference", arXiv:1909.12434.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, get_args

from shoal.curation.augmentation.augmenter import Augmenter
from shoal.errors import UnknownNameError, UsageError
from shoal.tasks import VariantKind

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from shoal.tasks import Example, Task

_KINDS = ("both", *get_args(VariantKind))


@dataclass(frozen=True)
class Counterfactuals(Augmenter):
    """The variants that a task makes of its examples, each with the completion of its own."""

    name: ClassVar[str] = "counterfactuals"
    summary: ClassVar[str] = "the task's own variants: another answer by a small change, or the same one in other words"
    makes_items: ClassVar[bool] = True

    kind: str = "both"
    """``same-surface-other-answer``, ``other-surface-same-answer``, or ``both``."""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise UnknownNameError("kind of counterfactuals", str(self.kind), _KINDS)

    def candidates(self, example: Example, task: Task | None, generator: random.Random) -> Iterator[Example]:
        """The variants in a random order."""
        if task is None or task.variants is None:
            what = "rows without a task" if task is None else f"the task {task.name!r}"
            raise UsageError(f"{what} cannot make counterfactuals; take a task that has variants, or another method")
        variants = [one for one in task.variants(example, generator) if self.kind in ("both", one.kind)]
        generator.shuffle(variants)
        return iter([variant.example for variant in variants])
