"""A task: a named source of examples, with a split, a rule and its shortcuts."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shoal.errors import DataError

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


Draw = Callable[[random.Random], Example]
"""Draws a new example of a task from a random generator."""

VariantKind = Literal["same-surface-other-answer", "other-surface-same-answer"]
"""What a variant changes: as little of the prompt as turns the answer, or the wording that the answer ignores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A counterfactual of an example (Kaushik, Hovy and Lipton 2020, arXiv:1909.12434)."""

    example: Example
    kind: VariantKind


Variants = Callable[[Example, random.Random], Sequence[Variant]]
"""From an example to its counterfactuals; a random generator draws which of the possible ones."""

Divergence = Literal["ended-early", "went-on", "other"]
"""How an answer first departs from the completion: it ends before it, goes on behind it, or continues otherwise."""


def divergence_of(completion: str, answer: str) -> Divergence | None:
    """How an answer departs from the completion as text; None where they are equal.

    Args:
        completion: the right one.
        answer: what the model gave up to its end token.
    """
    if answer == completion:
        return None
    if completion.startswith(answer):
        return "ended-early"
    return "went-on" if answer.startswith(completion) else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMeasure:
    """A measure that belongs to a task: the mean over items of a value from 0 to 1 that each item has, or lacks.

    Exactly one of the two functions is given. A measure of the divergence needs no decoded text: where the tokens of
    an answer are known, it is taken from their first divergence.
    """

    label: str
    """How a report calls it."""

    meaning: str
    """A sentence without a capital and a full stop."""

    axis: str = "share of items"
    """What its axis in a figure says."""

    binary: bool = False
    """Whether every item has a value, of 0 or 1: right and wrong, so that items can be tested in pairs."""

    of_answer: Callable[[Example, str], float | None] | None = None
    """The value of an example and its answer; None where the measure does not apply."""

    of_divergence: Callable[[Divergence | None], float | None] | None = None
    """The value of how the answer departs from the completion."""

    def __call__(self, example: Example, answer: str) -> float | None:
        """The value of an item; None where the measure does not apply to it.

        Args:
            example: with the right completion.
            answer: what the model gave, as text.
        """
        if self.of_answer is not None:
            return self.of_answer(example, answer)
        assert self.of_divergence is not None
        return self.of_divergence(divergence_of(example.completion, answer))


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

    draw: Draw | None = None
    """Draws a new example of the task at large, of wider ranges than the examples too; None for rows of a file."""

    variants: Variants | None = None
    """The counterfactuals of an example; None where the task has no generator of them."""

    measures: Mapping[str, TaskMeasure] = field(default_factory=dict)
    """What is measured of answers to this task alone, by name."""

    @property
    def seen(self) -> tuple[Example, ...]:
        """The examples that may be trained on, in order."""
        return tuple(example for example in self.examples if not self.split.holds_out(example))

    @property
    def held_out(self) -> tuple[Example, ...]:
        """The examples that are reserved for the test, in order."""
        return tuple(example for example in self.examples if self.split.holds_out(example))


def rule_answer(rule: Rule, prompt: str) -> str:
    """The rule's completion of a prompt.

    Args:
        rule: of a task.
        prompt: to complete.

    Raises:
        DataError: the rule cannot read the prompt, raises an error of its own, or gives no text.
    """
    try:
        answer = rule(prompt)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"the rule failed on the prompt {prompt[:60]!r} ({type(error).__name__}: {error}); mend the rule"
        ) from error
    if not isinstance(answer, str) or not answer:
        raise DataError(f"the rule gave {answer!r} for the prompt {prompt[:60]!r}; it must return a text")
    return answer


def shortcut_answer(name: str, shortcut: Shortcut, prompt: str, seen: Sequence[Example]) -> str | None:
    """A shortcut's completion of a prompt; None where it does not apply, as it cannot read the prompt or gives nothing.

    Args:
        name: of the shortcut.
        shortcut: of a task.
        prompt: to complete.
        seen: the examples that the shortcut may look at.

    Raises:
        DataError: the shortcut raises an error of its own, or gives no text.
    """
    try:
        answer = shortcut(prompt, seen)
    except DataError:
        return None
    except Exception as error:
        raise DataError(
            f"the shortcut {name!r} failed on the prompt {prompt[:60]!r} ({type(error).__name__}: {error}); "
            "let it return an empty text where it does not apply"
        ) from error
    if not isinstance(answer, str):
        raise DataError(f"the shortcut {name!r} gave {answer!r} for {prompt[:60]!r}; it must return a text")
    return answer or None
