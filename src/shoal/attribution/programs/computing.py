"""Programs that compute: a value of the prompt written as an answer, and the right answer to another question."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.attribution.programs.expressions import Expression
from shoal.attribution.programs.program import Program

if TYPE_CHECKING:
    from shoal.attribution.programs.context import Context, PromptBatch

EDITS = {"number": 0.4, "numbers": 0.2, "argument": 0.4}
"""What is replaced in a prompt before the rule is applied, with the prior."""


@dataclass(frozen=True, slots=True)
class Write(Program):
    """Writes the value of an expression over the prompt (or over the right answer) in the form of the completions."""

    kind = "write"
    share = 0.3
    share_of_labels = 0.03

    value: Expression

    @property
    def notation(self) -> str:
        """``write(reversed(words))``."""
        return f"write({self.value.notation})"

    @property
    def text(self) -> str:
        """In plain words."""
        return self.value.text

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The value as a completion."""
        form = batch.context.format
        values = batch.value(self.value)
        if isinstance(values, list):
            return [form.write_words(row) if row else None for row in values]
        return list(map(form.write_number, values.tolist()))

    def own_bits(self, context: Context) -> float:
        """The type and the expression."""
        return 1 + context.bits(self.value)


@dataclass(frozen=True, slots=True)
class RuleOfEdited(Program):
    """The right answer to another question: the rule of the prompt with a number, all numbers or its words replaced."""

    kind = "rule-of"
    share = 0.22
    share_of_labels = 0.2

    edit: str
    value: Expression
    place: int = 0
    """Which number is replaced; where all are, the expression is written for the first."""

    @property
    def notation(self) -> str:
        """``rule(number[1] := up-to[10](number[1]))``."""
        where = {"number": f"number[{self.place}]", "numbers": "numbers", "argument": "words"}[self.edit]
        return f"rule({where} := {self.value.notation})"

    @property
    def text(self) -> str:
        """In plain words."""
        if self.edit == "argument":
            return f"the right answer to the prompt with this in place of its words: {self.value.text}"
        first = Expression("number", 0).text
        if self.edit == "numbers":
            return f"the right answer with this in place of each number: {self.value.text.replace(first, 'the number')}"
        return f"the right answer with this in place of {Expression('number', self.place).text}: {self.value.text}"

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The rule's answers to the edited prompts; None where the edit does not apply or the rule refuses it."""
        return [None if text is None else batch.context.answer(text) for text in self._edited(batch)]

    def _edited(self, batch: PromptBatch) -> list[str | None]:
        reader = batch.context.reader
        if self.edit == "argument":
            values = batch.value(self.value)
            return [
                reader.with_argument(prompt, reader.separator.join(words)) if isinstance(words, tuple) else None
                for prompt, words in zip(batch.prompts, values, strict=True)
            ]
        edited: list[str | None] = list(batch.prompts)
        for place in range(batch.context.places) if self.edit == "numbers" else (self.place,):
            values = batch.value(at_place(self.value, place) if self.edit == "numbers" else self.value)
            for row, text in enumerate(edited):
                # Where every number is replaced, a prompt may have fewer of them than others.
                if text is not None and not (self.edit == "numbers" and place >= len(batch.numbers[row])):
                    edited[row] = reader.with_number(text, place, float(values[row]))  # type: ignore[arg-type]
        return edited

    def own_bits(self, context: Context) -> float:
        """The kind of edit, the place, and the expression."""
        place = math.log2(max(context.places, 1)) if self.edit == "number" else 0.0
        return -math.log2(EDITS[self.edit]) + place + context.bits(self.value)


def at_place(expression: Expression, place: int) -> Expression:
    """The expression with another number of the prompt where it has the first.

    Args:
        expression: a tree.
        place: of the number that takes the place of the first.
    """
    if expression.operator == "number" and expression.parameter == 0:
        return Expression("number", place)
    arguments = tuple(at_place(each, place) for each in expression.arguments)
    return Expression(expression.operator, expression.parameter, arguments)
