"""The index of runs: a table of SQLite that a thread keeps up to date, and that requests only read."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from shoal.studio.summary import RunSummary, find_runs, read_summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from shoal.studio.summary import FoundRun

# A page of a hundred rows is drawn in a fifth of a second, and still fits a few screens.
PAGE_SIZE = 100
SORTS = {
    "name": "name",
    "state": "state",
    "verdict": "verdict",
    "effect": "effect",
    "task": "task",
    "modified": "modified",
}
"""What runs can be sorted by."""

_COLUMNS = tuple(field.name for field in fields(RunSummary))
# Raised with every change of the columns or of what they hold: a file of another version is dropped and filled again.
_VERSION = 2
# Readers wait for the lock while a batch is written; a single commit at the end would show nothing for a first walk of
# 10,000 runs, which takes 44 seconds.
_BATCH = 500
# Seconds: a run that was just finished is seen within one or two of them in a small folder.
_MIN_PAUSE = 1.0
_PAUSE_RATIO = 20
"""A walk over very many runs on a slow disk takes a twentieth of the time at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs are listed, and in which order."""

    search: str = ""
    """Words that the name, the hypothesis, the task or the preset holds, in any case."""

    state: str = ""
    verdict: str = ""
    kind: str = ""
    sort: str = "modified"
    descending: bool = True
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """One page of the runs."""

    runs: tuple[RunSummary, ...]
    matching: int
    total: int
    page: int
    pages: int
    counts: Mapping[str, Mapping[str, int]]
    """Of all runs: from a column (state, verdict, kind) and a value to a number."""


class RunIndex:
    """Summaries of all runs in a folder.

    Args:
        root: the folder of runs.
        file: the SQLite file; None for memory.
    """

    def __init__(self, root: Path, file: Path | None) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._base = self._open(file)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.complete = False
        """Whether all runs have been looked at once since the start."""

    def start(self) -> None:
        """Keep the index up to date on a thread, until `stop`."""
        self._thread = threading.Thread(target=self._keep_fresh, name="run index", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the file."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(30)
        with self._lock:
            self._base.close()

    def refresh(self) -> None:
        """Look at all folders once, and read those that have changed."""
        # Of all runs in one statement: 10,000 short texts, where a query for each folder would hold the lock 10,000
        # times.
        held = dict(self._rows("SELECT name, stamp || state FROM runs"))
        seen: set[str] = set()
        batch: list[tuple[FoundRun, RunSummary]] = []
        for found in find_runs(self._root):
            seen.add(found.name)
            # A run is locked and released without a change of its records, so that one under way is read each time.
            if held.get(found.name) not in (f"{found.stamp}finished", f"{found.stamp}damaged"):
                batch.append((found, read_summary(found)))
            if len(batch) >= _BATCH:
                self._write(batch)
                batch = []
            # Before `_forget`: a walk that was broken off has not seen the rest, which is not gone.
            if self._stopped.is_set():
                return
        self._write(batch)
        self._forget(held.keys() - seen)
        self.complete = True

    def find(self, query: RunQuery) -> RunList:
        """The runs of a query."""
        where, values = _where(query)
        column = SORTS.get(query.sort, "modified")
        # Runs without a value come last either way; the name makes the order a total one, or pages would overlap.
        order = f"{column} IS NULL OR {column} = '', {column} {'DESC' if query.descending else 'ASC'}, name"
        matching = int(self._rows(f"SELECT COUNT(*) FROM runs {where}", values)[0][0])
        pages = max(1, -(-matching // PAGE_SIZE))
        page = min(max(1, query.page), pages)
        rows = self._rows(
            f"SELECT {', '.join(_COLUMNS)} FROM runs {where} ORDER BY {order} LIMIT ? OFFSET ?",
            (*values, PAGE_SIZE, (page - 1) * PAGE_SIZE),
        )
        counts = {
            column: dict(self._rows(f"SELECT {column}, COUNT(*) FROM runs GROUP BY {column} HAVING {column} > ''"))
            for column in ("state", "verdict", "kind")
        }
        counts["verdict"] = _of_single_words(counts["verdict"])
        return RunList(
            runs=tuple(RunSummary(**dict(zip(_COLUMNS, row, strict=True))) for row in rows),
            matching=matching,
            total=sum(counts["state"].values()),
            page=page,
            pages=pages,
            counts=counts,
        )

    def _keep_fresh(self) -> None:
        while not self._stopped.is_set():
            begun = time.monotonic()
            # A disk that is full for a moment: pages show what was found before, and the next walk tries again.
            with suppress(sqlite3.OperationalError, OSError):
                self.refresh()
            self._stopped.wait(max(_MIN_PAUSE, _PAUSE_RATIO * (time.monotonic() - begun)))

    def _open(self, file: Path | None) -> sqlite3.Connection:
        try:
            return self._prepared(file)
        except sqlite3.DatabaseError:
            if file is None:
                raise
            # It holds nothing that the run folders do not: a damaged one is made again.
            file.unlink(missing_ok=True)
            return self._prepared(file)

    @staticmethod
    def _prepared(file: Path | None) -> sqlite3.Connection:
        # The thread of the index writes and those of requests read by one connection; `_lock` serializes them.
        base = sqlite3.connect(":memory:" if file is None else file, check_same_thread=False)
        # LIKE takes capitals and small letters for the same in ASCII alone.
        base.create_function("folded", 1, str.casefold, deterministic=True)
        (version,) = base.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            base.execute("DROP TABLE IF EXISTS runs")
        base.execute("PRAGMA journal_mode = WAL")
        # No fsync: after a power cut the index may be damaged, and is then made again from the run folders.
        base.execute("PRAGMA synchronous = OFF")
        base.execute(f"PRAGMA user_version = {_VERSION}")
        base.execute(f"CREATE TABLE IF NOT EXISTS runs ({', '.join(_COLUMNS)}, stamp, PRIMARY KEY (name))")
        for column in ("modified", "state", "verdict", "effect"):
            base.execute(f"CREATE INDEX IF NOT EXISTS runs_{column} ON runs ({column})")
        base.commit()
        return base

    def _rows(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, closing(self._base.execute(statement, tuple(values))) as found:
            return found.fetchall()

    def _write(self, batch: list[tuple[FoundRun, RunSummary]]) -> None:
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        rows = [(*(getattr(summary, name) for name in _COLUMNS), found.stamp) for found, summary in batch]
        with self._lock, self._base:
            self._base.executemany(f"INSERT OR REPLACE INTO runs VALUES ({marks})", rows)

    def _forget(self, names: Iterable[str]) -> None:
        with self._lock, self._base:
            self._base.executemany("DELETE FROM runs WHERE name = ?", [(name,) for name in names])


def _of_single_words(counts: Mapping[str, int]) -> dict[str, int]:
    """Runs by verdict, from runs by all verdicts of a run: one with several kinds counts for each of them once."""
    found: Counter[str] = Counter()
    for verdicts, runs in counts.items():
        found.update(dict.fromkeys(verdicts.split(", "), runs))
    return found


def _where(query: RunQuery) -> tuple[str, tuple[str, ...]]:
    """The condition of a query; every value is bound, and none is a part of the statement."""
    parts, values = [], []
    for word in query.search.split():
        text = "name || ' ' || hypothesis || ' ' || task || ' ' || preset"
        if word.isascii():
            parts.append(f"({text}) LIKE ? ESCAPE '!'")
            values.append("%" + "".join(f"!{letter}" if letter in "!%_" else letter for letter in word) + "%")
        else:
            parts.append(f"instr(folded({text}), ?) > 0")
            values.append(word.casefold())
    for column in ("state", "kind"):
        if value := getattr(query, column):
            parts.append(f"{column} = ?")
            values.append(value)
    if query.verdict:
        # A run with several claims has several; no word of a verdict holds another one.
        parts.append("instr(verdict, ?) > 0")
        values.append(query.verdict)
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), tuple(values)
