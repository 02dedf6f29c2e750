"""The files that a run reads: one that is resumed reads the same, or is refused.

A plan names its files by paths, and so stays the same where a file is edited between two calls; the trainings before
the edit and those after it would then stand in one result.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.experiments.tables import as_table
from shoal.files import digest_of_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.experiments.store import RunStore
    from shoal.experiments.tables import SettingsTable

FILE = "inputs.json"
_FILES = ("source", "held_out_ids")
"""Keys whose value may be a path from the folder in which the process runs."""

_LONGEST = 4096
"""Characters of a path at most; a longer text is none."""


def keep_inputs(store: RunStore, plan: SettingsTable) -> None:
    """Write down what stands in the files that a new run reads; of one that is resumed, see that it is the same.

    A file that is gone is no fault here: what still needs it says so.

    Args:
        store: of the run.
        plan: that names the files.

    Raises:
        StoreError: a file has other contents than it had when the run was begun.
    """
    held = store.read(FILE)
    now = {str(path): digest_of_files(path) for path in _paths(as_table(plan))}
    if held is None:
        store.write(FILE, now)
        return
    changed = next((path for path, digest in held.items() if now.get(path, digest) != digest), None)
    if changed is not None:
        raise StoreError(
            f"{store.folder} holds a run that was begun with other contents of {changed}; put them back, or give "
            "another folder with --out"
        )


def _paths(value: Any, key: str = "") -> Iterator[Path]:
    """The files and folders that a table names."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _paths(one, name)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths(one, key)
    elif isinstance(value, str) and value and len(value) <= _LONGEST and "\0" not in value:
        path = Path(value)
        # Files of settings give absolute paths; a plan that was made in Python may name one from where it runs. A text
        # with a part that is longer than a name may be raises an OSError.
        with suppress(OSError):
            if (path.is_absolute() or key in _FILES) and path.resolve() != path.resolve().parent and path.exists():
                yield path
