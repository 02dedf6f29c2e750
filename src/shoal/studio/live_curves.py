"""The curves of a run while it trains: read where they grew, thinned in windows that stay where they are.

A window holds the mean of ``width`` steps, and its borders are multiples of the width: a point that has been drawn
never moves. Where a curve outgrows `MAX_POINTS`, two neighbouring windows become one.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.training.watch import Watch

# About the width of a chart in pixels: more points could not be seen.
MAX_POINTS = 400
_MAX_FILES = 2000
"""Curves that are held in memory: fifty runs of forty trainings."""

_STEP = re.compile(r"^step [\d,]+: ")
_MAX_DETAILS = 8
"""Lines on the batch of an event: its name, three documents and three repeated n-grams are seven."""

_TAIL = 256
"""Bytes: the last line of a curve, with all digits of its loss."""

_CHUNK = 8_000_000
"""Bytes that one look reads at most, so that no request waits for a file of any size."""


@dataclass(slots=True)
class GrowingFile:
    """A file of JSON lines that is appended to, or written again when a training is resumed."""

    path: Path
    offset: int = 0
    inode: int = 0
    tail: bytes = b""
    """What stands before the offset: other bytes there are another file, however long it has grown."""

    generation: int = 0
    """How often it was written again; what was made from its lines before that is of no use."""

    def new_rows(self) -> list[dict[str, Any]]:
        """The whole lines that were not read before; damaged ones are left out."""
        try:
            with self.path.open("rb") as file:
                inode = self.path.stat().st_ino
                file.seek(self.offset - len(self.tail))
                # A resumed training cuts its curve back to the checkpoint, in place or by an atomic write.
                if inode != self.inode or file.read(len(self.tail)) != self.tail:
                    self.inode, self.offset, self.tail, self.generation = inode, 0, b"", self.generation + 1
                    file.seek(0)
                block = file.read(_CHUNK)
        except OSError:
            return []
        # A line that is being written is read with the next look.
        whole = block[: block.rfind(b"\n") + 1]
        self.offset += len(whole)
        self.tail = (self.tail + whole)[-_TAIL:]
        return [row for line in whole.splitlines() if (row := _row(line)) is not None]


@dataclass(slots=True)
class ThinnedCurve:
    """One curve in windows."""

    file: GrowingFile
    width: int = 1
    windows: list[tuple[int, float, int, int]] = field(default_factory=list)
    """Number of the window, sum of its values, how many, and the last step."""

    events: list[dict[str, Any]] = field(default_factory=list)
    """What a watch over the curve has seen, for trainings that write no events of their own."""

    _watch: Watch | None = None
    _generation: int = 0

    def update(self) -> None:
        """Read what was appended."""
        rows = self.file.new_rows()
        if self.file.generation != self._generation:
            self.width, self.windows, self._generation = 1, [], self.file.generation
            # Its statistics are of steps that were taken back.
            self.events, self._watch = [], None
        for row in rows:
            step, loss = row.get("step"), row.get("loss")
            if isinstance(step, int) and isinstance(loss, int | float) and loss == loss:
                # An infinite loss is an event, and no point of a curve: JSON has no word for it.
                if math.isfinite(loss):
                    self._add(step, float(loss))
                self._observe(step, float(loss), row.get("gradient_norm"))

    def points(self, begin: int) -> list[tuple[int, float]]:
        """The windows from one on as (last step, mean)."""
        return [(last, _rounded(total / count)) for _, total, count, last in self.windows[begin:]]

    def _add(self, step: int, value: float) -> None:
        # Steps count from 1, and the first window begins with the first step.
        place = (step - 1) // self.width
        if self.windows and self.windows[-1][0] == place:
            _, total, count, _ = self.windows[-1]
            self.windows[-1] = (place, total + value, count + 1, step)
        else:
            self.windows.append((place, value, 1, step))
        if len(self.windows) > MAX_POINTS:
            self._halve()

    def _observe(self, step: int, loss: float, norm: Any) -> None:
        from shoal.training.watch import Watch

        if self._watch is None:
            self._watch = Watch()
        # A file that was put together by hand may go back; a watch reads one training from its beginning.
        if step >= self._watch.step:
            known = float(norm) if isinstance(norm, int | float) else None
            seen = self._watch.observe(step, loss=loss, gradient_norm=known)
            self.events += [{"step": one.step, "kind": one.kind, "line": one.line()} for one in seen]

    def _halve(self) -> None:
        self.width *= 2
        merged: list[tuple[int, float, int, int]] = []
        for place, total, count, last in self.windows:
            # By the number and not in pairs: windows may be missing where no step was recorded.
            if merged and merged[-1][0] == place // 2:
                _, before, counted, _ = merged[-1]
                merged[-1] = (place // 2, before + total, counted + count, last)
            else:
                merged.append((place // 2, total, count, last))
        self.windows = merged


class LiveCurves:
    """The curves and events of runs, read on where they were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._curves: OrderedDict[Path, ThinnedCurve] = OrderedDict()
        self._events: OrderedDict[Path, tuple[GrowingFile, list[dict[str, Any]]]] = OrderedDict()

    def changes(self, folder: Path, cursor: str) -> dict[str, Any]:
        """What is new since a cursor.

        Args:
            folder: of a run.
            cursor: as the answer before gave it; empty for everything.

        Returns:
            ``cursor``; ``curves``, of which each has its name, the number of its first point, and its points, the last
            of which is of a window that is not full yet; ``events``, each with curve, step, kind and text, and at a
            spike with ``details``, lines on the documents of its batch.
        """
        known = _parsed(cursor)
        curves, events, place = [], [], {}
        with self._lock:
            for name, path in _curve_files(folder).items():
                curve = self._curve(path)
                curve.update()
                # The last window still grows, so that it is sent again with the next answer.
                full = max(0, len(curve.windows) - 1)
                place[name] = f"{curve.file.generation}.{curve.width}.{full}"
                begin = full_before if (full_before := _same(known.get(name), place[name])) is not None else 0
                if curve.windows and known.get(name) != f"{place[name]}.{curve.windows[-1][3]}":
                    curves.append({"name": name, "begin": begin, "points": curve.points(begin)})
                if curve.windows:
                    place[name] += f".{curve.windows[-1][3]}"
                file, found = self._events_of(path.with_name("events.jsonl"))
                # A training that writes no events of its own: those of the watch over its curve stand in for them.
                if not found:
                    file, found = curve.file, curve.events
                generation, _, seen = known.get(f"!{name}", "").partition(".")
                place[f"!{name}"] = f"{file.generation}.{len(found)}"
                same = generation == str(file.generation) and seen.isdecimal()
                events += [_event(name, row) for row in found[int(seen) if same else 0 :]]
        return {"cursor": json.dumps(place, separators=(",", ":")), "curves": curves, "events": events}

    def _curve(self, path: Path) -> ThinnedCurve:
        curve = self._curves.setdefault(path, ThinnedCurve(GrowingFile(path)))
        self._curves.move_to_end(path)
        while len(self._curves) > _MAX_FILES:
            self._curves.popitem(last=False)
        return curve

    def _events_of(self, path: Path) -> tuple[GrowingFile, list[dict[str, Any]]]:
        file, rows = self._events.setdefault(path, (GrowingFile(path), []))
        self._events.move_to_end(path)
        while len(self._events) > _MAX_FILES:
            self._events.popitem(last=False)
        generation = file.generation
        new = file.new_rows()
        if file.generation != generation:
            rows.clear()
        rows += new
        return file, rows


def _curve_files(folder: Path) -> dict[str, Path]:
    """The curves of a run by name, that of a pretraining or those of its arms and seeds."""
    found = {
        f"{path.parent.parent.name}, {path.parent.name.replace('-', ' ')}": path
        for path in sorted(folder.glob("arms/*/seed-*/curve.jsonl"))
        if not path.is_symlink()
    }
    single = folder / "metrics.jsonl"
    return found | ({"training": single} if single.is_file() and not single.is_symlink() else {})


def _parsed(cursor: str) -> Mapping[str, str]:
    try:
        found = json.loads(cursor) if cursor else {}
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _same(before: str | None, now: str) -> int | None:
    """The full windows that a client has of a curve; None where its windows are others by now."""
    if before is None:
        return None
    generation, width, full = [*before.split("."), "", "", ""][:3]
    if [generation, width] != now.split(".")[:2] or not full.isdecimal():
        return None
    return min(int(full), int(now.split(".")[2]))


def _event(curve: str, row: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(row.get("kind", "event"))
    text = str(row.get("text") or row.get("line") or f"{kind} in {row.get('stream', 'the training')}")
    # The line of `shoal.training.watch` begins with its step, which the page shows by itself.
    text = _STEP.sub("", text, count=1)
    # The batch of a spike stands below the line of the event in its text, a line for each document.
    text, *details = text.splitlines() or [""]
    event = {"curve": curve, "step": row.get("step"), "kind": kind, "text": text[:300]}
    return event | ({"details": [line.strip()[:300] for line in details[:_MAX_DETAILS]]} if details else {})


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
