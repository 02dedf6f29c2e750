from __future__ import annotations

import math
import random

import numpy as np
import pytest

from shoal.attribution.programs import number_operators, text_operators, word_operators  # noqa: F401 - they register the operators
from shoal.attribution.programs.context import Context, PromptBatch
from shoal.attribution.programs.distances import word_distances
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


def test_what_the_prompts_of_a_task_lack_cannot_be_named_and_makes_the_rest_cheaper() -> None:
    without, with_numbers = Context(LISTS, lambda prompt: ""), Context(SUMS, lambda prompt: "")
    assert math.isinf(without.bits(E("number", 0)))
    assert math.isinf(without.bits(E("plus", 1, (E("number", 0),))))
    assert without.bits(E("characters")) < with_numbers.bits(E("characters"))


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


def test_superscripts_and_digits_in_circles_are_no_numbers() -> None:
    batch = batch_of(["Say 5² ③ 7:", "Say ² 2 1:"], [*SUMS, *LISTS])
    assert batch.value(E("total", None, (E("words"),))).tolist() == [7, 3]  # type: ignore[union-attr]
    assert np.isnan(batch.value(E("value", None, (E("at", 1, (E("words"),)),)))).all()  # type: ignore[arg-type]
    assert word_distances("numbers", [("5²", "7")], [("③", "4")]).tolist() == [[3]]


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


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        (E("after", "the", (E("words"),)), [("Keys", "hall"), None]),
        (E("before", "the", (E("words"),)), [("in",), None]),
        (E("from", "the", (E("words"),)), [("the", "Keys", "in", "the", "hall"), None]),
        (E("from-last", "the", (E("words"),)), [("the", "hall"), None]),
        (E("cut-at", "in", (E("words"),)), [("the", "Keys"), ("apes", "eat")]),
        (E("cut-at-last", "the", (E("words"),)), [("the", "Keys", "in"), ("apes", "eat")]),
        (E("beginning-with", "a vowel", (E("words"),)), [("in",), ("apes", "eat")]),
        (E("beginning-with", "a capital", (E("words"),)), [("Keys",), None]),
        (E("endings", 2, (E("words"),)), [("he", "ys", "in", "he", "ll"), ("es", "at")]),
        (E("beginnings", 3, (E("words"),)), [("the", "Key", "in", "the", "hal"), ("ape", "eat")]),
        (E("neighbours", 2, (E("words"),)), [("the Keys", "Keys in", "in the", "the hall"), ("apes eat",)]),
        (E("familiar", None, (E("words"),)), [("the", "in", "the"), None]),
        (E("new", None, (E("words"),)), [("Keys",), ("apes", "eat")]),
        (E("commonest-in-training", None, (E("words"),)), [("the",), ("apes",)]),
        (E("rarest-in-training", None, (E("words"),)), [("Keys",), ("apes",)]),
        (E("answered", None, (E("words"),)), [("hall",), None]),
    ],
)
def test_expressions_over_texts(expression: Expression, values: list[object]) -> None:
    seen = [Example(prompt="Where? one dog in the hall:", completion=" hall")]
    seen += [Example(prompt="Where? the cat in a box:", completion=" box")]
    assert batch_of(["Where? the Keys in the hall:", "Where? apes eat:"], seen).value(expression) == values


def test_the_words_that_inform_of_the_labels_can_be_named_though_they_are_rare() -> None:
    draw = random.Random(0)
    filler = [f"w{k}" for k in range(40)]
    texts = [[*draw.sample(filler, 25), *(["never"] if k % 8 == 0 else [])] for k in range(160)]
    seen = [Example(prompt=" ".join(words), completion=" no" if "never" in words else " yes") for words in texts]
    assert "never" in Context(seen, lambda prompt: "").symbols(E("words"))
    blind = [Example(prompt=example.prompt, completion=f" {k}") for k, example in enumerate(seen)]
    assert "never" not in Context(blind, lambda prompt: "").symbols(E("words"))


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


@pytest.mark.parametrize("long", [False, True])
def test_a_rule_is_not_asked_to_go_as_far_as_a_number_of_many_digits_says(long: bool) -> None:
    asked: list[str] = []
    seen = [Example(prompt=f"{'9' * 17 if long else 3} and {k}:", completion=" x") for k in range(4)]
    context = Context(seen, lambda prompt: asked.append(prompt) or " x")
    assert context.answer("2 and 5:") == " x"
    assert context.answer("2 and 5000:") is None
    # Where the task has such numbers itself, its rule reads them.
    assert (context.answer(f"2 and {'9' * 30}:") is None) is not long
    assert len(asked) == (2 if long else 1)
