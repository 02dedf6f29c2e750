"""What a program may look at: the seen examples, the rule, and a batch of prompts with values that were computed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.expressions import Column, Expression, Operator, operator_bits, parameter_bits
from shoal.attribution.programs.reading import AnswerFormat, PromptReader, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tasks import Example, Rule

_MAX_SYMBOLS = 16
"""Words and letters that operators may name, the commonest: each one more makes all of them dearer to name."""

MIN_DEFINED = 0.25
"""Expressions that are undefined on more than three quarters of the prompts are left out."""

_MIN_SHARE = 0.05
"""Of the seen prompts must have a symbol that is named; what is rarer explains too few answers."""


_MAX_LABELS = 12
"""The seen completions are labels where there are at most so many different ones."""


class Context:
    """The seen examples and the rule, with what is learnt from them once."""

    def __init__(self, seen: Sequence[Example], rule: Rule) -> None:
        self.rule = rule
        self.reader = PromptReader.learn([example.prompt for example in seen])
        self.format = AnswerFormat.learn([example.completion for example in seen])
        self.completions = [example.completion for example in seen]
        distinct = sorted(set(self.completions))
        come_again = 2 * len(distinct) <= len(self.completions)
        self.labels = tuple(distinct) if 2 <= len(distinct) <= _MAX_LABELS and come_again else ()
        self._bits: dict[Expression, float] = {}
        self._answers: dict[str, str | None] = {}
        self.seen = PromptBatch(self, [example.prompt for example in seen], self.completions)
        self._word_symbols, self._letter_symbols = _symbols(self.seen, self.completions if self.labels else ())
        self._unusable = _unusable(self.seen)
        self.places = max((len(numbers) for numbers in self.seen.numbers), default=0)
        numbers = [number for row in self.seen.numbers for number in row]
        # A number of more digits than floats hold is NaN, which is neither above nor below any other.
        self._max_number: float = max((number for number in numbers if number == number), default=0.0)
        self._has_long = any(number != number for number in numbers)

    def symbols(self, expression: Expression) -> tuple[str, ...]:
        """The symbols that an operator on an expression may name: words, letters, or for numbers both.

        Args:
            expression: the argument of the operator.
        """
        if expression.gives == "number":
            return tuple(dict.fromkeys((*self._word_symbols, *self._letter_symbols)))
        return self._letter_symbols if _of_letters(expression) else self._word_symbols

    def bits(self, expression: Expression) -> float:
        """The code length of an expression in bits: the operator, its parameter, and its arguments.

        Args:
            expression: a tree of registered operators.
        """
        if expression not in self._bits:
            operator = Operator.OPERATORS[expression.operator]
            symbols = self.symbols(expression.arguments[0]) if operator.parameters == "symbols" else ()
            own = operator_bits(operator, self._unusable) + parameter_bits(operator, expression.parameter, len(symbols))
            self._bits[expression] = own + sum(map(self.bits, expression.arguments))
        return self._bits[expression]

    def answer(self, prompt: str) -> str | None:
        """What the rule gives for a prompt; None where it raises, gives nothing, or would have to go very far.

        Args:
            prompt: mostly one that was edited, so that it need not be a prompt of the task.
        """
        if prompt not in self._answers:
            self._answers[prompt] = self._ask(prompt)
        return self._answers[prompt]

    def _ask(self, prompt: str) -> str | None:
        # A rule may write as much as a number in its prompt says: only numbers of the size of the seen ones are used.
        numbers = self.reader.numbers(prompt)
        if any(number > 4 * self._max_number + 100 or (number != number and not self._has_long) for number in numbers):
            return None
        try:
            return self.rule(prompt) or None
        except Exception:  # noqa: BLE001 - a rule may refuse an edited prompt with any error of its own
            return None


class PromptBatch:
    """Prompts, their right answers, and the values of expressions on them."""

    def __init__(self, context: Context, prompts: Sequence[str], right: Sequence[str | None]) -> None:
        self.context = context
        self.prompts = list(prompts)
        self.right = list(right)
        self.numbers = [context.reader.numbers(prompt) for prompt in prompts]
        self.arguments = [context.reader.argument(prompt) for prompt in prompts]
        self.words = [words_of(argument) or None for argument in self.arguments]
        self._values: dict[Expression, Column] = {}

    def __len__(self) -> int:
        return len(self.prompts)

    def value(self, expression: Expression) -> Column:
        """The values of an expression, a row per prompt.

        Args:
            expression: a tree of registered operators.
        """
        if expression not in self._values:
            operator = Operator.OPERATORS[expression.operator]
            own = [self.value(each) for each in expression.arguments]
            seen = [self.context.seen.value(each) for each in expression.arguments] if operator.uses_seen else []
            self._values[expression] = operator.evaluate(self, expression.parameter, own, seen)
        return self._values[expression]

    def forget(self, expression: Expression) -> None:
        """Free the values of an expression, which are computed again when they are needed.

        Args:
            expression: what is not used for a while.
        """
        self._values.pop(expression, None)

    def column_of_numbers(self, place: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The number at a place of each prompt, NaN where there is none.

        Args:
            place: from 0; negative from the end.
        """
        return np.array([row[place] if -len(row) <= place < len(row) else np.nan for row in self.numbers], dtype=float)


def _unusable(seen: PromptBatch) -> frozenset[str]:
    """The sources that most seen prompts lack, as numbers in sentences: no program names them."""
    if not len(seen):
        return frozenset()
    lacking = set()
    for operator in Operator.OPERATORS.values():
        if not operator.takes:
            first = 0 if operator.parameters == "places" else operator.parameters[0]
            values = operator.evaluate(seen, first, (), ())
            lacks = sum(each is None for each in values) if isinstance(values, list) else np.isnan(values).sum()
            if lacks > (1 - MIN_DEFINED) * len(seen):
                lacking.add(operator.name)
    return frozenset(lacking)


def _of_letters(expression: Expression) -> bool:
    """Whether the words of an expression are single letters."""
    if expression.operator in ("letters", "text", "spelled", "first-letters", "last-letters", "digits"):
        return True
    return any(each.gives == "words" and _of_letters(each) for each in expression.arguments[:1])


def _symbols(seen: PromptBatch, labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words and the letters that may be named, of those that stand in many arguments.

    Args:
        seen: the seen prompts.
        labels: their completions, where these are labels.
    """
    rows = [[set(row or ()) for row in seen.words], [set("".join(text.split())) for text in seen.arguments]]
    words, letters = (_commonest_symbols(each) for each in rows)
    return tuple(dict.fromkeys((*words, *_informative_symbols(rows[0], labels)))), letters


def _commonest_symbols(rows: Sequence[set[str]]) -> tuple[str, ...]:
    counts = Counter(symbol for row in rows for symbol in row)
    return tuple(symbol for symbol, count in counts.most_common(_MAX_SYMBOLS) if count >= _MIN_SHARE * len(rows))


def _informative_symbols(rows: Sequence[set[str]], labels: Sequence[str]) -> tuple[str, ...]:
    """The symbols that inform most of the labels: by how much their prompts have other labels than the rest."""
    if not labels:
        return ()
    totals = Counter(labels)
    by_symbol: dict[str, Counter[str]] = {}
    for row, label in zip(rows, labels, strict=True):
        for symbol in row:
            by_symbol.setdefault(symbol, Counter())[label] += 1
    common = {symbol: own for symbol, own in by_symbol.items() if own.total() >= _MIN_SHARE * len(rows)}
    # The chi-squared statistic orders them as mutual information does, to second order.
    excess = {
        symbol: sum((own[label] - own.total() * count / len(rows)) ** 2 / count for label, count in totals.items())
        / own.total()
        for symbol, own in common.items()
    }
    return tuple(sorted(excess, key=lambda symbol: (-excess[symbol], symbol))[: _MAX_SYMBOLS // 2])
