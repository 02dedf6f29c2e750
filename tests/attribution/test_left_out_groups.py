"""Groups of seen examples: every example in exactly one, in the order of their values, under names that differ."""

from __future__ import annotations

import pytest

from shoal.attribution import find_groups
from shoal.errors import UsageError
from shoal.tasks import Example, Split, Tag, Task


def tagged(values: list[Tag | None]) -> Task:
    """A task whose seen examples have these values of a tag; None leaves the tag out."""
    examples = [
        Example(prompt=f"{'x' * place}:", completion=f" {place}", tags={} if value is None else {"value": value})
        for place, value in enumerate(values)
    ]
    held_out = Example(prompt="held out:", completion=" y", tags={"held": True})
    return Task(
        name="tagged",
        examples=(*examples, held_out),
        split=Split(name="held", holds_out=lambda example: "held" in example.tags),
        rule=lambda prompt: next((e.completion for e in examples if e.prompt == prompt), " y"),
        shortcuts={"even": lambda prompt, seen: f" {len(prompt) // 2 * 2}" if len(prompt) > 2 else ""},
    )


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "a", "c"],
        [True, False, True, True],
        [1, 2, 1, 3],
        [1, "1", 2, "b"],
        list(range(20)),
        [0.25 * number for number in range(30)],
        [1_000_000 + number for number in range(16)],
        [-number for number in range(12)],
        [*range(12), *[5] * 30],
    ],
)
def test_every_example_is_in_exactly_one_group_and_no_group_is_empty(values: list[Tag | None]) -> None:
    groups = find_groups(tagged(values), "tag:value")
    assert len(groups) >= 2
    assert [sum(flags[place] for flags in groups.values()) for place in range(len(values))] == [1] * len(values)
    assert all(any(flags) for flags in groups.values())


def test_an_example_without_the_tag_is_in_no_group() -> None:
    groups = find_groups(tagged(["a", None, "b", None]), "tag:value")
    assert groups == {"value = a": (True, False, False, False), "value = b": (False, False, True, False)}


def test_large_numbers_have_quarters_of_their_own_names() -> None:
    groups = find_groups(tagged([1_000_000 + number for number in range(16)]), "tag:value")
    assert list(groups) == [
        "value 1000000 to 1000003",
        "value 1000004 to 1000007",
        "value 1000008 to 1000011",
        "value 1000012 to 1000015",
    ]


def test_groups_stand_in_the_order_of_their_numbers() -> None:
    assert list(find_groups(tagged([12, 4, 100]), "tag:value")) == ["value = 4", "value = 12", "value = 100"]
    assert list(find_groups(tagged([0.5, 0.25, 0.125]), "tag:value")) == [
        "value = 0.125",
        "value = 0.25",
        "value = 0.5",
    ]


def test_eight_different_numbers_are_groups_of_their_own_and_nine_are_quarters() -> None:
    assert len(find_groups(tagged(list(range(8))), "tag:value")) == 8
    quarters = find_groups(tagged(list(range(9))), "tag:value")
    assert len(quarters) == 4
    assert sorted(map(sum, quarters.values())) == [2, 2, 2, 3]


def test_lengths_are_quarters_that_hold_every_example_once() -> None:
    groups = find_groups(tagged(["a"] * 10), "length")
    assert [sum(flags[place] for flags in groups.values()) for place in range(10)] == [1] * 10
    assert next(iter(groups)).startswith("length 1 to ")


def test_a_shortcut_that_does_not_apply_leaves_its_example_in_no_group() -> None:
    groups = find_groups(tagged(["a"] * 6), "shortcut:even")
    assert set(groups) == {"even is right", "even is wrong"}
    applies = [any(flags[place] for flags in groups.values()) for place in range(6)]
    assert applies == [False, False, True, True, True, True]


def test_one_value_is_one_group_which_is_refused() -> None:
    with pytest.raises(UsageError, match="puts all 5 seen examples into one group"):
        find_groups(tagged(["a"] * 5), "tag:value")
    # The only group there is: the others have no value.
    with pytest.raises(UsageError, match="into one group"):
        find_groups(tagged(["a", None, None]), "tag:value")


def test_many_numbers_are_quarters_also_where_an_example_lacks_the_tag() -> None:
    groups = find_groups(tagged([None, *range(12), None]), "tag:value")
    assert list(groups) == ["value 0 to 2", "value 3 to 5", "value 6 to 8", "value 9 to 11"]
    assert [flags[0] or flags[-1] for flags in groups.values()] == [False] * 4
    assert groups["value 3 to 5"][4:7] == (True, True, True)
