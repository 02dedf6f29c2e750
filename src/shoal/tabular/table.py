"""A table as it was read: its columns, what was assumed to read it, and on which line a row stands."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tabular.cells import Column, UnlikeCellError, read_column
from shoal.tabular.dialect import BLANKS, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.tabular.dialect import Dialect


ALONE = "\x1f"
"""A delimiter that no text holds, for lines of one cell."""

COMMENT = re.compile(r"#(?!N/A|VALUE!|DIV/0!|REF!|NAME\?|NUM!|NULL!)")
"""How a comment begins, as the errors of a spreadsheet do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """A table of text, and where its rows stand in it."""

    source: str
    """What it is called in messages."""
    whole: bytes
    """All of it: UTF-8 whose lines end with a line feed."""
    above: int
    """Lines above the first row."""
    dialect: Dialect
    comments: bool
    """Whether lines that begin with # are left out."""

    @property
    def body(self) -> bytes:
        """The rows."""
        return lines_below(self.whole, self.above)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The line and the cells of each row; slow, for messages alone."""
        lines = enumerate(self.whole.decode("utf-8").split("\n")[self.above :], self.above + 1)
        kept = ((number, line) for number, line in lines if not (self.comments and COMMENT.match(line)))
        if self.dialect.width == 1 or self.dialect.delimiter == BLANKS:
            for number, line in kept:
                if self.dialect.width == 1 or line.strip():
                    yield number, split([line], self.dialect.delimiter)[0]
            return
        begins: list[int] = []
        delimiter = self.dialect.delimiter or ALONE
        reader = csv.reader((_noted(begins, number, line) for number, line in kept), delimiter=delimiter)
        done = 0
        for cells in reader:
            if len(cells) > 1 or any(map(str.strip, cells)):
                yield begins[done], cells
            # A quoted cell may span lines, so the reader's own count says on which line the next row begins.
            done = reader.line_num


@dataclass(kw_only=True)
class Table:
    """Columns of one length with distinct names."""

    source: str
    """What it was read from, as messages call it."""
    arrow: Any
    """A pyarrow table: strings of a text table, types of Parquet and JSON."""
    index: str | None = None
    """The column that the file itself says is its index."""
    notes: list[str] = field(default_factory=list)
    """What was assumed: lines skipped, a header taken."""
    text: TextSource | None = None
    """The lines of a text table."""

    @property
    def names(self) -> list[str]:
        """The names of the columns in order."""
        return list(self.arrow.column_names)

    @property
    def length(self) -> int:
        """The number of rows."""
        return int(self.arrow.num_rows)

    @cached_property
    def _read(self) -> dict[str, Column | DataError]:
        return {}

    def column(self, name: str) -> Column:
        """A column, read as what its cells are.

        Args:
            name: One of ``names``.

        Raises:
            DataError: Most of its cells are numbers or dates and some are not, or it holds neither numbers nor text.
        """
        if name not in self._read:
            try:
                # Where semicolons separate cells, commas are free to be decimal.
                comma = self.text is not None and self.text.dialect.delimiter == ";"
                self._read[name] = read_column(name, self.arrow.column(self.names.index(name)), comma=comma)
            except UnlikeCellError as fault:
                self._read[name] = DataError(f"{fault}{self._where(fault.row)}")
            except DataError as fault:
                self._read[name] = fault
        found = self._read[name]
        if isinstance(found, DataError):
            raise found
        return found

    def _where(self, row: int) -> str:
        """On which line of a text table a row stands."""
        if self.text is None:
            return ""
        line = next((number for k, (number, _) in enumerate(self.text.records()) if k == row), None)
        return "" if line is None else f" (line {line})"


def lines_below(data: bytes, lines: int) -> bytes:
    """What stands below the first lines.

    Args:
        data: Text with plain line ends.
        lines: How many are left out.
    """
    place = 0
    for _ in range(lines):
        place = data.find(b"\n", place) + 1 or len(data)
    return data[place:]


def _noted(begins: list[int], number: int, line: str) -> str:
    """A line with its end, its number noted on the way."""
    begins.append(number)
    return line + "\n"
