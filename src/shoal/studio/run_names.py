"""Runs by name: the path of a run in the folder of runs, and nothing outside of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from shoal.reports import RUN_KINDS
from shoal.studio.page_error import PageError

if TYPE_CHECKING:
    from pathlib import Path

PLAN_KINDS = {kind.plan: kind.name for kind in RUN_KINDS}
"""The file by which a run folder is known, and what it holds."""

RESULT_FILES = ("verdict.json", "result.json", "done.json", "trials.jsonl", "report.json")
"""A run of any kind has one of them at its end: experiments, comparisons, pretrainings, sweeps, red-team loops."""

_MAX_NAME = 400


def run_address(name: str) -> str:
    """The address of a run's page.

    Args:
        name: its path in the folder of runs, with slashes.
    """
    # As a JSON pointer escapes them (RFC 6901), so that a name is one part of the address.
    return f"/runs/{quote(name.replace('~', '~0').replace('/', '~1'), safe='~')}/"


def name_of_part(part: str) -> str:
    """The name of a run from the part of its address."""
    return part.replace("~1", "/").replace("~0", "~")


def find_run(root: Path, name: str) -> Path:
    """The folder of a run.

    Args:
        root: the folder of runs.
        name: of the run, as a client gives it.

    Raises:
        PageError: the name leads outside of the folder or through a symbolic link, or there is no such run.
    """
    folder = inside(root, name)
    if not folder.is_dir() or not any((folder / plan).is_file() for plan in PLAN_KINDS):
        raise PageError(404, f"there is no run {name!r} in {root}; it may have been moved or deleted")
    return folder


def inside(root: Path, name: str) -> Path:
    """A path in the folder of runs that need not exist yet.

    Args:
        root: the folder of runs.
        name: the path in it, as a client gives it.

    Raises:
        PageError: it leads outside, or through a symbolic link.
    """
    parts = name.split("/")
    if len(name) > _MAX_NAME or any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        raise PageError(400, f"{name[:60]!r} is no name of a run; give a path in {root} without hidden parts")
    if not name.isprintable() or "\\" in name:
        raise PageError(400, "a name of a run has printable characters and no backslash")
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise PageError(403, f"{name!r} leads through the symbolic link {part!r}, which the studio does not follow")
    return path


def refuse_links(folder: Path) -> None:
    """Refuse a run folder that holds a symbolic link: what it points to is no part of the run.

    Raises:
        PageError: there is one.
    """
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)  # noqa: PTH118 - of thousands of files, where pathlib takes ten times as long
            if os.path.islink(path):  # noqa: PTH114
                link = os.path.relpath(path, folder)
                raise PageError(
                    403, f"{folder.name} holds the symbolic link {link}; the studio shows regular files alone"
                )


def tree_signature(folder: Path) -> tuple[int, int, int]:
    """What changes when a file of a run folder does: files, the sum of their sizes, and the newest change.

    Args:
        folder: of the run.
    """
    count = size = newest = 0
    for place, folders, files in os.walk(folder):
        # Checkpoints change without end, and no page shows them.
        folders[:] = [name for name in folders if name != "checkpoint"]
        for name in files:
            try:
                found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 - as above
            except OSError:
                continue
            count, size, newest = count + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return count, size, newest
