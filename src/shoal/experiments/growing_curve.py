"""The curve of a training under way: a line per step, whole after a kill."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from shoal.experiments.storage import disk_faults, finite, read_json_rows, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.training import CurvePoint
    from shoal.training.watch import WatchEvent


class GrowingCurve:
    """A JSONL file to which the points of a training are appended; a context manager.

    A training that is resumed repeats the steps behind its last checkpoint: their lines, and one that was cut short,
    are dropped when its first point comes.

    Args:
        path: of the file; its folder is made where it does not exist.
        as_row: gives what is written of a point.
    """

    def __init__(self, path: Path, as_row: Callable[[Any], dict[str, Any]] = asdict) -> None:
        self._path, self._as_row = path, as_row
        self._file: IO[str] | None = None

    def __enter__(self) -> GrowingCurve:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, point: CurvePoint | WatchEvent) -> None:
        """Append a point.

        Raises:
            StoreError: the disk is full.
        """
        with disk_faults(self._path.parent):
            if self._file is None:
                rows = read_json_rows(self._path)
                write_jsonl(self._path, [row for row in rows if row["step"] < point.step])
                self._file = self._path.open("a", encoding="utf-8")
            self._file.write(json.dumps(finite(self._as_row(point)), ensure_ascii=False) + "\n")
            # At once, so that a reader sees whole lines and a kill loses none.
            self._file.flush()
