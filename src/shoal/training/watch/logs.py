"""The events of a training that is over, from its log."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.training.watch.watch import Watch

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from shoal.training.watch.events import WatchEvent

_LOSSES = ("loss", "train_loss", "train/loss")
_NORMS = ("gradient_norm", "grad_norm", "train/grad_norm")
_STEPS = ("step", "global_step", "_step")


def watch_log(path: str | os.PathLike[str], *, watch: Watch | None = None) -> list[WatchEvent]:
    """The events of a training, by its log.

    Args:
        path: ``metrics.jsonl`` of `shoal pretrain`, ``curve.jsonl`` of `shoal tune`, ``trainer_state.json`` of
            transformers, or any CSV or JSON-lines file with columns ``loss``, and if there are ``step`` and
            ``gradient_norm`` or ``grad_norm``.
        watch: with settings of its own; None for the usual ones.

    Raises:
        DataError: the file cannot be read, has no loss, or its steps go back.
    """
    path, watch = Path(path), watch or Watch()
    events: list[WatchEvent] = []
    rows = found = 0
    try:
        for rows, row in enumerate(_rows(path), start=1):
            loss, norm = _number(row, _LOSSES), _number(row, _NORMS)
            step = _number(row, _STEPS)
            found += loss is not None
            if loss is None and norm is None:
                continue
            number = rows - 1 if step is None else int(step)
            if number < watch.step:
                raise DataError(f"{path}: step {number} comes after step {watch.step}; give the log of one training")
            events += watch.observe(number, loss=loss, gradient_norm=norm)
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise DataError(f"{path} cannot be read as a log of a training: {fault}") from fault
    if not found:
        raise DataError(f"{path} has {rows} rows and no loss; expected a column {', '.join(_LOSSES)}")
    return events


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            yield from csv.DictReader(file)
        elif path.suffix == ".json":
            held = json.load(file)
            yield from held["log_history"] if isinstance(held, dict) and "log_history" in held else held
        else:
            for line in file:
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError(f"expected an object in each line, got {line.strip()[:40]!r}")
                    yield row


def _number(row: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """The number of the first column that there is; what is null was not finite."""
    for name in names:
        if name in row and row[name] != "":
            return math.nan if row[name] is None else float(row[name])
    return None
