"""Where the logs of trainings lie, and their rows."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

LOG_NAMES = ("metrics.jsonl", "curve.jsonl", "trainer_state.json")
"""Files that hold the curve of a training: of `shoal pretrain`, of other trainings of shoal, of transformers."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_MAX_DEPTH = 6
"""Folders below that of a run: its cells, arms and seeds lie within."""


def find_training_logs(path: str | os.PathLike[str]) -> dict[str, Path]:
    """The logs of a file or a folder, by name.

    Args:
        path: a log itself, the folder of a run, or that of a ``Trainer`` of transformers, of whose checkpoints the last
            one is taken, since it has the log of those before.

    Raises:
        DataError: there is none.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"there is no file or folder {path}; give the log or the run folder of a training")
        return {str(path): path}
    found: dict[Path, tuple[int, Path]] = {}
    for folder in _folders(path, _MAX_DEPTH):
        name = next((name for name in LOG_NAMES if (folder / name).is_file()), None)
        if name is None:
            continue
        checkpoint = re.fullmatch(r"checkpoint-(\d+)", folder.name)
        # The folder of the trainer stands for its checkpoints; a state of its own is the last of all.
        place = folder.parent if checkpoint and folder != path else folder
        number = int(checkpoint[1]) if checkpoint else 2**63
        if number > found.get(place, (-1, path))[0]:
            found[place] = (number, folder / name)
    if not found:
        raise DataError(f"{path} has no log of a training; expected {', '.join(LOG_NAMES)} in it or below")
    return {str(log): log for _, (_, log) in sorted(found.items())}


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """A folder and those below it; hidden ones and symbolic links are not followed."""
    yield folder
    if depth:
        for one in sorted(folder.iterdir()):
            if one.is_dir() and not one.is_symlink() and not one.name.startswith("."):
                yield from _folders(one, depth - 1)


def read_log_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a log.

    Args:
        path: CSV, TSV, JSON lines, a JSON list of objects, or ``trainer_state.json`` of transformers.

    Raises:
        DataError: it cannot be read as one of them.
    """
    try:
        # With a byte-order mark or without: spreadsheets write one.
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix in _DELIMITERS:
                # A row that was cut off, as the last one of a killed training is, has no loss, and not one of None.
                return list(csv.DictReader(file, delimiter=_DELIMITERS[path.suffix], restval=""))
            if path.suffix == ".json":
                held = json.load(file)
                rows = held.get("log_history") if isinstance(held, dict) else held
            else:
                rows = [json.loads(line) for line in file if line.strip()]
    # The last is of JSON that is nested deeper than Python reads.
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, RecursionError) as fault:
        raise DataError(f"{path} cannot be read as a log of a training: {fault}") from fault
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{path} cannot be read as a log of a training: expected objects, one a line or in a list (log_history)"
        )
    return rows
