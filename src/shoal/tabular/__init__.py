"""Tables of files and pipes, read as columns of numbers, dates or words.

Arrow reads the rows. What it does not do is here: finding how a text table is laid out, reading numbers as
people write them, and knowing on which line a row stands. Whatever cannot be read is refused in one line.
"""

from __future__ import annotations

from shoal.tabular.cells import Column, Kind
from shoal.tabular.reading import read_table
from shoal.tabular.table import Table

__all__ = ["Column", "Kind", "Table", "read_table"]
