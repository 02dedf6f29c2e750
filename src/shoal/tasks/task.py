"""A task: a named source of examples, with a split, a rule and its shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shoal.tasks.example import Example

Rule = Callable[[str], str]
"""The program that gives the right completion of a prompt."""

Shortcut = Callable[[str, Sequence[Example]], str]
"""A shallow heuristic: from a prompt and the seen examples to a completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The predicate that says which examples are held out."""

    name: str
    """How experiment files and reports call it, with its parameters: ``last-digit(1,3,7)``."""

    holds_out: Callable[[Example], bool]
    """True for an example that must not be trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Examples, the split of them, the rule that generates them and the shortcuts that might pass for it."""

    name: str
    examples: tuple[Example, ...]
    split: Split
    rule: Rule
    shortcuts: Mapping[str, Shortcut] = field(default_factory=dict)
    rule_known: bool = True
    """False where ``rule`` is nothing but a table of the examples: it says nothing of them that they do not say."""

    @property
    def seen(self) -> tuple[Example, ...]:
        """The examples that may be trained on, in order."""
        return tuple(example for example in self.examples if not self.split.holds_out(example))

    @property
    def held_out(self) -> tuple[Example, ...]:
        """The examples that are kept for the test, in order."""
        return tuple(example for example in self.examples if self.split.holds_out(example))
