from __future__ import annotations

import math

import numpy as np
import pytest

from shoal.attribution.programs import number_operators, word_operators  # noqa: F401 - they register the operators
from shoal.attribution.programs.context import Context, PromptBatch
from shoal.attribution.programs.expressions import Expression, Operator, operator_bits, place_bits, whole_number_bits
from shoal.tasks import Example

E = Expression


def batch_of(prompts: list[str], seen: list[Example]) -> PromptBatch:
    return PromptBatch(Context(seen, lambda prompt: ""), prompts, [None] * len(prompts))


SUMS = [Example(prompt=f"{a}+{b}=", completion=f" {a + b}") for a, b in ((12, 30), (40, 7), (8, 8))]
LISTS = [Example(prompt=f"Sort {text}:", completion=" x") for text in ("b a c", "c c a b", "a b")]


@pytest.mark.parametrize("kind", ["number", "words"])
def test_the_operators_of_a_type_have_probabilities_that_add_up_to_one(kind: str) -> None:
    own = [operator for operator in Operator.OPERATORS.values() if operator.gives == kind]
    assert sum(2 ** -operator_bits(operator) for operator in own) == pytest.approx(1)


def test_the_codes_of_parameters_obey_krafts_inequality() -> None:
    assert sum(2 ** -whole_number_bits(number) for number in range(1, 5000)) <= 1
    assert sum(2 ** -place_bits(place) for place in range(-60, 60)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        (E("sum", None, (E("number", 0), E("number", -1))), [42, 126]),
        (E("without-carry", None, (E("number", 0), E("number", 1))), [42, 16]),
        (E("up-to", 10, (E("number", 0),)), [20, 90]),
        (E("nearest-seen", "lower", (E("number", 0),)), [12, 40]),
        (E("clipped", None, (E("number", 0),)), [12, 40]),
        (E("reversed-digits", None, (E("number", 1),)), [3, 73]),
        (E("less", None, (E("number", 0), E("number", 1))), [1, 0]),
        (E("joined-digits", None, (E("number", 0), E("number", 1))), [1230, 8937]),
    ],
)
def test_expressions_over_numbers(expression: Expression, values: list[float]) -> None:
    assert batch_of(["12+30=", "89+37="], SUMS).value(expression).tolist() == values  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        (E("reversed", None, (E("words"),)), [("c", "a", "b", "b"), None]),
        (E("sorted", None, (E("words"),)), [("a", "b", "b", "c"), None]),
        (E("at", -1, (E("words"),)), [("c",), None]),
        (E("without-first", 2, (E("words"),)), [("a", "c"), None]),
        (E("commonest", None, (E("words"),)), [("b",), None]),
        (E("single", None, (E("words"),)), [("a", "c"), None]),
        (E("extreme", "longest", (E("words"),)), [("b",), None]),
    ],
)
def test_expressions_over_words(expression: Expression, values: list[object]) -> None:
    assert batch_of(["Sort b b a c:", "Sort :"], LISTS).value(expression) == values


def test_a_sequence_is_cut_at_the_greatest_length_seen() -> None:
    cut = E("truncated", None, (E("words"),))
    assert batch_of(["Sort a b c d e f:"], LISTS).value(cut) == [("a", "b", "c", "d")]


def test_what_is_undefined_stays_undefined() -> None:
    batch = batch_of(["no number here", "5+0="], SUMS)
    values = batch.value(E("remainder", None, (E("number", 0), E("number", 1))))
    assert np.isnan(values).all()  # type: ignore[arg-type]


def test_a_longer_expression_has_a_longer_code() -> None:
    context = Context(SUMS, lambda prompt: "")
    short, long = E("number", 0), E("plus", 1, (E("number", 0),))
    assert 0 < context.bits(short) < context.bits(long)
    assert math.isfinite(context.bits(E("number", 7)))


def test_the_notation_and_the_words_name_operators_and_arguments() -> None:
    expression = E("up-to", 10, (E("number", 1),))
    assert expression.notation == "up-to[10](number[1])"
    assert expression.text == "the second number of the prompt rounded up to a multiple of 10"


def test_the_rule_is_not_applied_to_numbers_far_beyond_the_seen_ones() -> None:
    asked: list[str] = []
    context = Context(SUMS, lambda prompt: asked.append(prompt) or " 1")  # type: ignore[func-returns-value]
    assert context.answer("41+2=") == " 1"
    assert context.answer("100000+2=") is None
    assert asked == ["41+2="]
