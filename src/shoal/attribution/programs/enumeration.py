"""Which expressions are tried: bottom-up by depth, the shortest first, those with the same values only once.

Expressions that agree on all prompts (those asked and, where they are keys, the seen ones) cannot be told apart, so the
shorter one stands for them. A level is cut at a number of expressions, the longest codes first, which bounds the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs import number_operators, text_operators, word_operators  # noqa: F401 - they register operators
from shoal.attribution.programs.context import MIN_DEFINED
from shoal.attribution.programs.expressions import Expression, Operator, operators_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shoal.attribution.programs.context import PromptBatch
    from shoal.attribution.programs.expressions import Column, Parameter

_WHOLE = range(1, 11)
"""Constants that are added or taken away; larger ones are rounding in disguise or no simple program."""

_PLACES = (0, 1, 2, 3, -1, -2, -3)

_CHOOSING = ("at", "extreme", "after", "before", "commonest-in-training", "rarest-in-training")
"""Operators that choose single words, of which letters are looked at."""

_LETTERS = frozenset(["letters", "first-letters", "last-letters", "spelled"])

_OF_EACH_WORD = frozenset(
    [
        *("spelled", "beginnings", "endings", "first-letters", "last-letters", "small-letters", "capitals"),
        *("shape", "vowels", "next-letters", "mirrored", "one-kind", "digits", "repeated", "beginning-with"),
    ]
)
"""Operators that change words one by one, and so also a single one."""

_ENDS = (
    *(("first-letters", None), ("last-letters", None), ("beginnings", 2), ("endings", 2), ("endings", 3)),
    ("vowels", None),
)
"""What of a chosen word is looked at: how it begins and ends."""

LEVELS = 7
"""Of expressions, as `Expressions.enumerate` names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many expressions of each level are tried."""

    measures: int = 300
    numbers: int = 2500
    pairs: int = 1500
    triples: int = 800
    deep_numbers: int = 1500
    words: int = 1000
    deep_words: int = 2000
    joined: int = 1000

    def for_length(self, words: float) -> Limits:
        """The limits for prompts of so many words in the mean: of long ones fewer are tried, at least a tenth.

        Args:
            words: above 40, the number of expressions over words falls as it rises.
        """
        share = min(1.0, max(0.1, 40 / max(words, 1)))
        return replace(
            self,
            words=round(self.words * share),
            deep_words=round(self.deep_words * share),
            joined=round(self.joined * share),
        )


@dataclass(slots=True)
class Expressions:
    """The expressions of a batch, each with other values than the rest."""

    batch: PromptBatch
    limits: Limits = field(default_factory=Limits)
    sources: list[Expression] = field(default_factory=list)
    numbers: list[Expression] = field(default_factory=list)
    """By code length."""

    words: list[Expression] = field(default_factory=list)
    """By code length."""

    _known: set[object] = field(default_factory=set)

    def enumerate(self) -> Iterator[str]:
        """Fill `numbers` and `words`, level by level; gives the name of each level before it is computed."""
        limits, bits = self.limits, self.batch.context.bits
        yield "sources"
        places = [place for place in _PLACES if abs(place) <= self.batch.context.places]
        sources = self._take([Expression("number", place) for place in places], 99)
        sources += self._take([Expression("right"), Expression("characters")], 2)
        texts = self._take([Expression(name) for name in ("words", "letters", "prompt", "right-words")], 4)
        self.sources = [*sources, *texts]
        self._take([Expression("constant", number) for number in number_operators.CONSTANTS], 9)
        # What each word begins and ends with is as much a part of a text as its words.
        ends = ("first-letters", "last-letters")
        texts += self._take([Expression(name, None, (Expression("words"),)) for name in ends], 2)
        yield "measures"
        measures = self._take(self._applied("number", texts), limits.measures)
        yield "words"
        first = self._take(self._applied("words", texts), limits.words)
        chosen = [each for each in first if each.operator in _CHOOSING]
        spelled = self._take([Expression("spelled", None, (each,)) for each in chosen], 40)
        letters = self._take(self._applied("words", spelled), limits.words)
        letter_measures = self._take(self._applied("number", spelled), limits.measures)
        basic = [*sources, *measures]
        yield "numbers"
        simple = self._take(self._applied("number", [*basic, *letter_measures[:40]]), limits.numbers)
        yield "pairs"
        pairs = self._take(self._paired(basic[:30], basic[:30]), limits.pairs)
        twice = self._take(self._same_of_both(sources, simple), limits.pairs)
        triples = [*self._paired(pairs[:80], sources[:5]), *self._paired(sources[:5], pairs[:80])]
        self._take(triples, limits.triples)
        yield "deep numbers"
        inner = sorted([*simple, *pairs, *twice], key=bits)
        self._take(self._applied("number", inner[:400]), limits.deep_numbers)
        yield "deep words"
        # Of letters there are more expressions than of words, and as few of them are tried.
        for own in (True, False):
            inner = [each for each in first if own == operators_in(each).isdisjoint(_LETTERS)]
            deep = self._take(self._applied("words", inner[:250]), limits.deep_words)
            chosen = [each for each in deep if self._single(each)][:80]
            self._take([Expression(name, size, (each,)) for name, size in _ENDS for each in chosen], limits.words)
        self._take(self._applied("number", first[:100]), limits.measures * 3)
        self._take(self._applied("words", [*basic[:40], *simple[:40]]), limits.words)
        joined = [*texts, *first[:45]]
        self._take(self._paired(joined, joined, types=("words", "words")), limits.joined)
        self._take(self._paired(texts, basic[:20], types=("words", "number")), limits.joined)
        del letters
        for found in (self.numbers, self.words):
            found.sort(key=bits)

    def _take(self, candidates: Iterable[Expression], limit: int) -> list[Expression]:
        """The candidates with values that no expression had before, by code length, at most so many."""
        bits = self.batch.context.bits
        ranked = sorted((bits(each), place, each) for place, each in enumerate(candidates) if bits(each) < math.inf)
        taken: list[Expression] = []
        for _, _, expression in islice(ranked, limit * 3):
            if len(taken) >= limit:
                break
            signature = _signature(self.batch.value(expression))
            if signature is None or signature in self._known:
                self.batch.forget(expression)
                continue
            self._known.add(signature)
            taken.append(expression)
        (self.numbers if taken and taken[0].gives == "number" else self.words).extend(
            each for each in taken if each.gives == taken[0].gives
        )
        return taken

    def _single(self, words: Expression) -> bool:
        """Whether an expression has one word at most, so that order, choice and number say nothing of it."""
        return all(row is None or (isinstance(row, tuple) and len(row) == 1) for row in self.batch.value(words))

    def _parameters(self, operator: Operator, argument: Expression) -> Sequence[Parameter]:
        if isinstance(operator.parameters, tuple):
            return operator.parameters
        if operator.parameters == "symbols":
            return self.batch.context.symbols(argument)
        return _PLACES if operator.parameters == "places" else _WHOLE

    def _applied(self, gives: str, arguments: Sequence[Expression]) -> Iterator[Expression]:
        """Every operator with one argument on every argument of its type."""
        for operator in Operator.OPERATORS.values():
            if operator.gives == gives and len(operator.takes) == 1:
                fitting = [each for each in arguments if each.gives == operator.takes[0]]
                if gives == operator.takes[0] == "words" and operator.name not in _OF_EACH_WORD:
                    fitting = [each for each in fitting if not self._single(each)]
                for argument in fitting:
                    for parameter in self._parameters(operator, argument):
                        yield Expression(operator.name, parameter, (argument,))

    def _paired(
        self, left: Sequence[Expression], right: Sequence[Expression], types: tuple[str, str] = ("number", "number")
    ) -> Iterator[Expression]:
        """Every operator with two arguments of these types on every pair."""
        for operator in Operator.OPERATORS.values():
            if operator.takes == types:
                for first, second in product(left, right):
                    if first != second:
                        yield Expression(operator.name, None, (first, second))

    def _same_of_both(self, sources: Sequence[Expression], simple: Sequence[Expression]) -> Iterator[Expression]:
        """Every operator with two arguments on the same function of two numbers of the prompt, as their last digits."""
        places = [each for each in sources if each.operator == "number"][:3]
        for one in simple:
            if len(one.arguments) == 1 and places and one.arguments[0] == places[0]:
                others = [Expression(one.operator, one.parameter, (place,)) for place in places[1:]]
                yield from self._paired([one], others)
                yield from self._paired(others, [one])
                # The one number as it is with a function of the other.
                yield from self._paired([one], places[1:])
        for one in simple:
            if len(one.arguments) == 1 and one.arguments[0] in places[1:]:
                yield from self._paired(places[:1], [one])


def _signature(values: Column) -> object | None:
    """What values are known by; None where too few are defined."""
    if isinstance(values, list):
        row = tuple(values)
        return hash(row) if sum(each is not None for each in row) >= MIN_DEFINED * len(row) else None
    if np.isnan(values).mean() > 1 - MIN_DEFINED:
        return None
    return values.tobytes()
