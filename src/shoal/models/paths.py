"""Paths that a person gave."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.models.safety import refuse_pickle

if TYPE_CHECKING:
    from pathlib import Path


def check_file(path: Path) -> None:
    """Raise where a path is no file, or a pickle.

    Raises:
        ModelError: there is no such file; the message names the nearest.
        UnsafeModelError: it is a pickle, whatever its name says.
    """
    if not path.is_file():
        raise ModelError(f"there is no file {path}; {nearest_path(path)}")
    refuse_pickle(path)


def nearest_path(path: Path) -> str:
    """A hint for a path that does not exist: the nearest name beside it."""
    parent = path.parent
    while not parent.is_dir():
        path, parent = parent, parent.parent
    names = sorted(entry.name for entry in parent.iterdir())
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f"did you mean {parent / near[0]}?" if near else f"nothing in {parent} has a name like {path.name!r}"
