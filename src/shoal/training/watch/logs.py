"""The events of a training that is over, from its log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from shoal.errors import DataError
from shoal.training.watch.log_files import read_log_rows
from shoal.training.watch.watch import Watch
from shoal.wording import format_duration, plural

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

    from shoal.training.watch.events import WatchEvent

_LOSSES = ("loss", "train_loss", "train/loss")
_NORMS = ("gradient_norm", "grad_norm", "train/grad_norm")
_STEPS = ("step", "global_step", "_step", "train/global_step")
_TIMES = ("seconds", "_runtime", "wall_time", "_timestamp", "timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvents(Sequence["WatchEvent"]):
    """The events of a training that is over, in the order of its steps, and the curve that they were seen in."""

    name: str = field(compare=False)
    """Of the log."""

    events: tuple[WatchEvent, ...]
    steps: tuple[int, ...] = field(repr=False)
    losses: tuple[float, ...] = field(repr=False)
    """One per step, in the log's unit; not finite where a loss was not, or is unknown."""

    seconds: tuple[float, ...] | None = field(repr=False)
    """Since the first step, where the log has times."""

    has_steps: bool = True
    """Whether the log numbers its steps; otherwise its rows are counted from 0."""

    def __len__(self) -> int:
        return len(self.events)

    @overload
    def __getitem__(self, place: int) -> WatchEvent: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[WatchEvent, ...]: ...

    def __getitem__(self, place: int | slice) -> WatchEvent | tuple[WatchEvent, ...]:
        return self.events[place]

    def seconds_of(self, event: WatchEvent) -> float | None:
        """How long after the first step an event was; None where the log has no times."""
        if self.seconds is None:
            return None
        found = self.seconds[self.steps.index(event.step)]
        return found if math.isfinite(found) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the curve."""
        rows = [event.to_dict() | {"seconds": self.seconds_of(event)} for event in self.events]
        return {
            "log": self.name,
            "steps": len(self.steps),
            "first_step": self.steps[0],
            "last_step": self.steps[-1],
            "has_steps": self.has_steps,
            "events": rows,
        }

    def to_frame(self) -> pd.DataFrame:
        """The events: a row each."""
        import pandas as pd

        columns = ["step", "kind", "stream", "began", "value", "expected", "size", "seconds"]
        rows = [event.to_dict() | {"seconds": self.seconds_of(event)} for event in self.events]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        span = f"{plural(len(self.steps), 'step')} ({self.steps[0]:,} to {self.steps[-1]:,})"
        lines = [f"{self.name}: {span}, {plural(len(self.events), 'event')}"]
        for event in self.events:
            seconds = self.seconds_of(event)
            after = "" if seconds is None else f" [after {format_duration(seconds)}]"
            line, _, batch = str(event).partition("\n")
            lines += [f"  {line}{after}", *(f"    {row}" for row in batch.splitlines())]
        return "\n".join(lines)


def watch_log(path: str | os.PathLike[str], *, watch: Watch | None = None, name: str | None = None) -> LogEvents:
    """The events of a training, by its log.

    Args:
        path: ``metrics.jsonl`` of `shoal pretrain`, ``curve.jsonl`` of `shoal tune`, ``trainer_state.json`` of
            transformers, or any CSV, TSV or JSON-lines file with a column ``loss``, and if there are ``step``,
            ``gradient_norm`` or ``grad_norm``, and ``seconds`` or ``timestamp``, in seconds or as dates of ISO 8601.
        watch: with settings of its own; None for the usual ones.
        name: of the log; by default its path.

    Raises:
        DataError: the file cannot be read, has no loss, or its steps are no whole numbers of 0 or more, or go back.
    """
    path, watch = Path(path), watch or Watch()
    rows = read_log_rows(path)
    loss_column, norm_column = _column(rows, _LOSSES), _column(rows, _NORMS)
    step_column, time_column = _column(rows, _STEPS), _column(rows, _TIMES)
    if loss_column is None:
        what = f"has {plural(len(rows), 'row')} and no loss" if rows else "is empty"
        raise DataError(f"{path} {what}; expected rows with a column {', '.join(_LOSSES)}")
    events: list[WatchEvent] = []
    steps: list[int] = []
    losses: list[float] = []
    seconds: list[float] = []
    for place, row in enumerate(rows):
        where = f"{path}, row {place + 1}"
        loss, norm = _number(row, loss_column, where), _number(row, norm_column, where)
        if loss is None and norm is None:
            # Of an evaluation, or the summary that transformers writes at the end.
            continue
        step = place if step_column is None else _step(row, step_column, where)
        if step < watch.step:
            raise DataError(
                f"{where}: step {step} comes after step {watch.step}; give the log of one training, in its order"
            )
        events += watch.observe(step, loss=loss, gradient_norm=norm)
        steps.append(step)
        losses.append(math.nan if loss is None else loss)
        time = _time(row, time_column, where)
        seconds.append(math.nan if time is None else time)
    if not steps:
        raise DataError(f"{path}: no row has a value of {loss_column}; give the log of a training that made a step")
    begun = next((time for time in seconds if math.isfinite(time)), None)
    return LogEvents(
        name=name or str(path),
        events=tuple(events),
        steps=tuple(steps),
        losses=tuple(losses),
        seconds=None if begun is None else tuple(time - begun for time in seconds),
        has_steps=step_column is not None,
    )


def _column(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """The first of some columns that a row has: one for the whole log.

    Row by row another would do: transformers ends its log with the mean loss of the training as ``train_loss``.
    """
    return next((name for name in names if any(name in row for row in rows)), None)


def _number(row: Mapping[str, Any], column: str | None, where: str) -> float | None:
    """The number of a column, where the row has it; what is null was not finite."""
    if column is None or row.get(column, "") == "":
        return None
    value = row[column]
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError):
        raise DataError(f"{where}: {column} must be a number, not {str(value)[:40]!r}") from None


def _time(row: Mapping[str, Any], column: str | None, where: str) -> float | None:
    """Seconds, as a number or as a date with its time of day; without a zone all are of one."""
    value = None if column is None else row.get(column)
    if not isinstance(value, str) or not value.strip():
        return _number(row, column, where)
    try:
        return float(value)
    except ValueError:
        pass
    try:
        date = datetime.fromisoformat(value.strip())
    except ValueError:
        raise DataError(f"{where}: {column} must be seconds or a date of ISO 8601, not {value[:40]!r}") from None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _step(row: Mapping[str, Any], column: str, where: str) -> int:
    number = _number(row, column, where)
    if number is None or not math.isfinite(number) or number != int(number) or number < 0:
        raise DataError(f"{where}: {column} must be a whole number of 0 or more, not {row.get(column)!r}")
    return int(number)
