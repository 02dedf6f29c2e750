from __future__ import annotations

import math

import pytest

from shoal.attribution.programs.reading import AnswerFormat, PromptReader, words_of


def test_the_argument_is_what_varies_between_prompts() -> None:
    reader = PromptReader.learn(["Sort the list 3 1 2:", "Sort the list 31 7:", "Sort the list 30 9 9 1:"])
    assert [reader.prefix, reader.suffix, reader.separator] == ["Sort the list ", ":", " "]
    assert reader.argument("Sort the list 3 1 2:") == "3 1 2"
    assert reader.with_argument("Sort the list 3 1 2:", "1 2 3") == "Sort the list 1 2 3:"


def test_a_prompt_of_another_form_is_its_own_argument() -> None:
    reader = PromptReader.learn(["Copy a b:", "Copy c d:"])
    assert reader.argument("Reverse a b:") == "Reverse a b:"
    assert reader.with_argument("Reverse a b:", "b a") is None


def test_a_sign_that_all_arguments_begin_with_belongs_to_them() -> None:
    reader = PromptReader.learn(["Close: ( ( [ :", "Close: ( [ [ :", "Close: ( ( ( [ :"])
    assert reader.argument("Close: ( ( [ :").split() == ["(", "(", "["]


def test_numbers_in_unary_are_as_large_as_they_are_long() -> None:
    reader = PromptReader.learn([f"Count to {'1' * k}:" for k in range(1, 9)])
    assert reader.numbers("Count to 1111:") == (4.0,)
    assert reader.with_number("Count to 1111:", 0, 2.0) == "Count to 11:"
    assert reader.with_number("Count to 1111:", 0, 0.0) is None


@pytest.mark.parametrize(("number", "edited"), [(40.0, "12+40="), (3.5, None), (-1.0, None), (math.nan, None)])
def test_only_whole_numbers_from_zero_stand_in_a_prompt(number: float, edited: str | None) -> None:
    reader = PromptReader.learn(["12+35=", "7+8="])
    assert reader.with_number("12+35=", 1, number) == edited
    assert reader.with_number("12+35=", 2, 1.0) is None


def test_the_form_of_completions_is_learnt_from_them() -> None:
    form = AnswerFormat.learn([" a, b, c.", " b, d.", " e."])
    assert form.write_words(["x", "y"]) == " x, y."
    assert words_of(form.body(" a, b, c.")) == ("a", "b", "c")


def test_numbers_are_written_with_the_width_of_the_completions() -> None:
    form = AnswerFormat.learn([" 007", " 042", " 120"])
    assert (form.numeric, form.write_number(5.0)) == (True, " 005")
    assert form.number(" 042") == 42
    assert math.isnan(form.number(" 42")), "a number in another form is another answer"
    assert form.write_number(math.nan) is None


def test_answers_that_are_mostly_negative_numbers_are_numbers() -> None:
    form = AnswerFormat.learn([" -3", " -12", " 4"])
    assert form.numeric
    assert (form.number(" -12"), form.write_number(-3.0)) == (-12, " -3")
