"""The run folder: where each record stands, that it belongs to one experiment, and that one process writes it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import tomllib
from typing import TYPE_CHECKING, Any, TypeGuard

from shoal.errors import StoreError
from shoal.experiments.toml import to_toml
from shoal.experiments.writing import disk_faults, read_json, read_jsonl, write_json, write_text
from shoal.files import remove_partials

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.table import Table

_LOCK = ".lock"
_LONGEST_TOLD = 60
_PATIENCE = 20.0
"""Seconds to wait for the workers of a killed run to notice that it is gone."""


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

    def __init__(self, folder: Path, experiment: Table, *, plan: str = "experiment.toml") -> None:
        self.folder = folder
        self._plan = plan
        self.is_new = False
        """Whether the experiment was begun by this call."""

        with disk_faults(folder):
            _refuse_foreign(folder, plan)
            folder.mkdir(parents=True, exist_ok=True)
            self.lock = _locked(folder)
            _sweep(folder)
        try:
            self._claim(experiment)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process work in the folder."""
        os.close(self.lock)

    def forget(self) -> None:
        """Leave the folder as it was found, where the experiment was begun by this call: it holds nothing else."""
        for entry in list(self.folder.iterdir()) if self.is_new else []:
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != _LOCK:
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

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a JSONL file of the folder."""
        return read_jsonl(self.path(name))

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file of the folder."""
        write_json(self.path(name), value)

    def add_timing(self, row: dict[str, Any]) -> None:
        """Append what took how long. A line that a kill cut short is ended first."""
        path = self.path("timings.jsonl")
        with disk_faults(self.folder), path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    _drop_last_line(path)
            file.write(json.dumps(row).encode() + b"\n")

    def _claim(self, experiment: Table) -> None:
        plan = self.path(self._plan)
        wanted = as_table(experiment)
        if not plan.is_file():
            write_text(plan, to_toml(wanted))
            self.is_new = True
            return
        held = read_table(plan)
        if differences := differing(held, wanted):
            key, before, now = differences[0]
            more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
            raise StoreError(
                f"{self.folder} holds a run with {key} = {_told(before)}, not {_told(now)}{more}; "
                "give another folder with --out, or delete this one"
            )


def as_table(experiment: Table) -> dict[str, Any]:
    """The experiment as the run folder keeps it: plain values, no None."""
    table: dict[str, Any] = experiment.model_dump(mode="json", exclude_none=True)
    return table


def differing(held: dict[str, Any], wanted: dict[str, Any], place: str = "") -> list[tuple[str, Any, Any]]:
    """The keys whose values differ, each with both values; None where one side lacks the key."""
    found: list[tuple[str, Any, Any]] = []
    for key in dict.fromkeys([*held, *wanted]):
        before, now = held.get(key), wanted.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            found += differing(before, now, f"{place}{key}.")
        elif _are_tables(before) and _are_tables(now) and len(before) == len(now):
            for number, (one, other) in enumerate(zip(before, now, strict=True)):
                found += differing(one, other, f"{place}{key}.{other.get('name', number)}.")
        elif before != now:
            found.append((f"{place}{key}", before, now))
    return found


def _are_tables(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}..."


def _refuse_foreign(folder: Path, plan: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; a run needs a folder: give another one with --out")
    if folder.is_dir() and not (folder / plan).is_file():
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


def _locked(folder: Path) -> int:
    """Take the folder's lock, which ends with this process and the workers that inherit it."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(handle)
                raise StoreError(
                    f"another process runs an experiment in {folder}; wait for it, or give another folder with --out"
                ) from None
            time.sleep(0.1)
        else:
            return handle


def read_table(plan: Path) -> dict[str, Any]:
    """The experiment of a run folder as plain values.

    Raises:
        StoreError: the file is damaged.
    """
    try:
        return tomllib.loads(plan.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{plan} is damaged ({error}); give another folder with --out, or delete this one") from error


def _drop_last_line(path: Path) -> None:
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(whole.rfind(b"\n") + 1)
