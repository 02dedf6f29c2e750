"""The records of a training: its steps, scores and samples, and the result that is read from it.

They stand as JSON lines, and the same in one SQLite file. A training that is resumed after a kill first drops what was
written of steps that it repeats, so that each step stands once in both.
"""

from __future__ import annotations

import errno
import json
import math
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shoal.experiments.storage import disk_faults, read_json_rows, write_jsonl
from shoal.textfiles import finite
from shoal.wording import format_duration

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from shoal.training import CurvePoint, HeldOutCurve


TABLES: Mapping[str, tuple[str, ...]] = {
    "metrics": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds", "cpu_seconds"),
    "scores": ("step", "corpus", "bits_per_byte", "low", "high"),
    "samples": ("step", "prompt", "text"),
    "evaluations": ("step", "loss", "low", "high", "training_loss", "gap", "gap_low", "gap_high"),
    "events": ("step", "kind", "stream", "began", "value", "expected", "size", "text"),
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
        """Drop the rows of this step and later ones; the last row of the metrics that is left."""
        for file in self._files.values():
            file.close()
        self._files = {}
        metrics: list[dict[str, Any]] = []
        for name in TABLES:
            rows = [row for row in read_json_rows(self._folder / f"{name}.jsonl") if row["step"] < step]
            write_jsonl(self._folder / f"{name}.jsonl", rows)
            metrics = rows if name == "metrics" else metrics
            # The JSON lines are the truth, and SQLite's table is made of them, whatever a kill has left in it.
            self._rewrite(name, rows)
        return metrics[-1] if metrics else None

    def add(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to a table.

        Args:
            name: one of `TABLES`.
            rows: in order; a column that is missing is null in SQLite.
        """
        with disk_faults(self._folder):
            if name not in self._files:
                self._files[name] = (self._folder / f"{name}.jsonl").open("a", encoding="utf-8")
            for row in rows:
                self._files[name].write(json.dumps(finite(dict(row)), ensure_ascii=False) + "\n")
            # At once, so that a kill loses no step and a page under way sees the newest.
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
    """Turn what SQLite raises on a full disk into the `OSError` that other writers raise."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise OSError(errno.ENOSPC, str(error), str(folder / "records.sqlite")) from error
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutScore:
    """How well the model expects the held-out documents of one corpus."""

    bits_per_byte: float
    """Cross-entropy in bits per byte of UTF-8, end tokens included; the first token is predicted too."""

    low: float | None
    high: float | None
    """95% bootstrap interval over documents; None of five documents or fewer."""

    documents: int
    size: int
    """Bytes of the scored documents."""

    def interval(self, form: str, *, between: str = ", ") -> str:
        """The ends of the interval; empty where there is none.

        Args:
            form: format of a number, such as ``.4f``.
            between: what stands between the two.
        """
        return "" if self.low is None or self.high is None else f"{self.low:{form}}{between}{self.high:{form}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorised:
    """Prefixes whose true continuation is the model's greedy one, among training and among held-out texts."""

    training: int
    training_prefixes: int
    held_out: int
    held_out_prefixes: int
    prefix_tokens: int
    tokens: int
    """How many tokens had to be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainResult:
    """A model that has been trained, and what was measured of it."""

    folder: Path
    """The run folder; the model is in its ``model`` folder."""

    parameters: int
    tokens: int
    """Tokens that were trained on."""

    steps: int
    seconds: float
    """Wall-clock seconds of training, all parts of a resumed one counted."""

    cpu_seconds: float
    """CPU-seconds of training, likewise."""

    precision: str
    curve: tuple[CurvePoint, ...]
    held_out: Mapping[str, HeldOutScore]
    """By corpus; a corpus with nothing held out is missing."""

    memorised: Memorised | None

    held_out_curve: HeldOutCurve | None = None
    """The loss of all held-out documents and its gap to the training loss, in nats per token; with the step whose
    weights the model has, and from where on it overfits."""

    @property
    def model_step(self) -> int:
        """The step whose weights the model has: the last one, or the best."""
        return self.steps if self.held_out_curve is None else self.held_out_curve.returned_step

    @property
    def model(self) -> Path:
        """The folder that ``AutoModelForCausalLM.from_pretrained`` loads."""
        return self.folder / "model"

    @property
    def bits_per_byte(self) -> dict[str, float]:
        """Held-out bits per byte by corpus."""
        return {name: score.bits_per_byte for name, score in self.held_out.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the curve is left to its own file."""
        values = asdict(self)
        del values["curve"]
        return values | {"folder": str(self.folder), "model": str(self.model)}

    def to_frame(self) -> pd.DataFrame:
        """The curve: a row per step with loss, learning rate, gradient norm, and tokens so far."""
        import pandas as pd

        return pd.DataFrame([asdict(point) for point in self.curve])

    def __str__(self) -> str:
        lines = [
            f"{name}: {one.bits_per_byte:.4f} bits per byte{ends and f' [{ends}]'}, {one.documents} held out"
            for name, one in self.held_out.items()
            for ends in [one.interval(".4f")]
        ]
        if self.memorised is not None:
            found = self.memorised
            lines.append(
                f"memorised: {found.training} of {found.training_prefixes} training prefixes of {found.prefix_tokens} "
                f"tokens are continued word for word for {found.tokens}; {found.held_out} of "
                f"{found.held_out_prefixes} held-out ones"
            )
        if self.held_out_curve is not None:
            lines.append(str(self.held_out_curve))
        lines.append(
            f"{self.parameters:,} parameters, {self.tokens:,} tokens in {self.steps:,} steps, {self.precision}, "
            f"{format_duration(self.seconds)} ({format_duration(self.cpu_seconds)} of CPU)"
        )
        return "\n".join(lines)


def result_of(folder: str | os.PathLike[str], done: Mapping[str, Any]) -> PretrainResult:
    """The result of a run folder.

    Args:
        folder: in which the records lie.
        done: what its ``done.json`` holds.
    """
    from shoal.training import CurvePoint, held_out_curve_from

    folder = Path(folder)
    names = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
    parsed = {
        "held_out": {name: HeldOutScore(**score) for name, score in done["held_out"].items()},
        "memorised": None if done["memorised"] is None else Memorised(**done["memorised"]),
        # Runs of earlier versions have none.
        "held_out_curve": held_out_curve_from(found) if (found := done.get("held_out_curve")) is not None else None,
    }
    rows = read_json_rows(folder / "metrics.jsonl")
    # What is null was not finite.
    points: list[dict[str, Any]] = [
        {name: math.nan if row[name] is None else row[name] for name in names} for row in rows
    ]
    curve = tuple(CurvePoint(**point) for point in points)
    return PretrainResult(folder=folder, curve=curve, **(dict(done) | parsed))
