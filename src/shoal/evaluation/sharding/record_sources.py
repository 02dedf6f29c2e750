"""Where a merge finds the records of a block: a file in the order of the plan, or one in any order with an index."""

from __future__ import annotations

import sqlite3
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from shoal.errors import StoreError
from shoal.evaluation.sharding.shard_files import RecordReader, id_of_line, whole_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 5
"""Items that a source names of what no block has taken."""

_NUMBERS = count()


class OutOfOrder(Exception):  # noqa: N818 (it is caught within this file, and is no error)
    """A file is not in the order of the plan."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class RecordSource(Protocol):
    """Where the records of a block may stand."""

    def take(self, items: Sequence[str]) -> list[bytes | None]:
        """The line of each item; None where there is none."""

    def leftover(self) -> list[str]:
        """Ids, or lines, that no block has taken."""

    def close(self) -> None:
        """Close the file."""


class InOrderSource:
    """A file in the order of the plan.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: RecordReader | None = None

    def take(self, items: Sequence[str]) -> list[bytes | None]:
        """The next lines.

        Raises:
            OutOfOrder: they are of other items.
        """
        if self._reader is None:  # opened when its turn comes: there may be more shards than files may be open
            self._reader = RecordReader(self._path)
        lines = self._reader.take(items)
        if lines is None:
            raise OutOfOrder(self._path)
        return [*lines, *[None] * (len(items) - len(lines))]

    def leftover(self) -> list[str]:
        """Nothing.

        Raises:
            OutOfOrder: lines are left.
        """
        if self._reader is None:
            self._reader = RecordReader(self._path)
        if self._reader.rest():
            raise OutOfOrder(self._path)
        return []

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._reader is not None:
            self._reader.close()


class IndexedSource:
    """A file in any order, with an index of its lines by id in a temporary file.

    Args:
        path: the file.
        folder: for the index.
    """

    def __init__(self, path: Path, folder: str) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("rb")
        self._index = sqlite3.connect(Path(folder) / f"{next(_NUMBERS)}.sqlite")
        self.doubled = 0
        """Records that stand in the file twice, and are equal."""

    def build(self) -> None:
        """Read the file once.

        Raises:
            StoreError: a line is no record, or two records of one item differ.
        """
        # Nothing that a crash leaves of a temporary index is ever read, so that nothing is journalled.
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("PRAGMA synchronous = OFF")
        self._index.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, place INTEGER, taken INTEGER) WITHOUT ROWID")
        for place, line in whole_lines(self._path):
            self._add(place, line)

    def _add(self, place: int, line: bytes) -> None:
        item = id_of_line(line)
        if item is None:
            raise StoreError(f"{self._path} has a line that is no record, at byte {place:,}: {line[:60]!r}")
        try:
            self._index.execute("INSERT INTO lines VALUES (?, ?, 0)", (item, place))
        except sqlite3.IntegrityError:
            if self._line(item) != line:
                raise StoreError(
                    f"{self._path} has two different records of the item {item}; run its shard again"
                ) from None
            self.doubled += 1

    def _line(self, item: str) -> bytes | None:
        found = self._index.execute("SELECT place FROM lines WHERE id = ?", (item,)).fetchone()
        if found is None:
            return None
        self._file.seek(found[0])
        return self._file.readline()

    def take(self, items: Sequence[str]) -> list[bytes | None]:
        """The lines by id, each read from its place."""
        self._index.executemany("UPDATE lines SET taken = 1 WHERE id = ?", [(item,) for item in items])
        return [self._line(item) for item in items]

    def leftover(self) -> list[str]:
        """The first ids that no block has taken."""
        return [row[0] for row in self._index.execute(f"SELECT id FROM lines WHERE NOT taken LIMIT {_SHOWN}")]

    def close(self) -> None:
        """Close the file and its index."""
        self._file.close()
        self._index.close()
