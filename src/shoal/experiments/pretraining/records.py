"""What a training wrote down of its steps, scores and samples: JSON lines, and the same in one SQLite file.

A training that goes on after a kill first drops what was written of steps that it does again, so that each step stands
once in both.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from shoal.experiments.storage import disk_faults, finite, read_json_rows, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TABLES: Mapping[str, tuple[str, ...]] = {
    "metrics": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds", "cpu_seconds"),
    "scores": ("step", "corpus", "bits_per_byte", "low", "high"),
    "samples": ("step", "prompt", "text"),
}


class Records:
    """The records of a run folder, open for writing; a context manager.

    Raises:
        StoreError: the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        self._base: sqlite3.Connection | None = None

    def __enter__(self) -> Records:
        with disk_faults(self._folder), _as_disk_fault(self._folder):
            self._base = sqlite3.connect(self._folder / "records.sqlite")
            # A killed process loses nothing; that the machine may not fail either is left to the JSON lines.
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = OFF")
            for name, columns in TABLES.items():
                self._base.execute(f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)})")
                self._base.execute(f"CREATE INDEX IF NOT EXISTS {name}_step ON {name} (step)")
            self._base.commit()
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}
        if self._base is not None:
            self._base.close()

    def forget_from(self, step: int) -> dict[str, Any] | None:
        """Drop what was written of this step and later ones; the last row of the metrics that is left."""
        for file in self._files.values():
            file.close()
        self._files = {}
        kept: list[dict[str, Any]] = []
        for name in TABLES:
            rows = [row for row in read_json_rows(self._folder / f"{name}.jsonl") if row["step"] < step]
            write_jsonl(self._folder / f"{name}.jsonl", rows)
            kept = rows if name == "metrics" else kept
            self._rewrite(name, rows)
        return kept[-1] if kept else None

    def add(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to a table."""
        with disk_faults(self._folder):
            if name not in self._files:
                self._files[name] = (self._folder / f"{name}.jsonl").open("a", encoding="utf-8")
            for row in rows:
                self._files[name].write(json.dumps(finite(dict(row)), ensure_ascii=False) + "\n")
            self._files[name].flush()
        self._insert(name, rows)

    def _rewrite(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with disk_faults(self._folder), _as_disk_fault(self._folder):
            self._opened.execute(f"DELETE FROM {name}")
        self._insert(name, rows)

    def _insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = TABLES[name]
        marks = ", ".join("?" * len(columns))
        values = [tuple(finite(row.get(key)) for key in columns) for row in rows]
        with disk_faults(self._folder), _as_disk_fault(self._folder):
            self._opened.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
            self._opened.commit()

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._base is None:
            raise RuntimeError("the records are not open")
        return self._base


@contextmanager
def _as_disk_fault(folder: Path) -> Iterator[None]:
    """SQLite says that the disk is full in words of its own."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise OSError(errno.ENOSPC, str(error), str(folder / "records.sqlite")) from error
        raise
