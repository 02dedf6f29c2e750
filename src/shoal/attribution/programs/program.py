"""Programs: what a model might do instead of the rule, each with a code length, each a shortcut once it is bound.

A kind of program is a subclass of `Program`, which names itself and its prior share.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.attribution.programs.context import Context, PromptBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.attribution.programs.expressions import Expression
    from shoal.tasks import Example, Rule


@dataclass(frozen=True, slots=True)
class Program(ABC):
    """A program of the grammar."""

    kind: ClassVar[str]
    """The name of the subclass in the notation."""

    share: ClassVar[float]
    """Its prior probability among the kinds; all together at most 1."""

    share_of_labels: ClassVar[float]
    """The same where the completions are labels, a few that come again and again."""

    @property
    def partial(self) -> bool:
        """Whether it is part of the program that it has no answer to some prompts, so that none is right by it."""
        return False

    @property
    @abstractmethod
    def notation(self) -> str:
        """The program in the notation of the grammar."""

    @property
    @abstractmethod
    def text(self) -> str:
        """In plain words: what the answer is."""

    @abstractmethod
    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The answer to each prompt, None where the program does not apply.

        Args:
            batch: prompts, with the seen examples and the rule as their context.
        """

    @abstractmethod
    def own_bits(self, context: Context) -> float:
        """Bits of all but the kind.

        Args:
            context: the seen examples, which fix the symbols and completions that can be named.
        """

    def bits(self, context: Context) -> float:
        """The code length in bits; two to the minus bits is the prior of the program.

        Args:
            context: the seen examples.
        """
        return self.kind_bits(context) + self.own_bits(context)

    @classmethod
    def kind_bits(cls, context: Context) -> float:
        """Bits of the kind.

        Args:
            context: the seen examples, whose completions may be labels.
        """
        return -math.log2(cls.share_of_labels if context.labels else cls.share)


class ProgramShortcut:
    """A program with the rule of its task: a `Shortcut`, from a prompt and the seen examples to a completion."""

    def __init__(self, program: Program, rule: Rule) -> None:
        self.program = program
        self._rule = rule
        self._seen: Sequence[Example] | None = None
        self._context: Context | None = None

    def __call__(self, prompt: str, seen: Sequence[Example]) -> str:
        """The completion of a prompt; an empty text where the program does not apply."""
        # All prompts of a task come with the same seen examples: reading them is what takes time.
        if self._context is None or (seen is not self._seen and tuple(seen) != tuple(self._seen or ())):
            self._context, self._seen = Context(seen, self._rule), seen
        batch = PromptBatch(self._context, [prompt], [self._context.answer(prompt)])
        return self.program.answers(batch)[0] or ""

    def __repr__(self) -> str:
        return f"ProgramShortcut({self.program.notation})"


def keys(batch: PromptBatch, expression: Expression) -> list[object]:
    """The values of an expression as keys, such that undefined ones equal nothing but each other.

    Args:
        batch: prompts.
        expression: of numbers or words.
    """
    values = batch.value(expression)
    if isinstance(values, list):
        return list(values)
    return [None if number != number else float(number) for number in values]


def shown(completion: str) -> str:
    """A completion in a sentence, cut where it is long."""
    text = completion.strip()
    return f"'{text[:40]}...'" if len(text) > 43 else f"'{text}'"


def value_shown(value: object) -> str:
    """A value of an expression in a sentence."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    # With all of its digits: with six, two large values of a table would read as one.
    return (str(int(value)) if value.is_integer() else repr(value)) if isinstance(value, float) else "none"
