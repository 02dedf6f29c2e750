"""The layout of a text table, found from its first lines: what separates cells, and whether there is a header.

Python's own `csv` splits the lines, and Arrow's reader reads the rows; here is only what neither of them does.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.tabular.cells import MISSING
from shoal.tabular.values import looks_like_date

if TYPE_CHECKING:
    from collections.abc import Sequence

BLANKS = " "
"""The delimiter of tables whose cells are separated by any number of blanks."""
LINES = 100
"""Lines by which the layout is found."""
MIN_ALIKE = 0.8
"""The share of rows that must have as many cells as each other."""
RARE = 0.02
"""A first word that never comes again names a column of words where fewer of the others than this come once."""

_DAY_AND_TIME = r"(\d{4}-\d\d-\d\d) (?=\d\d:\d\d)"
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.I)
_THOUSANDS = r"[+\-]?(\W?)[1-9]\d{0,2}(,\d{3})*(\.\d+)?\D?"
_SPACED = r"[+-]?[1-9]\d{0,2}([ \xa0]\d{3})+([.,]\d+)?"
_EUROPEAN = r"[+-]?[1-9]?\d{0,2}([ .'\u2019\xa0\u202f]?\d{3})*,\d+\D?"
_DECIMALS = r"[+-]?\d+,(\d+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the text of a table is laid out."""

    delimiter: str | None
    """What separates cells, `BLANKS` for any run of blanks, None where each line is one cell."""
    header: tuple[str, ...] | None
    """The names that the first record gives; None where it holds values."""
    width: int
    """Cells of a row."""
    guessed: bool = False
    """Whether the header stands over words like itself, so that it differs from a value only by their counts."""

    @property
    def row_names(self) -> bool:
        """Whether the first column has no name, as R leaves the column of row names without one."""
        return len(self.header or ()) == self.width - 1 > 0 and self.delimiter in (BLANKS, "\t")

    @property
    def names(self) -> tuple[str, ...]:
        """A distinct name for each cell of a row, made up where there is none."""
        given = ("", *(self.header or ())) if self.row_names else self.header or ()
        blank = "column" if self.width > 1 else "value"
        names = [*given, *[""] * (self.width - len(given))][: max(self.width, 1)]
        if self.width == 1:
            return (names[0] or blank,)
        return tuple(
            name if name and name not in names[:place] else f"{name or blank} {place + 1}"
            for place, name in enumerate(names)
        )


def dialect_of(lines: Sequence[str], *, columns: Sequence[str] = (), header: bool | None = None) -> Dialect:
    """Find the dialect of a table.

    Args:
        lines: Its lines, comments taken out.
        columns: Names that are known to be in the header.
        header: Whether the first line names the columns; where it is None, its cells say so.

    Raises:
        DataError: Two readings are as good as each other.
    """
    sample = [line for line in lines[: 4 * LINES] if line.strip()][:LINES]
    delimiter = _delimiter(sample, header)
    rows = split(sample, delimiter)
    first, others = rows[0], rows[1:]
    width = _commonest_width(others) if others else len(first)
    guessed = False
    if delimiter == BLANKS and len(first) > width:  # names with blanks in them, two blanks between them
        apart = re.split(r"\s{2,}", sample[0].strip())
        first = apart if len(apart) == width else first
    if header is None:
        header = bool(set(columns) & set(first)) or is_header(first, others)
        words = not any(is_value(row[0]) for row in rows if row)
        if not header and width == 1 and words:
            header = guessed = _names_words([line.strip() for line in lines if line.strip()])
    if header and sum(len(row) == width for row in others) < MIN_ALIKE * len(others):
        width = len(first)
    return Dialect(delimiter=delimiter, header=tuple(first) if header else None, width=max(width, 1), guessed=guessed)


def split(lines: Sequence[str], delimiter: str | None) -> list[list[str]]:
    """The trimmed cells of lines; a quoted cell may hold the delimiter and line ends.

    Args:
        lines: Without their ends.
        delimiter: As `Dialect.delimiter`.
    """
    if delimiter is None:
        return [[line.strip().strip('"')] for line in lines]
    if delimiter == BLANKS:
        lines = [re.sub(_DAY_AND_TIME, r"\1T", line) for line in lines]
        return [[cell.strip('"') for cell in re.findall(r'"[^"]*"|\S+', line)] for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader([f"{line}\n" for line in lines], delimiter=delimiter)]


def is_value(cell: str) -> bool:
    """Whether a cell is a number, as people write them, or a date."""
    if _PLAIN.fullmatch(cell):
        return True
    from shoal.tabular.values import is_numeral

    return is_numeral(cell) or looks_like_date(cell)


def is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: no cell of it is a value, and it has several or stands over values.

    Args:
        first: Its cells.
        others: The cells of the rows below.
    """
    wide = [row for row in others if len(row) == len(first)]
    if any(map(is_value, first)):
        return bool(wide) and _is_counted(first, wide)
    if not any(cell not in MISSING for cell in first):
        return False
    return len(first) > 1 or any(is_value(cell) for row in others for cell in row)


def _is_counted(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds 0, 1, 2, ... as pandas names columns, or years, over cells of another form."""
    # A header of pandas with its index written: the corner is empty.
    if first[0] == "" and all(row[0] for row in others):
        return len(set(first)) == len(first)
    counts = [place for place, cell in enumerate(first) if cell.isdecimal()]
    if any(is_value(cell) for place, cell in enumerate(first) if place not in counts):
        return False
    numbers = [int(first[place]) for place in counts]
    going = numbers == [0] or (len(numbers) > 1 and {b - a for a, b in pairwise(numbers)} == {1})
    return going and all("." in row[place] for row in others for place in counts if row[place] not in MISSING)


def _names_words(words: Sequence[str]) -> bool:
    """Whether the first word never comes again while nearly all others do."""
    counts = Counter(words[1:])
    once = sum(count == 1 for count in counts.values())
    return bool(counts) and words[0] not in counts and once <= RARE * len(words)


def _delimiter(lines: Sequence[str], header: bool | None) -> str | None:
    """The delimiter that the rows have, tabs and semicolons before commas, blanks last."""
    # The comma last: it stands in numbers and in words too, the others hardly ever do.
    for delimiter in "\t;|,":
        first, *others = split(lines, delimiter)
        rows = others or [first]
        if len(first) > 1 and sum(len(row) > 1 for row in rows) >= MIN_ALIKE * len(rows):
            one_number = delimiter == "," and header is not True and is_value(first[0]) and _are_numbers(lines)
            return None if one_number else delimiter
    return BLANKS if _has_blank_columns(lines) else None


def _has_blank_columns(lines: Sequence[str]) -> bool:
    """Whether blanks separate columns, one of them of numbers, rather than words, thousands, or a unit."""
    from shoal.tabular.values import is_numeral, read_numerals

    first, *others = split(lines, BLANKS)
    alone = is_numeral(lines[0].strip())
    if alone or len(first) == 1:
        whole = read_numerals([line.strip() for line in lines[not alone :]])
        if not whole.strangers and any(whole.around):
            return False
    rows = others or [first]
    width = _commonest_width(rows)
    wide = [row for row in rows if len(row) == width]
    if width < 2 or len(wide) < MIN_ALIKE * len(rows):
        return False
    # Three digits behind a blank may be a number of their own, 1 234 two columns; a group that begins with 0 (1 034)
    # cannot be.
    if all(re.fullmatch(_SPACED, line.strip()) for line in lines[1:]) and (len(first) == 1 or _has_zero_groups(lines)):
        return False
    columns = list(zip(*wide, strict=True))
    numeric = [all(_PLAIN.fullmatch(cell) or cell in MISSING for cell in column) for column in columns]
    named = len(first) == width and not any(map(is_value, first))
    if width == 2 and not named and sum(numeric) == 1:
        words = columns[numeric.index(False)]
        unit = not any(map(is_value, words)) and (numeric[0] or len(set(words)) == 1)
        return not unit
    return any(numeric)


def _has_zero_groups(lines: Sequence[str]) -> bool:
    """Whether three digits after a blank or a comma begin with 0, as those of a number of its own never do."""
    return any(re.search(r"\d[, ]0\d\d(?!\d)", line) for line in lines)


def _commonest_width(rows: Sequence[Sequence[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _are_numbers(lines: Sequence[str]) -> bool:
    """Whether each line with a comma is one number: with commas between thousands, or a decimal comma.

    Raises:
        DataError: It might as well be two.
    """
    from shoal.tabular.values import read_numerals

    texts = [line.strip() for line in lines]
    whole = read_numerals(texts)
    if not whole.strangers and any(whole.around):
        if whole.around[1] or whole.form.group or _has_zero_groups(texts):
            return True
        raise DataError(
            f"{texts[0]!r} may be one number with a decimal comma or two columns, and so may every line; put the names "
            "of the columns in a first line"
        )
    found = [re.fullmatch(_THOUSANDS, text) for text in texts]
    if all(found):
        signed = any(match is not None and match[1] for match in found)
        counts = {text.count(",") for text in texts}
        if signed or len(counts) > 1 or _has_zero_groups(texts):
            return True
        firsts = [int(text.partition(",")[0]) for text in texts]
        # A first cell that counts up or stays the same is a row number or a key, and no millions.
        if len(firsts) > 1 and {b - a for a, b in pairwise(firsts)} in ({1}, {0}):
            return False
        raise DataError(
            f"{texts[0]!r} may be one number with thousands or {texts[0].count(',') + 1} columns, and so may every "
            "line; put the names of the columns in a first line"
        )
    if all(re.fullmatch(_EUROPEAN, text) for text in texts) and any(
        re.search(r"\d[ .'\u2019\xa0\u202f]\d", text) for text in texts
    ):
        return True
    decimals = [re.fullmatch(_DECIMALS, text) for text in texts]
    return all(decimals) and any(
        match is not None and (match[0].startswith("-0") or (match[1].startswith("0") and len(match[1]) > 1))
        for match in decimals
    )
