"""Operators that give numbers from numbers: digits, rounding, the seen range, arithmetic, comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.expressions import (
    Column,
    Numbers,
    from_seen,
    numeric,
    on_columns,
    register,
    source,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.attribution.programs.context import PromptBatch

_MULTIPLES = (2, 3, 4, 5, 8, 10, 16, 20, 50, 100)
_MODULI = (2, 3, 4, 5, 6, 7, 8, 9, 10, 100)
_FACTORS = (2, 3, 10)
CONSTANTS = (0, 1, 2, 10)
"""What stands in the place of a number that is ignored."""


def _right(batch: PromptBatch) -> Column:
    form = batch.context.format
    return np.array([np.nan if text is None else form.number(text) for text in batch.right])


def on_digits(function: Callable[[str], str]) -> Callable[[Numbers], Numbers]:
    """A function of arrays from one of a number's decimal digits; NaN where these are not whole numbers from 0.

    Args:
        function: from digits to digits; an empty text is undefined.
    """

    def each(number: float) -> float:
        if not (number >= 0 and number == int(number)):
            return np.nan
        digits = function(str(int(number)))
        return float(digits) if digits else np.nan

    def apply(numbers: Numbers) -> Numbers:
        # Each distinct number once: there are far fewer of them than of prompts.
        distinct, places = np.unique(numbers, return_inverse=True)
        return np.array([each(number) for number in distinct])[places]

    return apply


def _without_carry(a: Numbers, b: Numbers) -> Numbers:
    """The sum with each digit modulo 10, as when no carry is taken over."""
    result = np.zeros_like(a)
    for place in range(16):
        unit = 10.0**place
        result += (np.floor(a / unit) % 10 + np.floor(b / unit) % 10) % 10 * unit
    return result


def _joined_digits(a: Numbers, b: Numbers) -> Numbers:
    """The digits of one number after those of another."""
    digits = np.floor(np.log10(np.maximum(b, 1))) + 1
    return np.where((a >= 0) & (b >= 0), a * 10**digits + b, np.nan)


def _nearest(numbers: Numbers, known: Numbers, ties: str) -> Numbers:
    """The known number that is nearest; of two equally near ones the lower or the higher."""
    after = np.clip(np.searchsorted(known, numbers), 0, len(known) - 1)
    before = np.clip(after - 1, 0, len(known) - 1)
    down, up = np.abs(numbers - known[before]), np.abs(numbers - known[after])
    lower = down <= up if ties == "lower" else down < up
    return np.where(lower, known[before], known[after])


def _nearest_of_class(numbers: Numbers, known: Numbers, modulus: int) -> Numbers:
    """The nearest known number with the same remainder; where there is none, the nearest of all."""
    result = _nearest(numbers, known, "lower")
    for remainder in range(modulus):
        rows, same = numbers % modulus == remainder, known[known % modulus == remainder]
        if len(same) and rows.any():
            result[rows] = _nearest(numbers[rows], same, "lower")
    return result


def _digits(numbers: Numbers) -> Column:
    return [tuple(str(int(number))) if number >= 0 and number == int(number) else None for number in numbers]


def _written(numbers: Numbers) -> Column:
    return [(str(int(number)),) if not np.isnan(number) and number == int(number) else None for number in numbers]


register(
    "number",
    source(lambda batch, place: batch.column_of_numbers(place)),
    "the {nth} number of the prompt",
    parameters="places",
    weight=20,
)
register("right", source(_right), "the right answer", weight=4)
register(
    "characters",
    source(lambda batch: np.array([len(prompt) for prompt in batch.prompts], dtype=float)),
    "the number of characters of the prompt",
)
register(
    "constant",
    source(lambda batch, number: np.full(len(batch), float(number))),
    "{p}",
    weight=2,
    parameters=CONSTANTS,
)

for _name, _weight, _text, _function in (
    ("last-digit", 2, "the last digit of {0}", lambda a: a % 10),
    ("first-digit", 2, "the first digit of {0}", on_digits(lambda digits: digits[0])),
    ("without-last-digit", 1, "{0} without its last digit", on_digits(lambda digits: digits[:-1])),
    ("without-first-digit", 1, "{0} without its first digit", on_digits(lambda digits: digits[1:])),
    ("digit-count", 1, "the number of digits of {0}", on_digits(lambda digits: str(len(digits)))),
    ("digit-sum", 1, "the sum of the digits of {0}", on_digits(lambda digits: str(sum(map(int, digits))))),
    ("reversed-digits", 1, "{0} with its digits reversed", on_digits(lambda digits: digits[::-1])),
    ("swapped-digits", 0.5, "{0} with its last two digits swapped", on_digits(lambda d: d[:-2] + d[:-3:-1])),
    ("sorted-digits", 0.5, "{0} with its digits sorted", on_digits(lambda digits: "".join(sorted(digits)))),
    ("absolute", 0.5, "{0} without its sign", np.abs),
    ("positive", 1, "whether {0} is above zero", lambda a: np.where(np.isnan(a), np.nan, a > 0)),
    ("squared", 0.5, "{0} squared", lambda a: a * a),
):
    register(_name, numeric(_function), _text, takes="number", weight=_weight)

register("plus", numeric(lambda a, p: a + p), "{0} plus {p}", takes="number", weight=2, parameters="whole")
register("minus", numeric(lambda a, p: a - p), "{0} minus {p}", takes="number", weight=2, parameters="whole")
register("times", numeric(lambda a, p: a * p), "{p} times {0}", takes="number", parameters=_FACTORS)
register("divided", numeric(lambda a, p: a // p), "{0} divided by {p}", takes="number", parameters=(2, 3, 10))
register("modulo", numeric(lambda a, p: a % p), "{0} modulo {p}", takes="number", weight=3, parameters=_MODULI)
register(
    "down-to",
    numeric(lambda a, p: a // p * p),
    "{0} rounded down to a multiple of {p}",
    takes="number",
    weight=1.5,
    parameters=_MULTIPLES,
)
register(
    "up-to",
    numeric(lambda a, p: -(-a // p) * p),
    "{0} rounded up to a multiple of {p}",
    takes="number",
    weight=1.5,
    parameters=_MULTIPLES,
)
register(
    "round-to",
    numeric(lambda a, p: (a + p / 2) // p * p),
    "{0} rounded to the nearest multiple of {p}",
    takes="number",
    weight=1.5,
    parameters=_MULTIPLES,
)

register(
    "nearest-seen",
    from_seen(_nearest),
    "the seen value that is nearest to {0} (of equals the {p})",
    takes="number",
    weight=2,
    parameters=("lower", "higher"),
    uses_seen=True,
)
register(
    "nearest-seen-modulo",
    from_seen(_nearest_of_class),
    "the nearest seen value with the same remainder modulo {p} as {0}",
    takes="number",
    parameters=_MODULI,
    uses_seen=True,
)
register(
    "clipped",
    from_seen(lambda a, known: np.clip(a, known[0], known[-1])),
    "{0}, held within the range seen",
    takes="number",
    uses_seen=True,
)
register(
    "highest-seen",
    from_seen(lambda a, known: a * 0 + known[-1]),
    "the highest seen value of {0}",
    takes="number",
    uses_seen=True,
)
register(
    "lowest-seen",
    from_seen(lambda a, known: a * 0 + known[0]),
    "the lowest seen value of {0}",
    takes="number",
    uses_seen=True,
)

for _name, _weight, _text, _pair in (
    ("sum", 3, "{0} plus {1}", lambda a, b: a + b),
    ("difference", 2, "{0} minus {1}", lambda a, b: a - b),
    ("distance", 1, "the difference of {0} and {1}", lambda a, b: np.abs(a - b)),
    ("product", 1, "{0} times {1}", lambda a, b: a * b),
    ("maximum", 2, "the larger of {0} and {1}", np.maximum),
    ("minimum", 2, "the smaller of {0} and {1}", np.minimum),
    ("remainder", 1, "{0} modulo {1}", lambda a, b: np.where(b > 0, a % b, np.nan)),
    ("quotient", 0.5, "{0} divided by {1}", lambda a, b: np.where(b > 0, a // b, np.nan)),
    ("reduced-once", 0.5, "{0}, less {1} if that leaves nothing below zero", lambda a, b: np.where(a >= b, a - b, a)),
    ("without-carry", 1, "{0} plus {1} without carries", _without_carry),
    ("joined-digits", 1, "the digits of {0}, then those of {1}", _joined_digits),
    ("less", 2, "whether {0} is below {1}", lambda a, b: np.where(np.isnan(a + b), np.nan, a < b)),
    ("same", 1, "whether {0} equals {1}", lambda a, b: np.where(np.isnan(a + b), np.nan, a == b)),
):
    register(_name, numeric(_pair), _text, takes="number number", weight=_weight)

register("digits", on_columns(_digits), "the digits of {0}", takes="number", gives="words", weight=1)
register("written", on_columns(_written), "{0}", takes="number", gives="words", weight=0.5)
