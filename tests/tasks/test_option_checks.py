"""Options are checked before any work, and a bad one is named with what would do."""

from __future__ import annotations

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.tasks import checks


@pytest.mark.parametrize("value", [2, 5, 9])
def test_a_whole_number_of_the_range_is_given_back(value: int) -> None:
    assert checks.whole_number("n", value, minimum=2, maximum=9) == value


@pytest.mark.parametrize("value", [1, 10, 2.0, "5", None, True])
def test_what_is_no_whole_number_of_the_range_is_refused(value: object) -> None:
    with pytest.raises(UsageError) as raised:
        checks.whole_number("n", value, minimum=2, maximum=9)
    assert str(raised.value) == f"n is {value!r}; give a whole number from 2 to 9"


def test_one_number_and_a_list_of_numbers_become_a_tuple() -> None:
    assert checks.whole_numbers("n", 3, minimum=0) == (3,)
    assert checks.whole_numbers("n", [3, 1], minimum=0) == (3, 1)


@pytest.mark.parametrize("value", [[], [1, 1], ()])
def test_an_empty_list_and_a_number_twice_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match="give at least one number, and none twice"):
        checks.whole_numbers("n", value, minimum=0)


@pytest.mark.parametrize(("value", "open_ends", "fits"), [
    (0, False, True), (1, False, True), (0, True, False), (1.0, True, False), (0.5, True, True), (True, False, False),
    ("0.5", False, False), (float("nan"), False, False),
])  # fmt: skip
def test_a_share_lies_between_0_and_1(value: object, open_ends: bool, fits: bool) -> None:
    if fits:
        assert checks.share("s", value, open_ends=open_ends) == value
    else:
        with pytest.raises(UsageError, match=r"s is .*; give a number"):
            checks.share("s", value, open_ends=open_ends)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert checks.one_of("colour", "red", ["red", "green"]) == "red"
    with pytest.raises(UnknownNameError, match="unknown colour 'gren'; did you mean 'green'"):
        checks.one_of("colour", "gren", ["red", "green"])
