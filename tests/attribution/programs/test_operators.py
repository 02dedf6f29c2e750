"""Every operator of the program search gives what its words state: values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shoal.attribution.programs import number_operators, text_operators, word_operators  # noqa: F401 - they register the operators
from shoal.attribution.programs.distances import DISTANCES, word_distances
from shoal.attribution.programs.expressions import Expression, Operator, operators_in, ordinal
from shoal.attribution.programs.reading import AnswerFormat, PromptReader, words_of

NAN = math.nan


def applied(name, parameter, *arguments, seen=()):
    """The values of an operator on columns of its arguments."""
    columns = [
        np.array(column, dtype=float) if kind == "number" else list(column)
        for kind, column in zip(Operator.OPERATORS[name].takes, arguments, strict=True)
    ]
    known = [np.array(seen, dtype=float)] if Operator.OPERATORS[name].uses_seen else []
    return Operator.OPERATORS[name].evaluate(None, parameter, columns, known)


def as_list(column):
    return [None if isinstance(value, float) and math.isnan(value) else value for value in list(column)]


ONE_NUMBER = [
    ("last-digit", None, [120, 7, 0], [0, 7, 0]),
    ("first-digit", None, [120, 7, 0], [1, 7, 0]),
    ("without-last-digit", None, [120, 7, 45], [12, None, 4]),
    ("without-first-digit", None, [120, 7, 405], [20, None, 5]),
    ("digit-count", None, [120, 7, 0], [3, 1, 1]),
    ("digit-sum", None, [120, 99, 0], [3, 18, 0]),
    ("reversed-digits", None, [120, 7, 123], [21, 7, 321]),
    ("swapped-digits", None, [123, 7, 10], [132, 7, 1]),
    ("sorted-digits", None, [312, 7, 100], [123, 7, 1]),
    ("absolute", None, [-3, 3, 0], [3, 3, 0]),
    ("positive", None, [-3, 0, 0.5, NAN], [0, 0, 1, None]),
    ("squared", None, [-3, 0, 1.5], [9, 0, 2.25]),
    ("plus", 4, [1, -1, NAN], [5, 3, None]),
    ("minus", 4, [1, 4, 10], [-3, 0, 6]),
    ("times", 3, [1, -2, 0], [3, -6, 0]),
    ("divided", 3, [7, -7, 2], [2, -3, 0]),
    ("modulo", 3, [7, -7, 0], [1, 2, 0]),
    ("down-to", 10, [19, 20, -1], [10, 20, -10]),
    ("up-to", 10, [19, 20, -1], [20, 20, 0]),
    ("round-to", 10, [14, 15, 25], [10, 20, 30]),
    ("digits", None, [120, -1, 2.5, NAN], [("1", "2", "0"), None, None, None]),
    ("written", None, [120, -1, 2.5, NAN], [("120",), ("-1",), None, None]),
    ("copies", "x", [3, 0, -1, 201], [("x",) * 3, None, None, None]),
    ("first-digit", None, [-5, 2.5, NAN], [None, None, None]),
]
TWO_NUMBERS = [
    ("sum", [1, 2], [3, NAN], [4, None]),
    ("difference", [1, 5], [3, 2], [-2, 3]),
    ("distance", [1, 5], [3, 2], [2, 3]),
    ("product", [2, -3], [4, 5], [8, -15]),
    ("maximum", [1, 5], [3, NAN], [3, None]),
    ("minimum", [1, 5], [3, 2], [1, 2]),
    ("remainder", [7, 7, 7], [3, 0, -2], [1, None, None]),
    ("quotient", [7, 7, -7], [3, 0, 2], [2, None, -4]),
    ("reduced-once", [7, 2], [3, 3], [4, 2]),
    ("without-carry", [57, 99], [68, 11], [15, 0]),
    ("joined-digits", [12, 0, 5, -1], [34, 7, 0, 2], [1234, 7, 50, None]),
    ("less", [1, 3, NAN], [2, 3, 1], [1, 0, None]),
    ("same", [1, 3, NAN], [2, 3, NAN], [0, 1, None]),
]
FROM_SEEN = [
    ("nearest-seen", "lower", [1, 4, 5, 99, NAN], [2, 2, 6, 9, None]),
    ("nearest-seen", "higher", [1, 4, 5, 99, NAN], [2, 6, 6, 9, None]),
    ("nearest-seen-modulo", 3, [1, 4, 5, 7], [2, 2, 2, 6]),
    ("clipped", None, [1, 4, 99], [2, 4, 9]),
    ("highest-seen", None, [1, NAN], [9, None]),
    ("lowest-seen", None, [1, NAN], [2, None]),
]


@pytest.mark.parametrize(("name", "parameter", "values", "wanted"), ONE_NUMBER)
def test_an_operator_on_a_number(name, parameter, values, wanted):
    assert as_list(applied(name, parameter, values)) == wanted


@pytest.mark.parametrize(("name", "first", "second", "wanted"), TWO_NUMBERS)
def test_an_operator_on_two_numbers(name, first, second, wanted):
    assert as_list(applied(name, None, first, second)) == wanted


@pytest.mark.parametrize(("name", "parameter", "values", "wanted"), FROM_SEEN)
def test_an_operator_that_looks_at_the_seen_numbers(name, parameter, values, wanted):
    assert as_list(applied(name, parameter, values, seen=[9, 2, 6, 2, NAN])) == wanted
    assert as_list(applied(name, parameter, values, seen=[NAN])) == [None] * len(values)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_the_nearest_seen_number_is_nearer_than_any_other(values, seen):
    for ties, choose in (("lower", min), ("higher", max)):
        found = applied("nearest-seen", ties, values, seen=seen)
        for value, nearest in zip(values, found, strict=True):
            least = min(abs(value - one) for one in seen)
            assert nearest == choose(one for one in seen if abs(value - one) == least)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_digits_are_those_of_the_decimal_notation(first, second):
    assert applied("digits", None, [first]) == [tuple(str(first))]
    assert applied("digit-sum", None, [first])[0] == sum(map(int, str(first)))
    width = max(len(str(first)), len(str(second)))
    pairs = zip(str(first).zfill(width), str(second).zfill(width), strict=True)
    assert applied("without-carry", None, [first], [second])[0] == int(
        "".join(str((int(a) + int(b)) % 10) for a, b in pairs)
    )


BABA = ("b", "a", "b", "B")
ONE_ROW = [
    ("spelled", None, ("ab", "c"), ("a", "b", "c")),
    ("spelled", None, ("a" * 301,), None),
    ("repeated", 2, ("a", "b"), ("a", "b", "a", "b")),
    ("in-one", None, ("ab", "c"), ("abc",)),
    ("reversed", None, BABA, ("B", "b", "a", "b")),
    ("sorted", None, ("10", "9", "b", "a", "09"), ("9", "09", "10", "a", "b")),
    ("sorted-down", None, ("10", "9", "b", "a"), ("b", "a", "10", "9")),
    ("sorted-as-text", None, ("10", "9", "b", "B"), ("10", "9", "B", "b")),
    ("sorted-by-start", None, ("bz", "ba", "a"), ("a", "bz", "ba")),
    ("sorted-by-end", None, ("bz", "ba", "ca"), ("ba", "ca", "bz")),
    ("sorted-by-length", None, ("ccc", "b", "aa", "d"), ("b", "d", "aa", "ccc")),
    ("distinct", None, BABA, ("b", "a", "B")),
    ("runs-as-one", None, ("a", "a", "b", "a"), ("a", "b", "a")),
    ("last-places", None, ("a", "b", "a"), ("b", "a")),
    ("runs-of-one", None, ("a", "a", "b", "a"), ("b", "a")),
    ("runs-of-one", None, ("a", "a"), None),
    ("commonest", None, ("b", "a", "a", "b"), ("b",)),
    ("rarest", None, ("b", "a", "b", "c"), ("a",)),
    ("single", None, BABA, ("a", "B")),
    ("single", None, ("a", "a"), None),
    ("multiple", None, BABA, ("b",)),
    ("multiple", None, ("a",), None),
    ("rotated-left", None, ("a", "b", "c"), ("b", "c", "a")),
    ("rotated-right", None, ("a", "b", "c"), ("c", "a", "b")),
    ("swapped-first", None, ("a", "b", "c"), ("b", "a", "c")),
    ("swapped-last", None, ("a", "b", "c"), ("a", "c", "b")),
    ("swapped-first", None, ("a",), None),
    ("swapped-ends", None, ("a", "b", "c"), ("c", "b", "a")),
    ("swapped-ends", None, ("a",), None),
    ("every-second", None, ("a", "b", "c"), ("a", "c")),
    ("first-half", None, ("a", "b", "c"), ("a", "b")),
    ("last-half", None, ("a", "b", "c"), ("b", "c")),
    ("each-twice", None, ("a", "b"), ("a", "a", "b", "b")),
    ("mirrored", None, ("([", "x>"), (")]", "x<")),
    ("one-kind", None, ("[{", "x>"), ("((", "x)")),
    ("ends", None, ("a", "b", "c"), ("a", "c")),
    ("ends", None, ("a",), ("a", "a")),
    ("all-as-first", None, ("a", "b"), ("a", "a")),
    ("all-as-last", None, ("a", "b"), ("b", "b")),
    ("shape", None, ("Tea-42", "éa"), ("Aa-0", "a")),
    ("vowels", None, ("Tea-4",), ("cvv-4",)),
    ("first-letters", None, ("Tea", "x"), ("T", "x")),
    ("last-letters", None, ("Tea", "x"), ("a", "x")),
    ("small-letters", None, ("TEA", "É"), ("tea", "é")),
    ("capitals", None, ("tea", "é"), ("TEA", "É")),
    ("inner", None, ("a", "b", "c"), ("b",)),
    ("inner", None, ("a", "b"), None),
    ("next-letters", 1, ("az", "Z9é"), ("ba", "A9é")),
    ("next-letters", -1, ("ba",), ("az",)),
    ("at", 0, ("a", "b"), ("a",)),
    ("at", -2, ("a", "b"), ("a",)),
    ("at", 2, ("a", "b"), None),
    ("at", -3, ("a", "b"), None),
    ("extreme", "longest", ("a", "bb", "cc"), ("bb",)),
    ("extreme", "shortest", ("bb", "a", "c"), ("a",)),
    ("extreme", "highest first character", ("ba", "ca", "cb"), ("ca",)),
    ("extreme", "lowest last character", ("ab", "ba"), ("ba",)),
    ("first", 2, ("a", "b", "c"), ("a", "b")),
    ("first", 4, ("a",), ("a",)),
    ("last", 2, ("a", "b", "c"), ("b", "c")),
    ("without-first", 2, ("a", "b", "c"), ("c",)),
    ("without-first", 3, ("a", "b", "c"), None),
    ("without-last", 1, ("a", "b"), ("a",)),
    ("only", "a", ("a", "b", "a"), ("a", "a")),
    ("only", "x", ("a",), None),
    ("without", "a", ("a", "b", "a"), ("b",)),
    ("without", "a", ("a",), None),
    ("after", "a", ("a", "b", "a"), ("b",)),
    ("before", "a", ("a", "b", "a"), ("b",)),
    ("from", "b", ("a", "b", "c", "b"), ("b", "c", "b")),
    ("from-last", "b", ("a", "b", "c", "b"), ("b",)),
    ("cut-at", "b", ("a", "b", "c", "b"), ("a",)),
    ("cut-at", "a", ("a", "b"), None),
    ("cut-at-last", "b", ("a", "b", "c", "b"), ("a", "b", "c")),
    ("cut-at-last", "x", ("a", "b"), ("a", "b")),
    ("beginning-with", "a vowel", ("Owl", "cat"), ("Owl",)),
    ("beginning-with", "a digit", ("4x", "x4"), ("4x",)),
    ("beginning-with", "a sign", ("+", "a"), ("+",)),
    ("beginnings", 2, ("owl", "a"), ("ow", "a")),
    ("endings", 3, ("owls", "a"), ("wls", "a")),
    ("neighbours", 2, ("a", "b", "c"), ("a b", "b c")),
    ("neighbours", 3, ("a", "b"), None),
]
MEASURED = [
    ("length", None, BABA, 4),
    ("kinds", None, BABA, 3),
    ("equal-pairs", None, ("a", "a", "a", "b"), 2),
    ("longest-run", None, ("a", "b", "b", "a"), 2),
    ("palindrome", None, ("a", "b", "a"), 1),
    ("palindrome", None, ("a", "b"), 0),
    ("ascending", None, ("9", "10", "a"), 1),
    ("ascending", None, ("b", "a"), 0),
    ("ends-equal", None, ("a", "b", "a"), 1),
    ("depth", None, ("(", "[", ")", "]", "("), 2),
    ("depth", None, ("a",), 0),
    ("value", None, ("42",), 42),
    ("value", None, ("4", "2"), None),
    ("value", None, ("x",), None),
    ("value", None, ("1" * 16,), None),
    ("total", None, ("4", "x", "2"), 6),
    ("count", "b", BABA, 2),
    ("count", "x", BABA, 0),
    ("place-of", "a", BABA, 1),
    ("place-of", "x", BABA, None),
    ("count-beginning-with", "a capital", ("Tea", "x", "É"), 2),
]
TWO_ROWS = [
    ("then", ("a",), ("b", "c"), ("a", "b", "c")),
    ("not-in", ("a", "b", "a"), ("b",), ("a", "a")),
    ("not-in", ("a",), ("a",), None),
    ("equal", ("a", "b"), ("a", "b"), 1),
    ("equal", ("a", "b"), ("b", "a"), 0),
    ("in-common", ("a", "b", "b"), ("b", "c", "a"), 2),
]


@pytest.mark.parametrize(("name", "parameter", "row", "wanted"), ONE_ROW)
def test_an_operator_on_words(name, parameter, row, wanted):
    assert applied(name, parameter, [row, None]) == [wanted, None]


@pytest.mark.parametrize(("name", "parameter", "row", "wanted"), MEASURED)
def test_an_operator_from_words_to_a_number(name, parameter, row, wanted):
    assert as_list(applied(name, parameter, [row, None])) == [wanted, None]


@pytest.mark.parametrize(("name", "first", "second", "wanted"), TWO_ROWS)
def test_an_operator_on_two_rows_of_words(name, first, second, wanted):
    assert as_list(applied(name, None, [first, first, None], [second, None, second])) == [wanted, None, None]


def test_a_part_may_be_as_long_as_a_number():
    rows, numbers = [("a", "b", "c")] * 4 + [None], [2, 9, 0, NAN, 1]
    assert applied("up-to-number", None, rows, numbers) == [("a", "b"), ("a", "b", "c"), None, None, None]


def test_every_operator_on_values_is_worked_out_by_hand():
    known = {row[0] for table in (ONE_NUMBER, TWO_NUMBERS, FROM_SEEN, ONE_ROW, MEASURED, TWO_ROWS) for row in table}
    known |= {"up-to-number"}
    # What reads a batch of prompts is tried with prompts, in test_program_expressions.py.
    reading = {"truncated", "familiar", "new", "commonest-in-training", "rarest-in-training", "answered"}
    wanted = {name for name, operator in Operator.OPERATORS.items() if operator.takes}
    assert wanted - known - reading == set()


@given(st.lists(st.sampled_from("abc12"), min_size=1, max_size=7).map(tuple))
def test_orders_only_move_words(row):
    for name in ("reversed", "sorted", "sorted-down", "sorted-as-text", "sorted-by-start", "sorted-by-end",
                 "sorted-by-length", "rotated-left", "rotated-right"):  # fmt: skip
        (found,) = applied(name, None, [row])
        assert sorted(found) == sorted(row), name
    (back,) = applied("reversed", None, applied("reversed", None, [row]))
    assert back == row
    (turned,) = applied("rotated-right", None, applied("rotated-left", None, [row]))
    assert turned == row


E = Expression
TREE = E("then", None, (E("at", -1, (E("words"),)), E("first", 2, (E("letters"),))))


def test_a_tree_has_a_notation_and_words():
    assert TREE.notation == "then(at[-1](words), first[2](letters))"
    assert TREE.text == "the last of the words of the prompt, then the first 2 of the characters of the prompt"
    assert TREE.gives == "words"
    assert operators_in(TREE) == {"then", "at", "words", "first", "letters"}
    same = E("then", None, (E("at", -1, (E("words"),)), E("first", 2, (E("letters"),))))
    assert same == TREE
    assert hash(same) == hash(TREE)
    assert E("at", 0, (E("words"),)) != E("at", 1, (E("words"),))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (0, "first"),
        (1, "second"),
        (2, "third"),
        (3, "4th"),
        (9, "10th"),
        (-1, "last"),
        (-2, "last but one"),
        (-4, "4th from the end"),
    ],
)
def test_places_have_words(place, text):
    assert ordinal(place) == text


ROWS = [("a", "b", "c"), ("a", "c"), ("x",), None, ("c", "b", "a")]


@pytest.mark.parametrize(
    ("distance", "wanted"),
    [
        ("edit distance", [0, 1, 3, None, 2]),
        ("common beginning", [-3, -1, 0, None, 0]),
        ("common end", [-3, -1, 0, None, 0]),
        ("shared words", [0, 1 / 3, 1, None, 0]),
    ],
)
def test_distances_of_words_are_worked_out_by_hand(distance, wanted):
    found = word_distances(distance, ROWS[:1], ROWS)[0]
    assert as_list(found) == [None if value is None else pytest.approx(value) for value in wanted]
    back = word_distances(distance, ROWS, ROWS[:1])[:, 0]
    assert as_list(back) == as_list(found)


def test_distances_of_numbers_need_equally_many():
    rows = [("12", "x", "7"), ("10", "9"), ("5",), ("y",), None, ("1" * 16, "2", "3")]
    found = word_distances("numbers", rows[:1], rows)[0]
    assert as_list(found) == [0, 4, None, None, None, pytest.approx(14)]


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(tuple), min_size=1, max_size=5))
def test_a_row_is_nearest_to_itself_and_distances_are_symmetric(rows):
    for distance in DISTANCES[:-1]:
        found = word_distances(distance, rows, rows)
        assert found == pytest.approx(found.T)
        assert all(found[place, place] <= found[place].min() + 1e-12 for place in range(len(rows)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Sort b, a; c:", ("Sort", "b", "a", "c", ":")),
        ("12+30=", ("12", "+", "30", "=")),
        ("don't re-do it", ("don't", "re-do", "it")),
        ("a_b", ("a", "_", "b")),
        ("Größe 日本!", ("Größe", "日本", "!")),
        ("हिन्दी cafe\u0301s 2", ("हिन्दी", "cafe\u0301s", "2")),
        ("((x))", ("(", "(", "x", ")", ")")),
        ("", ()),
        (" ,; ", ()),
    ],
)
def test_words_are_runs_of_letters_and_signs_of_their_own(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("prompts", "argument", "numbers"),
    [
        (["Sort b a:", "Sort c d:", "Sort x:"], "b a", ()),
        (["12+30=", "40+7=", "8+8="], "12+30", (12.0, 30.0)),
        (["count to 1:", "count to 11:", "count to 111:", "count to 1111:"], "1", (1.0,)),
        (["only one 3"], "only one 3", (3.0,)),
        (["", "a"], "", ()),
    ],
)
def test_a_reader_finds_what_varies(prompts, argument, numbers):
    reader = PromptReader.learn(prompts)
    assert reader.argument(prompts[0]) == argument
    assert reader.numbers(prompts[0]) == numbers


def test_numbers_in_unary_are_as_long_as_they_are():
    reader = PromptReader.learn([f"to {'1' * count}:" for count in (1, 2, 3, 5)])
    assert reader.unary
    assert reader.numbers("to 1111:") == (4.0,)
    assert reader.with_number("to 1111:", 0, 2) == "to 11:"
    assert reader.with_number("to 1111:", 0, 0) is None


@pytest.mark.parametrize(
    ("place", "number", "edited"),
    [(0, 5, "5+30="), (-1, 5, "12+5="), (1, 0, "12+0="), (2, 5, None), (-3, 5, None), (0, -1, None), (0, 1.5, None)],
)
def test_a_number_of_a_prompt_can_be_exchanged(place, number, edited):
    reader = PromptReader.learn(["12+30=", "40+7=", "8+8="])
    assert reader.with_number("12+30=", place, number) == edited


def test_an_argument_can_be_exchanged_in_prompts_of_the_form_alone():
    reader = PromptReader.learn(["Sort b a:", "Sort c d:"])
    assert reader.with_argument("Sort b a:", "x y z") == "Sort x y z:"
    assert reader.with_argument("Count b a:", "x") is None
    assert reader.argument("Count b a:") == "Count b a:"
    assert len(reader.numbers("9" * 16)) == 1
    assert math.isnan(reader.numbers("9" * 16)[0])


@pytest.mark.parametrize(
    ("completions", "form"),
    [
        ([" 1", " 20", " 3"], {"lead": " ", "tail": "", "numeric": True, "width": 0}),
        ([" 01", " 20", " 03"], {"numeric": True, "width": 2}),
        ([" yes.", " no."], {"lead": " ", "tail": ".", "numeric": False, "width": 0}),
        (["a", "b"], {"lead": "", "tail": ""}),
        ([], {"lead": " ", "tail": "", "numeric": False}),
        ([" 10", " 20"], {"numeric": True, "width": 0}),
    ],
)
def test_the_form_of_answers_is_learnt(completions, form):
    learnt = AnswerFormat.learn(completions)
    assert {name: getattr(learnt, name) for name in form} == form
