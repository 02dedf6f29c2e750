from __future__ import annotations

import pytest

from shoal.errors import DataError
from shoal.tasks import Example, make_task

TASK = make_task("addition")


@pytest.mark.parametrize(
    ("shortcut", "answer"),
    [
        ("ignore-carry", " 32"),
        ("add-last-digits", " 12"),
        ("first-operand", " 17"),
        ("larger-operand", " 25"),
        ("concatenate", " 1725"),
        ("subtract", " 8"),
    ],
)
def test_each_shortcut_answers_in_its_own_way(shortcut: str, answer: str) -> None:
    assert TASK.rule("17+25=") == " 42"
    assert TASK.shortcuts[shortcut]("17+25=", TASK.seen) == answer


def test_the_nearest_operands_may_be_in_the_other_order() -> None:
    seen = [Example(prompt="9+1=", completion=" 10"), Example(prompt="30+40=", completion=" 70")]
    assert TASK.shortcuts["copy-nearest-operands"]("41+29=", seen) == " 70"


def test_tags_count_digits_and_carries_and_join_both_orders() -> None:
    small = make_task("addition", max_digits=1, examples=90)
    tags = {example.prompt: example.tags for example in small.examples}
    assert tags["9+5="] == {"length": 1, "carries": 1, "group": "5+9"}
    assert tags["4+4="] == {"length": 1, "carries": 0, "group": "4+4"}


def test_another_form_is_refused_with_the_expected_one() -> None:
    with pytest.raises(DataError, match=r"the prompt '17-25=' cannot be read; it should look like '17\+25='"):
        TASK.rule("17-25=")
