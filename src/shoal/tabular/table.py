"""A table as it was read: its columns, what was assumed to read it, and on which line a row stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tabular.cells import Column, UnlikeCellError, read_column

if TYPE_CHECKING:
    from shoal.tabular.delimited import Text


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
    text: Text | None = None
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
                # Where semicolons part cells, commas are free to be decimal.
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
