"""Files and folders that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoal.files import whole_file, whole_folder


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with whole_file(target) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_fault_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_file(target) as partial:
        partial.write_text("ne\ud800", encoding="utf-8")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_replaces_an_older_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    for name in ("first", "second"):
        with whole_folder(target) as fresh:
            (fresh / name).write_text(name)
        assert [path.name for path in target.iterdir()] == [name]
    assert list(target.parent.iterdir()) == [target]


def test_a_fault_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with whole_folder(target) as fresh:
        (fresh / "first").write_text("1")
    with pytest.raises(UnicodeEncodeError), whole_folder(target) as fresh:
        (fresh / "second").write_text("2\ud800", encoding="utf-8")
    assert [path.name for path in target.iterdir()] == ["first"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_take_the_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    with whole_folder(target) as fresh:
        (fresh / "first").write_text("1")
    real = Path.rename

    def refused(self: Path, place: Path) -> Path:
        if self.name == "new":
            raise OSError("no")
        return real(self, place)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OSError, match="no"), whole_folder(target) as fresh:
        (fresh / "second").write_text("2")
    assert [path.name for path in target.iterdir()] == ["first"]
