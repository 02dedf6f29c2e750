"""Records of a run folder: what is written is read back, and what is damaged is named."""

from __future__ import annotations

import errno
import json
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import StoreError
from shoal.experiments.storage import (
    GrowingCurve,
    as_record,
    disk_faults,
    finite,
    read_json,
    read_json_rows,
    read_object,
    read_record,
    write_json,
    write_jsonl,
    write_text,
)

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a curve."""

    step: int
    loss: float | None
    parts: tuple[int, ...] = ()


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_values_are_read_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    write_json(path, value)
    assert read_json(path) == value


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4))
def test_rows_are_read_back_whatever_characters_stand_in_them(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    write_jsonl(path, rows)
    assert read_json_rows(path) == rows
    assert path.read_bytes().count(b"\n") == len(rows)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (math.nan, None),
        (-math.inf, None),
        (0.5, 0.5),
        (True, True),
        ("nan", "nan"),
        ((1.0, math.inf, (math.nan,)), [1.0, None, [None]]),
        ({"a": {"b": [math.nan, 2]}, "c": None}, {"a": {"b": [None, 2]}, "c": None}),
        ([], []),
    ],
)
def test_what_is_not_finite_becomes_none(value: Any, plain: Any) -> None:
    assert finite(value) == plain
    json.dumps(finite(value), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("\n\n", []),
        ('{"a": 1}\n', [{"a": 1}]),
        ('{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        # The last line was cut short by a kill.
        ('{"a": 1}\n{"a": 2}', [{"a": 1}]),
        ('{"a": 1}\n{"a', [{"a": 1}]),
        ('{"a": "\u2028\u0085"}\n', [{"a": "\u2028\u0085"}]),
    ],
)
def test_only_whole_lines_are_rows(tmp_path: Path, text: str, rows: list[Any]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_json_rows(path) == rows


def test_a_damaged_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a": \n{"a": 3}\n', encoding="utf-8")
    with pytest.raises(StoreError, match=r"rows\.jsonl, line 3, is damaged .* delete it and give the same command"):
        read_json_rows(path)


def test_a_file_that_is_absent_has_no_rows_unless_it_must_be_there(tmp_path: Path) -> None:
    assert read_json_rows(tmp_path / "none.jsonl") == []
    with pytest.raises(StoreError, match=r"none\.jsonl cannot be read"):
        read_json_rows(tmp_path / "none.jsonl", required=True)


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"\x80"])
def test_bytes_that_are_no_text_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"record\.json cannot be read"):
        read_json(path)


def test_values_nested_without_end_are_damage_and_no_traceback(tmp_path: Path) -> None:
    deep = sys.getrecursionlimit() * 60
    path = tmp_path / "record.json"
    path.write_text("[" * deep + "]" * deep, encoding="utf-8")
    with pytest.raises(StoreError, match=r"record\.json is damaged"):
        read_json(path)
    path.write_text('{"a":' * deep + "1" + "}" * deep + "\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"record\.json, line 1, is damaged"):
        read_json_rows(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "should hold a JSON object and holds a list"),
        ("null", "should hold a JSON object and holds a NoneType"),
        ('"text"', "should hold a JSON object and holds a str"),
        ("{", "is damaged"),
        ("", "is damaged"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=message):
        read_object(path)
    with pytest.raises(StoreError, match=message):
        read_record(path, Point)


def test_an_absent_record_is_none(tmp_path: Path) -> None:
    assert read_object(tmp_path / "none.json") is None
    assert read_record(tmp_path / "none.json", Point) is None


def test_a_record_of_a_later_version_is_read_without_its_new_keys(tmp_path: Path) -> None:
    path = tmp_path / "point.json"
    write_json(path, {"step": 3, "loss": None, "parts": [1, 2], "colour": "red"})
    assert read_record(path, Point) == Point(step=3, loss=None, parts=(1, 2))


@pytest.mark.parametrize("row", [{"loss": 1.0}, {}, [], [1], "step loss", 3, None])
def test_a_row_that_lacks_a_key_is_no_record(tmp_path: Path, row: Any) -> None:
    with pytest.raises(StoreError, match=r"a\.json is no record of type Point .* delete it"):
        as_record(tmp_path / "a.json", Point, row)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_that_what_was_finished_is_kept(code: int) -> None:
    with (
        pytest.raises(StoreError, match="no room left for the run in /runs/a; free some space"),
        disk_faults("/runs/a"),
    ):
        raise OSError(code, "full")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR])
def test_a_folder_that_cannot_be_written_is_named(code: int) -> None:
    with pytest.raises(StoreError, match=r"/runs/a/b cannot be written \(no\); choose another"), disk_faults("/runs/a"):
        raise OSError(code, "no", "/runs/a/b")
    with pytest.raises(StoreError, match=r"/runs/a cannot be written"), disk_faults("/runs/a"):
        raise OSError(code, "no")


def test_another_fault_of_the_system_is_left_as_it_is() -> None:
    with pytest.raises(OSError, match="odd") as found, disk_faults("/runs/a"):
        raise OSError(errno.EIO, "odd")
    assert found.value.errno == errno.EIO


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("", encoding="utf-8")
    with pytest.raises((StoreError, FileExistsError)):
        write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a").read_text(encoding="utf-8") == ""


def test_rows_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"a": 1}])

    def broken() -> Any:
        yield {"a": 2}
        raise KeyError("stop")

    with pytest.raises(KeyError):
        write_jsonl(path, broken())
    assert read_json_rows(path) == [{"a": 1}]
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


def steps(path: Path) -> list[int]:
    return [row["step"] for row in read_json_rows(path)]


def test_a_curve_grows_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "curve.jsonl"
    with GrowingCurve(path) as curve:
        assert not path.exists()
        for step in (1, 2):
            curve.add(Point(step=step, loss=1 / step))  # type: ignore[arg-type]
            assert steps(path) == list(range(1, step + 1))
    assert read_json_rows(path)[1] == {"step": 2, "loss": 0.5, "parts": []}


@pytest.mark.parametrize(("first", "left"), [(1, [1]), (3, [1, 2, 3]), (5, [1, 2, 3, 4, 5]), (9, [1, 2, 3, 4, 9])])
def test_a_resumed_curve_drops_what_it_repeats(tmp_path: Path, first: int, left: list[int]) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text("".join(f'{{"step": {step}}}\n' for step in (1, 2, 3, 4)) + '{"step": 5', encoding="utf-8")
    with GrowingCurve(path) as curve:
        curve.add(Point(step=first, loss=math.inf))  # type: ignore[arg-type]
    assert steps(path) == left
    assert read_json_rows(path)[-1]["loss"] is None


def test_a_curve_that_gets_no_point_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text('{"step": 1}\n{"st', encoding="utf-8")
    with GrowingCurve(path):
        pass
    assert path.read_text(encoding="utf-8") == '{"step": 1}\n{"st'


@pytest.mark.parametrize("line", ['{"loss": 1.0}', "[1]", "3", '{"step": "one"}'])
def test_a_curve_of_other_rows_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text(f"{line}\n", encoding="utf-8")
    with GrowingCurve(path) as curve, pytest.raises(StoreError, match=r"curve\.jsonl is no record of a curve"):
        curve.add(Point(step=2, loss=1.0))  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == f"{line}\n"
