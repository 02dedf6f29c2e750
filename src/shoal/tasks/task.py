"""A task: a named source of examples, with a split, a rule and its shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Tag = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt, its completion, and tags: one row of a task or of a user's own data."""

    prompt: str
    """What the model is given."""

    completion: str
    """What the model should answer: text alone, without an end token."""

    ends: bool = True
    """Whether the completion ends there. The end token's id is appended when encoding, never stored as text."""

    tags: Mapping[str, Tag] = field(default_factory=dict)
    """Free labels: ``index`` (the number counted to), ``group`` (a cluster for the statistics), ..."""


Rule = Callable[[str], str]
"""The program that gives the right completion of a prompt."""

Shortcut = Callable[[str, Sequence[Example]], str]
"""A shallow heuristic: from a prompt and the seen examples to a completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The predicate that is true for held-out examples."""

    name: str
    """Its name in experiment files and reports, with its parameters: ``last-digit(1,3,7)``."""

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
    """False where ``rule`` is only a table of the examples, so that its being right on them shows nothing."""

    @property
    def seen(self) -> tuple[Example, ...]:
        """The examples that may be trained on, in order."""
        return tuple(example for example in self.examples if not self.split.holds_out(example))

    @property
    def held_out(self) -> tuple[Example, ...]:
        """The examples that are reserved for the test, in order."""
        return tuple(example for example in self.examples if self.split.holds_out(example))
