"""Expressions over a prompt: trees of operators that give a number or a sequence of words, with their code length.

A code length is -log2 of the probability with which a stochastic grammar draws the expression: an operator among those
that give its type by its weight, then its parameter, then its arguments. The probabilities of all expressions of a
type add up to at most 1 (Kraft), so that two to the minus code length is a prior.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shoal.attribution.programs.context import PromptBatch

Numbers = NDArray[np.float64]
Words = tuple[str, ...]
Column = Numbers | list[Words | None]
"""The values of an expression, a row per prompt: numbers (NaN where undefined), or words (None where undefined)."""

Parameter = int | str | None
Evaluate = Callable[["PromptBatch", Parameter, Sequence[Column], Sequence[Column]], Column]
"""From a batch, a parameter, the arguments' values on it and, if it uses them, on the seen prompts to the values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A word of the grammar; it is found in `OPERATORS` once it is registered."""

    name: str
    takes: tuple[str, ...]
    """Types of the arguments: ``number`` or ``words``."""

    gives: str
    weight: float
    """Share of this operator among those that give the same type, before they are made to add up to 1."""

    text: str
    """What it does in plain words; ``{0}`` and ``{1}`` are the arguments, ``{p}`` the parameter."""

    evaluate: Evaluate
    parameters: str | tuple[Parameter, ...] = (None,)
    """The values of the parameter, or their kind: ``places``, ``symbols`` (of the prompts), ``whole`` (from 1)."""

    uses_seen: bool = False
    """Whether it looks at its argument's values on the seen prompts."""

    OPERATORS: ClassVar[dict[str, Operator]] = {}
    """All operators by name."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A tree: an operator, its parameter and its arguments."""

    operator: str
    parameter: Parameter = None
    arguments: tuple[Expression, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Trees are looked up millions of times, and a hash of the whole tree each time would be half of all the work.
        object.__setattr__(self, "_hash", hash((self.operator, self.parameter, self.arguments)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def gives(self) -> str:
        """``number`` or ``words``."""
        return Operator.OPERATORS[self.operator].gives

    @property
    def notation(self) -> str:
        """As a formula: ``reverse(words)``, ``plus[1](number[0])``."""
        name = self.operator if self.parameter is None else f"{self.operator}[{self.parameter}]"
        return f"{name}({', '.join(each.notation for each in self.arguments)})" if self.arguments else name

    @property
    def text(self) -> str:
        """In plain words."""
        shown = ordinal(self.parameter) if isinstance(self.parameter, int) else f"'{self.parameter}'"
        operator = Operator.OPERATORS[self.operator]
        return operator.text.format(*(each.text for each in self.arguments), p=self.parameter, nth=shown)


@functools.cache
def operators_in(expression: Expression) -> frozenset[str]:
    """The names of all operators of an expression.

    Args:
        expression: a tree.
    """
    return frozenset([expression.operator]).union(*map(operators_in, expression.arguments))


def ordinal(place: int) -> str:
    """A place in words: 0 is ``first``, 1 ``second``, -1 ``last``."""
    known = {0: "first", 1: "second", 2: "third", -1: "last", -2: "last but one", -3: "last but two"}
    return known.get(place, _numbered(place + 1) if place >= 0 else f"{_numbered(-place)} from the end")


def _numbered(number: int) -> str:
    """A number as an ordinal: ``4th``, ``11th``, ``21st``."""
    teens = 10 <= number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


# Each expression that is tried needs it, and the registry is complete once the modules of operators are imported.
@functools.cache
def operator_bits(operator: Operator, unusable: frozenset[str] = frozenset()) -> float:
    """Bits that name an operator among those that give its type; of one that cannot be used, infinitely many.

    Args:
        operator: which one.
        unusable: operators that give nothing for the prompts of a task, which no program names.
    """
    if operator.name in unusable:
        return math.inf
    able = (each for each in Operator.OPERATORS.values() if each.name not in unusable)
    return math.log2(sum(each.weight for each in able if each.gives == operator.gives) / operator.weight)


def whole_number_bits(number: int) -> float:
    """Bits of a whole number from 1 by Elias's gamma code (1975): prefix-free without a largest number."""
    return 2 * math.floor(math.log2(number)) + 1


def place_bits(place: int) -> float:
    """Bits of a place from the beginning (0, 1, ...) or the end (-1, -2, ...): one for the side, one more a step."""
    return 2 + (place if place >= 0 else -place - 1)


def parameter_bits(operator: Operator, parameter: Parameter, symbols: int) -> float:
    """Bits of a parameter.

    Args:
        operator: whose parameter it is.
        parameter: its value.
        symbols: how many symbols of the seen prompts can be named.
    """
    if isinstance(operator.parameters, tuple):
        return math.log2(len(operator.parameters))
    if operator.parameters == "symbols":
        return math.log2(max(symbols, 1))
    assert isinstance(parameter, int)  # the two kinds below have whole numbers only
    return place_bits(parameter) if operator.parameters == "places" else whole_number_bits(parameter)


def source(function: Callable[..., Column]) -> Evaluate:
    """An operator without arguments, given by what it reads of a batch of prompts.

    Args:
        function: from the batch, and the parameter where there is one, to a column.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        return function(batch, *(() if parameter is None else (parameter,)))

    return evaluate


def on_columns(function: Callable[..., Column]) -> Evaluate:
    """An operator given as a function of its arguments' columns.

    Args:
        function: from the columns, and the parameter where there is one, to a column.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        return function(*values, *(() if parameter is None else (parameter,)))

    return evaluate


def row_wise(function: Callable[..., Words | None]) -> Evaluate:
    """An operator on words, given by what it does to the words of one prompt (None: undefined).

    Args:
        function: from the arguments' words, and the parameter where there is one, to words.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        given = () if parameter is None else (parameter,)
        return [None if None in row else function(*row, *given) for row in zip(*values, strict=True)]

    return evaluate


def measured(function: Callable[..., float]) -> Evaluate:
    """An operator from words to a number, given by what it gives for one prompt.

    Args:
        function: from the arguments' words, and the parameter where there is one, to a number.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        given = () if parameter is None else (parameter,)
        rows = (np.nan if None in row else function(*row, *given) for row in zip(*values, strict=True))
        return np.fromiter(rows, dtype=float, count=len(values[0]))

    return evaluate


def numeric(function: Callable[..., Numbers]) -> Evaluate:
    """An operator on numbers, given as a function of arrays.

    Args:
        function: from the arguments' arrays, and the parameter where there is one, to an array.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        given = () if parameter is None else (parameter,)
        # Division by zero and the like give NaN, which is what undefined means.
        with np.errstate(all="ignore"):
            result = np.asarray(function(*values, *given), dtype=float)
        result[~np.isfinite(result)] = np.nan
        return result

    return evaluate


def from_seen(function: Callable[..., Numbers]) -> Evaluate:
    """An operator on numbers that looks at the argument's values on the seen prompts.

    Args:
        function: from the argument's array, the sorted distinct seen values, and the parameter where there is one.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        known = np.unique(np.asarray(seen[0], dtype=float))
        known = known[~np.isnan(known)]
        argument = np.asarray(values[0], dtype=float)
        if not len(known):
            return np.full(len(argument), np.nan)
        result = np.array(function(argument, known, *(() if parameter is None else (parameter,))), dtype=float)
        result[np.isnan(argument)] = np.nan
        return result

    return evaluate


def register(
    name: str,
    evaluate: Evaluate,
    text: str,
    *,
    takes: str = "",
    gives: str = "number",
    weight: float = 1.0,
    parameters: str | tuple[Parameter, ...] = (None,),
    uses_seen: bool = False,
) -> None:
    """Add an operator to the grammar.

    Args:
        name: as the notation has it.
        evaluate: what it computes.
        text: in plain words.
        takes: the types of its arguments, with blanks between.
        gives: its own type.
        weight: its share among the operators of that type.
        parameters: the values of its parameter, or the kind of them.
        uses_seen: whether it looks at its argument's values on the seen prompts.
    """
    Operator.OPERATORS[name] = Operator(
        name=name,
        takes=tuple(takes.split()),
        gives=gives,
        weight=weight,
        text=text,
        evaluate=evaluate,
        parameters=parameters,
        uses_seen=uses_seen,
    )
