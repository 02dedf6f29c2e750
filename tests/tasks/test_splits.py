from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import Example, Split, make_split, make_task, task_from_rows


def held_out(split: object, **options: object) -> list[int]:
    return [example.tags["index"] for example in make_task("counting", split=split, **options).held_out]


def test_last_digit_takes_other_digits() -> None:
    assert held_out("last-digit(0, 5)", largest=20) == [5, 10, 15, 20]
    assert held_out("last-digit(5)", largest=20) == [5, 15]
    assert held_out({"name": "last-digit", "digits": [5]}, largest=20) == [5, 15]


def test_length_holds_out_the_longest_share() -> None:
    assert held_out("length") == list(range(71, 101))
    assert held_out("length(share=0.05)") == list(range(96, 101))


def test_length_never_holds_out_what_is_as_long_as_a_seen_one() -> None:
    rows = [Example(prompt=str(k), completion="x" * length) for k, length in enumerate([1, 2, 3, 3, 3, 4])]
    task = task_from_rows(rows, split="length(share=0.5)")
    assert [len(row.completion) for row in task.held_out] == [4]


def test_block_holds_out_first_to_last() -> None:
    assert held_out("block(first=41, last=60)") == list(range(41, 61))


def test_token_cycle_holds_out_by_the_phase() -> None:
    assert held_out("token-cycle(period=4)", largest=12) == [1, 5, 9]
    assert held_out(make_split("token-cycle", period=3, phases=[0, 2]), largest=9) == [2, 3, 5, 6, 8, 9]


def test_random_holds_out_a_seeded_share_whatever_the_order() -> None:
    drawn = held_out("random(share=0.3, seed=5)")
    assert len(drawn) == 30
    assert drawn != held_out("random(share=0.3, seed=6)")
    rows = make_task("counting").examples
    turned = task_from_rows(rows[::-1], split="random(share=0.3, seed=5)")
    assert sorted(row.tags["index"] for row in turned.held_out) == drawn


def test_random_keeps_a_group_and_a_prompt_on_one_side() -> None:
    rows = [Example(prompt=f"{k}{n}", completion="x", tags={"group": str(k)}) for k in range(20) for n in range(3)]
    rows += [Example(prompt=str(k // 2), completion="xy"[k % 2]) for k in range(20)]
    task = task_from_rows(rows, split="random(share=0.4)")
    assert not {row.tags.get("group", row.prompt) for row in task.seen} & {
        row.tags.get("group", row.prompt) for row in task.held_out
    }


def test_random_keeps_groups_that_share_a_prompt_on_one_side() -> None:
    rows = [Example(prompt=f"p{k // 2}", completion="x", tags={"group": f"g{k}"}) for k in range(60)]
    rows += [Example(prompt=f"own {k}", completion="x", tags={"group": f"g{k}"}) for k in range(60)]
    task = task_from_rows(rows, split="random(share=0.4)")
    for key in (lambda row: row.prompt, lambda row: row.tags["group"]):
        assert not set(map(key, task.seen)) & set(map(key, task.held_out))
    assert len({row.prompt for row in task.held_out if row.prompt.startswith("p")}) == 12
    # An example that comes later stands with its prompt, whatever its group.
    for row in task.examples:
        later = Example(prompt=row.prompt, completion="y", tags={"group": "new"})
        assert task.split.holds_out(later) == task.split.holds_out(row)


@pytest.mark.parametrize(
    "given",
    ["last-digit(1,3,7)", "length(share=0.2)", "token-cycle(period=4)", "block(first=3,last=9)", "random(share=0.5)"],
)
def test_the_name_of_a_split_makes_the_same_split_again(given: str) -> None:
    task = make_task("counting", split=given)
    again = make_task("counting", split=task.split.name)
    assert again.split.name == task.split.name
    assert again.held_out == task.held_out


def test_a_split_of_ones_own_is_taken_as_it_is() -> None:
    split = Split(name="odd", holds_out=lambda example: len(example.completion) % 2 == 1)
    assert make_task("counting", split=split).split is split


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("length(share=1.0)", "share is 1.0; give a number above 0 and below 1"),
        (
            "length(share=)",
            "the parameters of the split 'length(share=)' cannot be read; write it as length(share=0.3)",
        ),
        (
            "length(1) + (2)",
            "the parameters of the split 'length(1) + (2)' cannot be read; write it as length(share=0.3)",
        ),
        ("length(share=0.3", "the split 'length(share=0.3' cannot be read; write it as length(share=0.3)"),
        ("block", "the split 'block' needs first and last"),
        ("block(first=9,last=3)", "the block goes from first=9 to last=3; first must not be larger"),
        ("token-cycle", "the split 'token-cycle' needs period"),
        (
            "token-cycle(period=2,phases=(0,1))",
            "phases names all 2 phases of the period; leave at least one to be seen",
        ),
        ("last-digit(11)", "digits is 11; give a whole number from 0 to 9"),
        (
            "block(first=200,last=300)",
            "the split block(first=200,last=300) holds out none of the 100 examples; choose other parameters",
        ),
        (
            "block(first=1,last=300)",
            "the split block(first=1,last=300) holds out all of the 100 examples; choose other parameters",
        ),
        (3, "the split is 3; give its name, or a table with its name and parameters"),
    ],
)
def test_a_split_that_cannot_be_used_says_why(split: object, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        make_task("counting", split=split)
    assert str(raised.value) == message


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown parameter of the split 'length' 'shore'; did you mean 'share'"):
        make_split("length", shore=0.3)


def test_a_split_by_index_needs_an_index() -> None:
    rows = [Example(prompt="a", completion="b"), Example(prompt="c", completion="d")]
    with pytest.raises(DataError, match="reads the tag 'index', and the example 'a' has None there"):
        task_from_rows(rows, split="last-digit")


@pytest.mark.parametrize(
    ("split", "holds_out"),
    [
        ("last-digit(0,9)", lambda k: k % 10 in (0, 9)),
        ("block(first=13,last=31)", lambda k: 13 <= k <= 31),
        ("token-cycle(period=7,phases=(2,5))", lambda k: k % 7 in (2, 5)),
        ("length(share=0.25)", lambda k: k > 75),
    ],
)
def test_a_split_holds_out_what_its_definition_says_and_nothing_else(split: str, holds_out: object) -> None:
    task = make_task("counting", split=split)
    assert [e.tags["index"] for e in task.held_out] == [k for k in range(1, 101) if holds_out(k)]
    assert [e.tags["index"] for e in task.seen] == [k for k in range(1, 101) if not holds_out(k)]


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.05, 0.95), seed=st.integers(0, 1000), groups=st.integers(20, 60))
def test_a_random_share_of_the_groups_is_held_out(share: float, seed: int, groups: int) -> None:
    rows = [Example(prompt=f"{k} {n}", completion="x", tags={"group": str(k)}) for k in range(groups) for n in (0, 1)]
    task = task_from_rows(rows, split={"name": "random", "share": share, "seed": seed})
    held = {row.tags["group"] for row in task.held_out}
    assert len(held) == round(share * groups)
    assert held.isdisjoint(row.tags["group"] for row in task.seen)


def test_rows_that_are_added_leave_the_others_on_their_side_of_the_draw() -> None:
    rows = [Example(prompt=str(k), completion="x") for k in range(200)]
    few = {row.prompt for row in task_from_rows(rows[:100], split="random(share=0.5)").held_out}
    many = {row.prompt for row in task_from_rows(rows, split="random(share=0.5)").held_out}
    # The order of the draws stays, so that one of the two is part of the other among the common rows.
    common = {row.prompt for row in rows[:100]}
    assert few <= many or many & common <= few


def test_the_part_of_the_rows_takes_no_parameters_and_needs_a_column() -> None:
    rows = [Example(prompt=p, completion="x", tags={"part": part}) for p, part in (("a", "train"), ("b", "test"))]
    assert [row.prompt for row in task_from_rows(rows, split="part").held_out] == ["b"]
    with pytest.raises(UsageError, match="the split 'part' takes no parameters; write part alone"):
        make_split("part(0.3)")
    with pytest.raises(DataError, match="the split 'part' reads the column 'part'"):
        task_from_rows([Example(prompt="a", completion="b")] * 2, split="part")


def test_a_table_needs_a_name() -> None:
    with pytest.raises(UsageError, match="give its name, or a table with its name and parameters"):
        make_task("counting", split={"share": 0.3})
