"""Curves that grow: only whole lines are read, windows never move, and what is not finite is no point."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shoal.studio.item_files import ItemFiles
from shoal.studio.live_curves import MAX_POINTS, GrowingFile, ThinnedCurve
from shoal.studio.page_error import PageError
from shoal.studio.trainings import write_record
from shoal.textfiles import read_json_object


def append(path: Path, *rows: object) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    file = GrowingFile(path)
    assert file.new_rows() == []
    append(path, {"step": 1}, {"step": 2})
    assert file.new_rows() == [{"step": 1}, {"step": 2}]
    assert file.new_rows() == []
    append(path, {"step": 3})
    assert file.new_rows() == [{"step": 3}]


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    file = GrowingFile(path)
    append(path, '{"step": 1')
    assert file.new_rows() == []
    append(path, ', "name": "é"}\n')
    assert file.new_rows() == [{"step": 1, "name": "é"}]


@pytest.mark.parametrize("broken", ["{broken}\n", "[1]\n", "3\n", "\n", "null\n", "[" * 100_000 + "\n", "\xff\n"])
def test_a_damaged_line_is_left_out(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_bytes(b'{"step": 1}\n' + broken.encode("latin-1") + b'{"step": 2}\n')
    assert GrowingFile(path).new_rows() == [{"step": 1}, {"step": 2}]


def test_a_file_that_is_written_again_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    append(path, *({"step": step, "loss": 1.0} for step in range(1, 6)))
    curve = ThinnedCurve(GrowingFile(path))
    curve.update()
    assert len(curve.points(0)) == 5
    path.write_text('{"step": 1, "loss": 9.0}\n')
    curve.update()
    assert curve.points(0) == [(1, 9.0)]
    path.unlink()
    curve.update()
    assert curve.points(0) == [(1, 9.0)]


def test_a_file_that_was_cut_back_and_has_outgrown_its_old_length_since_is_read_from_its_beginning(
    tmp_path: Path,
) -> None:
    path = tmp_path / "curve.jsonl"
    append(path, *({"step": step, "loss": 1.0} for step in range(1, 6)))
    curve = ThinnedCurve(GrowingFile(path))
    curve.update()
    with path.open("r+", encoding="utf-8") as file:
        # Two steps of before stay, as of a training that goes on from a checkpoint.
        file.truncate(2 * len('{"step": 1, "loss": 1.0}\n'))
    append(path, *({"step": step, "loss": 2.0} for step in range(3, 9)))
    curve.update()
    assert curve.points(0) == [(1, 1.0), (2, 1.0), *((step, 2.0) for step in range(3, 9))]


@pytest.mark.parametrize(
    ("row", "points"),
    [
        ({"step": 2, "loss": 3}, [(1, 1.0), (2, 3.0)]),
        ({"step": 2, "loss": math.nan}, [(1, 1.0)]),
        ({"step": 2, "loss": math.inf}, [(1, 1.0)]),
        ({"step": 2, "loss": None}, [(1, 1.0)]),
        ({"step": 2, "loss": "3"}, [(1, 1.0)]),
        ({"step": 2.5, "loss": 3}, [(1, 1.0)]),
        ({"step": None, "loss": 3}, [(1, 1.0)]),
        ({"loss": 3}, [(1, 1.0)]),
        ({"step": 2}, [(1, 1.0)]),
    ],
)
def test_a_row_without_a_finite_loss_is_no_point(tmp_path: Path, row: dict[str, object], points: list[object]) -> None:
    path = tmp_path / "curve.jsonl"
    append(path, {"step": 1, "loss": 1.0}, row)
    curve = ThinnedCurve(GrowingFile(path))
    curve.update()
    assert curve.points(0) == points
    json.dumps(curve.points(0), allow_nan=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=3))
def test_windows_hold_the_mean_of_their_steps_however_the_file_grew(tmp_path: Path, parts: list[int]) -> None:
    path = tmp_path / "grown.jsonl"
    path.unlink(missing_ok=True)
    curve, step = ThinnedCurve(GrowingFile(path)), 0
    for count in parts:
        # A loss that falls, so that the watch of the curve has nothing to see.
        append(path, *({"step": s, "loss": 1 + 1 / s} for s in range(step + 1, step + count + 1)))
        step += count
        curve.update()
    found = curve.points(0)
    assert len(found) <= MAX_POINTS
    assert curve.width & (curve.width - 1) == 0
    edges = [*range(0, step, curve.width), step]
    assert [last for last, _ in found] == edges[1:]
    for (last, mean), begin in zip(found, edges, strict=False):
        values = [1 + 1 / s for s in range(begin + 1, last + 1)]
        assert mean == pytest.approx(sum(values) / len(values), rel=1e-4)
    assert curve.points(len(found)) == []


@pytest.mark.parametrize("record", [{}, {"a": 1}, {"text": "Größe 日"}])
def test_a_record_comes_back(tmp_path: Path, record: dict[str, object]) -> None:
    write_record(tmp_path / "job.json", record)
    assert read_json_object(tmp_path / "job.json") == record
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000])
def test_a_record_that_is_none_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text)
    assert read_json_object(tmp_path / "job.json") is None
    assert read_json_object(tmp_path / "none.json") is None


def test_an_item_of_nothing_but_brackets_is_a_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / "after.jsonl"
    path.write_text('{"split": "seen", "exact_match": true}\n' + "[" * 100_000 + "\n")
    with pytest.raises(PageError, match=r"after\.jsonl, line 2, is damaged"):
        ItemFiles().page(path, split="", outcome="", search="", page=1, size=10)
