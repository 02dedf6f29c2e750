"""What makes a split of given examples: a name, parameters, and a predicate bound to the examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import DataError, UsageError
from shoal.tasks.task import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class Splitter(ABC):
    """A named way to split, with its parameters as fields.

    Some splits must see all examples before they can say which are held out (the longest fifth, a seeded share), so
    a splitter is bound to examples by ``over`` and gives the ``Split`` of them.
    """

    name: ClassVar[str]

    def label(self) -> str:
        """The name with its parameters, as an experiment file may give it: ``length(share=0.3)``."""
        return f"{self.name}({','.join(f'{field.name}={getattr(self, field.name)!r}' for field in fields(self))})"

    def over(self, examples: Sequence[Example]) -> Split:
        """The split of these examples.

        Raises:
            UsageError: it would hold out none of them or all of them.
            DataError: an example lacks the tag that the split reads.
        """
        holds_out = self._predicate(examples)
        held = sum(map(holds_out, examples))
        if held in (0, len(examples)):
            what = "none" if held == 0 else "all"
            raise UsageError(
                f"the split {self.label()} holds out {what} of the {len(examples)} examples; choose other parameters"
            )
        return Split(name=self.label(), holds_out=holds_out)

    @abstractmethod
    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        """True for an example that is held out."""


def index_of(example: Example) -> int:
    """The whole number in the example's tag ``index``.

    Raises:
        DataError: there is none.
    """
    index = example.tags.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise DataError(
            f"the split reads the tag 'index', and the example {example.prompt[:40]!r} has {index!r} there; give each "
            "example a whole number as its index, or use the split 'length' or 'random'"
        )
    return index
