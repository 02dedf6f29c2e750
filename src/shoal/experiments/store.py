"""The run folder: where each record stands, that it belongs to one experiment, and that one process writes it."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import tomli_w
from filelock import FileLock, Timeout

from shoal.errors import StoreError
from shoal.experiments.settings_file import differing, read_settings
from shoal.experiments.storage import disk_faults, read_json, write_json, write_text
from shoal.experiments.tables import as_table
from shoal.files import remove_partials

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.tables import SettingsTable

LOCK = ".lock"
"""The file that the process which works in a run folder holds locked."""

_MAX_SHOWN = 60
LOCK_TIMEOUT = 20.0
"""Seconds to wait for the workers of a killed run to notice that it is gone: each ends when its input does, but one in
the middle of a long call into torch may need some seconds for that."""


class RunStore:
    """One run folder, open for one process.

    Args:
        folder: the run folder; made where it does not exist.
        experiment: what runs in it; any frozen table of a file.
        plan: the file that keeps it.

    Raises:
        StoreError: the folder holds another experiment or other files, another process works in it, or it cannot be
            written.
    """

    lock: int
    """File descriptor of the folder's lock."""

    def __init__(self, folder: Path, experiment: SettingsTable, *, plan: str = "experiment.toml") -> None:
        self.folder = folder
        self._plan = plan
        self.is_new = False
        """Whether the experiment was begun by this call."""

        with disk_faults(folder):
            _refuse_foreign(folder, plan)
            folder.mkdir(parents=True, exist_ok=True)
            # Before anything is read: what another process is writing would look like damage.
            self._lock()
            # Under the lock: the partial files may be those of a run that is alive.
            _sweep(folder)
        try:
            self._claim(experiment)
        # Ctrl-C too: without the release a notebook would keep the folder locked until it ends.
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process work in the folder; its workers have ended before."""
        self._file_lock.release()

    def forget(self) -> None:
        """Leave the folder as it was found, where the experiment was begun by this call: it holds nothing else."""
        for entry in list(self.folder.iterdir()) if self.is_new else []:
            if entry.is_dir():
                shutil.rmtree(entry)
            # The lock is held: were its file gone, a second process could lock a new one of the same name.
            elif entry.name != LOCK:
                entry.unlink()

    def path(self, name: str) -> Path:
        """The file of this name in the folder."""
        return self.folder / name

    def unit(self, place: str) -> Path:
        """The folder of a unit of work."""
        return self.folder / place

    def is_done(self, place: str) -> bool:
        """Whether a unit of work is finished."""
        return (self.folder / place / "done.json").is_file()

    def read(self, name: str) -> Any:
        """A JSON file of the folder; None where it is absent."""
        return read_json(self.path(name)) if self.path(name).is_file() else None

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file of the folder.

        Args:
            name: of the file.
            value: plain values.
        """
        write_json(self.path(name), value)

    def add_timing(self, row: dict[str, Any]) -> None:
        """Append what took how long. A line that a kill cut short is ended first."""
        path = self.path("timings.jsonl")
        # Appended, and not written atomically as the other files: with thousands of jobs each would rewrite the whole.
        with disk_faults(self.folder), path.open("ab+") as file:
            # A row that was cut short would swallow the next one.
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    _drop_last_line(path)
            file.write(json.dumps(row).encode() + b"\n")

    def _lock(self) -> None:
        """Take the folder's lock. Workers inherit its descriptor, so that it is free when the last of them is gone."""

        def remember(descriptor: int) -> None:
            self.lock = descriptor

        # Not thread-local: a notebook may close a run from another thread than it was opened in.
        self._file_lock = FileLock(self.folder / LOCK, timeout=LOCK_TIMEOUT, thread_local=False, on_acquired=remember)
        try:
            self._file_lock.acquire()
        except Timeout:
            raise StoreError(
                f"another process runs an experiment in {self.folder}; wait for it, or give another folder with --out"
            ) from None

    def _claim(self, experiment: SettingsTable) -> None:
        plan = self.path(self._plan)
        wanted = as_table(experiment)
        if not plan.is_file():
            write_text(plan, tomli_w.dumps(wanted))
            self.is_new = True
            return
        held = read_settings(plan)
        if differences := differing(held, wanted):
            key, before, now = differences[0]
            more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
            raise StoreError(
                f"{self.folder} holds a run with {key} = {_shown(before)}, not {_shown(now)}{more}; "
                "give another folder with --out, or delete this one"
            )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _refuse_foreign(folder: Path, plan: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; a run needs a folder: give another one with --out")
    if folder.is_dir() and not (folder / plan).is_file():
        # Hidden files are left by editors and file managers, and by a run that got no further than its lock.
        others = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
        if others:
            raise StoreError(
                f"{folder} holds other files ({others[0]}, ...) and no run; give an empty or a new folder with --out"
            )


def _sweep(folder: Path) -> None:
    """Remove what a killed run was writing, and the checkpoints of trainings that are finished."""
    remove_partials(folder, deep=True)
    for done in folder.rglob("done.json"):
        shutil.rmtree(done.parent / "checkpoint", ignore_errors=True)


def _drop_last_line(path: Path) -> None:
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(whole.rfind(b"\n") + 1)
