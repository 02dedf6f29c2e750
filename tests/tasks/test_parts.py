"""The column part says which rows may be trained on."""

from __future__ import annotations

import pytest

from shoal.errors import DataError, UsageError
from shoal.tasks import Example, rows_by_part, rows_of_part, task_from_rows


def rows(*parts: str | None) -> list[Example]:
    tags = [{} if part is None else {"part": part} for part in parts]
    return [Example(prompt=f"{place}:", completion=f" {place}", tags=tag) for place, tag in enumerate(tags)]


@pytest.mark.parametrize(
    ("seen", "held_out"),
    [("seen", "held_out"), ("train", "test"), ("training", "validation"), ("Train", "held-out"), ("train", "dev")],
)
def test_rows_stand_on_the_side_that_their_part_names(seen: str, held_out: str) -> None:
    given = rows(seen, held_out, seen)
    assert rows_by_part(given) == {"seen": [given[0], given[2]], "held_out": [given[1]]}
    assert rows_of_part(given, "held_out") == [given[1]]


def test_a_column_part_that_means_something_else_is_a_tag() -> None:
    given = rows("noun", "verb", "noun")
    assert rows_by_part(given) == {}
    with pytest.raises(UsageError, match="no column 'part'"):
        rows_of_part(given, "seen")


@pytest.mark.parametrize("odd", ["sean", None])
def test_a_part_that_is_not_known_beside_known_ones_is_named(odd: str | None) -> None:
    with pytest.raises(DataError, match=rf"row 3 is of the part {odd!r}, while others are of seen \(1\) and held_out"):
        rows_by_part(rows("seen", "held_out", odd))


def test_a_part_that_no_row_has_is_refused() -> None:
    with pytest.raises(DataError, match="none of the 2 rows is of the part held_out"):
        rows_of_part(rows("seen", "seen"), "held_out")


def test_the_split_part_holds_out_what_the_rows_say() -> None:
    task = task_from_rows(rows("train", "test", "train"), split="part")
    assert [row.prompt for row in task.held_out] == ["1:"]
    assert task.split.name == "part"
    with pytest.raises(DataError, match="none of them is seen or held_out there"):
        task_from_rows(rows(None, None), split="part")
