"""Atomic writes of files and folders, also where the process is killed; the cache folder; digests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shoal.files import atomic_file, atomic_folder, cache_folder, digest_of_files

KILLED = """
import os, signal, sys
from pathlib import Path
from shoal.files import {writer}
with {writer}(Path(sys.argv[1])) as partial:
    ({target}).write_text("half of the new")
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""A process that is killed after it has written and before the rename."""


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_file(target) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_fault_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_file(target) as partial:
        partial.write_text("ne\ud800", encoding="utf-8")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_replaces_an_older_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    for name in ("first", "second"):
        with atomic_folder(target) as fresh:
            (fresh / name).write_text(name)
        assert [path.name for path in target.iterdir()] == [name]
    assert list(target.parent.iterdir()) == [target]


def test_a_fault_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with atomic_folder(target) as fresh:
        (fresh / "first").write_text("1")
    with pytest.raises(UnicodeEncodeError), atomic_folder(target) as fresh:
        (fresh / "second").write_text("2\ud800", encoding="utf-8")
    assert [path.name for path in target.iterdir()] == ["first"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_take_the_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    with atomic_folder(target) as fresh:
        (fresh / "first").write_text("1")
    real = Path.rename

    def refused(self: Path, place: Path) -> Path:
        if self.name == "new":
            raise OSError("no")
        return real(self, place)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OSError, match="no"), atomic_folder(target) as fresh:
        (fresh / "second").write_text("2")
    assert [path.name for path in target.iterdir()] == ["first"]


@pytest.mark.parametrize(
    ("writer", "target", "kept"),
    [("atomic_file", "partial", "thing"), ("atomic_folder", "partial / 'a.txt'", "thing/a.txt")],
)
def test_a_process_killed_before_the_rename_leaves_the_old_state(
    tmp_path: Path, writer: str, target: str, kept: str
) -> None:
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("old")
    code = KILLED.format(writer=writer, target=target)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "thing")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / kept).read_text() == "old"
    left = [path.name for path in tmp_path.iterdir() if path.name != "thing"]
    assert len(left) == 1
    assert left[0].startswith(".thing.")


def test_a_durable_write_reaches_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    order: list[str] = []
    real = Path.replace
    monkeypatch.setattr(os, "fsync", lambda _handle: order.append("fsync"))
    monkeypatch.setattr(Path, "replace", lambda self, place: order.append("rename") or real(self, place))
    with atomic_file(target, durable=True) as partial:
        partial.write_text("new")
    assert order == ["fsync", "rename"]


def test_a_fault_of_the_disk_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    target = tmp_path / "none" / "a.txt"
    with pytest.raises(FileNotFoundError) as raised, atomic_file(target) as partial:
        partial.write_text("new")
    assert raised.value.filename == str(target)


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "home/.cache/shoal/a/b"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/shoal/a/b"),
        ({"XDG_CACHE_HOME": "xdg", "SHOAL_CACHE": "own"}, "own/a/b"),
        ({"SHOAL_CACHE": "~/own"}, "home/own/a/b"),
    ],
)
def test_the_cache_lies_where_the_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "SHOAL_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value if value.startswith("~") else str(tmp_path / value))
    assert cache_folder("a", "b") == tmp_path / folder


def test_a_digest_depends_on_names_and_content(tmp_path: Path) -> None:
    for folder, name, text in (("one", "a", "1"), ("two", "a", "1"), ("three", "b", "1"), ("four", "a", "2")):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep" / name).write_text(text)
    one, two, three, four = (digest_of_files(tmp_path / folder) for folder in ("one", "two", "three", "four"))
    assert one == two
    assert len({one, three, four}) == 3
    assert len(one) == 64
    assert digest_of_files(tmp_path / "one" / "deep" / "a") == digest_of_files(tmp_path / "two" / "deep" / "a")
