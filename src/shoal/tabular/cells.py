"""What the cells of a column are: numbers, dates, yes and no, or text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from shoal.errors import DataError
from shoal.tabular.values import floats, looks_like_date, numbers, read_clock, read_dates, times

_EMPTY = ("", "NA", "N/A", "n/a", "n.a.", "#N/A", "<NA>", "NaN", "nan", "NaT", "null", "NULL", "None", "none", "nil")
MISSING = (*_EMPTY, "missing", "?", "-", "--", ".", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!")
"""How a missing number or date is written; among words only an empty cell is missing."""
LONG = r"[1-9][\d.]{18}"
"""More significant digits than a float64 is ever written with, so that different numbers may become one."""

SAMPLE = 100
"""Cells that are looked at before all are."""
_POINTS = r"-?(0|[1-9]\d{0,2}(\.\d{3})*)"

Kind = Literal["numbers", "flags", "dates", "text", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table, read as what its cells are."""

    name: str
    kind: Kind
    values: Any
    """Numbers and flags: an array or a list of them; dates: labels that sort; text: a list of str, None where empty."""
    says: str = ""
    """What was taken off its cells to read them as numbers; of another kind of cells, their type."""


class UnlikeCellError(DataError):
    """A cell that is not what the others of its column are."""

    def __init__(self, row: int, cell: str, column: str, expected: str) -> None:
        super().__init__(f"row {row + 1} of column {column!r} is no {expected}: {cell[:40]!r}")
        self.row = row


def read_column(name: str, column: Any, *, comma: bool = False) -> Column:
    """Read a column of Arrow, of text or of types.

    Args:
        name: What it is called.
        column: An Arrow chunked array.
        comma: Whether a comma that may separate thousands or be decimal is decimal.

    Raises:
        UnlikeCellError: Most of its cells are numbers or dates and some are not.
    """
    import pyarrow as pa

    kind = column.type
    # pandas writes its categories as dictionaries.
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_null(kind):
        return Column(name=name, kind="numbers", values=floats(column))
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_duration(kind)
    ):
        return Column(name=name, kind="numbers", values=numbers(column))
    if pa.types.is_boolean(kind):
        return Column(name=name, kind="flags", values=floats(column))
    if pa.types.is_time(kind):
        # NumPy has no time of day; in ISO form the text of one sorts as the times do.
        return Column(name=name, kind="dates", values=[time and str(time) for time in column.to_pylist()])
    if pa.types.is_temporal(kind):
        return Column(name=name, kind="dates", values=times(column))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _of_text(name, column.cast(pa.string()), comma=comma)
    return Column(name=name, kind="other", values=None, says=f"{kind!s:.40}")


def _of_text(name: str, column: Any, *, comma: bool) -> Column:
    """A column of strings; plain numbers, the common case, are cast at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = _cast(column)
    if plain is not None:  # the common case, before any cell becomes a Python string
        _check_points(name, column)
        return Column(name=name, kind="numbers", values=plain)
    trimmed = pc.utf8_trim_whitespace(pa.chunked_array(column).combine_chunks())
    # No Python value is given to Arrow's functions: pyarrow imports pandas to take it in.
    absent = pc.match_substring_regex(trimmed, f"^({'|'.join(map(re.escape, MISSING))})$")
    cells = pc.if_else(absent, pa.nulls(1, pa.string())[0], trimmed)
    plain = _cast(pa.chunked_array([cells]))
    # All cells are marks of what is missing, and of several kinds: then the marks are what the column is about.
    if cells.null_count == len(cells) and len(set(_words(trimmed)) - {None}) > 1:
        return Column(name=name, kind="text", values=_words(trimmed))  # "NA" and "-" among themselves are words
    if plain is not None:
        _check_points(name, pa.chunked_array([cells]))
        return Column(name=name, kind="numbers", values=plain)
    # More than seventy formats of dates would be tried on the whole column, so the first cell has to look like one.
    first = next(cell.as_py() for cell in cells if cell.is_valid)
    dated = _dated(name, cells) if looks_like_date(first) else None
    if dated is not None:
        return dated
    if pc.all(pc.match_substring_regex(pc.utf8_lower(cells), "^(true|false)$")).as_py():
        return Column(name=name, kind="flags", values=floats(pa.chunked_array([pc.utf8_lower(cells).cast(pa.bool_())])))
    return _numerals(name, cells, comma=comma) or Column(name=name, kind="text", values=_words(trimmed))


def _cast(column: Any) -> Any:
    """Numbers of a column of strings, None where one is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # Whole numbers first: as floats those beyond 2**53 would become others.
        return numbers(column.cast(pa.int64()))
    except pa.ArrowInvalid:
        pass
    try:
        read = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    long = (pc.max(pc.utf8_length(column)).as_py() or 0) > 18 and pc.any(pc.match_substring_regex(column, LONG)).as_py()
    # Long decimals are exact only as `Decimal`, which is slow and is left to columns in which rounding would merge
    # values.
    if long and pc.count_distinct(read).as_py() < pc.count_distinct(column).as_py():
        from decimal import Decimal

        return [None if cell is None else Decimal(cell) for cell in column.to_pylist()]
    return floats(read)


def _check_points(name: str, column: Any) -> None:
    """Refuse numbers below 1000 together with numbers that have three digits after each point: those may be thousands.

    Raises:
        UnlikeCellError: They stand in one column.
    """
    import pyarrow.compute as pc

    known = column.drop_null()
    if not all(re.fullmatch(_POINTS, cell) for cell in known[:SAMPLE].to_pylist()):
        return
    if pc.all(pc.match_substring_regex(known, f"^({_POINTS})$")).as_py():
        _refuse_points(name, column.to_pylist())


def _refuse_points(name: str, cells: list[str | None]) -> None:
    """Refuse cells that all may have points between thousands, where only some of them have points."""
    pointed = [row for row, cell in enumerate(cells) if cell is not None and "." in cell]
    if pointed and len(pointed) < len(cells) - cells.count(None):
        expected = (
            "number without doubt: the point may separate thousands or be decimal; write all with as many decimals"
        )
        raise UnlikeCellError(pointed[0], cells[pointed[0]] or "", name, expected)


def _dated(name: str, cells: Any) -> Column | None:
    """A column of dates or times of day; a few cells that are none are refused where most are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    clock = read_clock(cells)
    if clock is not None:
        return Column(name=name, kind="dates", values=clock)
    stamps = read_dates(cells)
    if stamps is None or (stamps.null_count - cells.null_count) * 2 >= len(cells):
        return None
    if stamps.null_count > cells.null_count:
        row = pc.and_(pc.is_null(stamps), pc.is_valid(cells)).to_pylist().index(True)
        raise UnlikeCellError(row, cells[row].as_py(), name, "date like the others")
    return Column(name=name, kind="dates", values=times(pa.chunked_array([stamps])))


def _numerals(name: str, cells: Any, *, comma: bool) -> Column | None:
    """Numbers with commas, currencies or units; None where half of the cells are none, or few of them differ."""
    from shoal.tabular.values import is_numeral, read_numerals

    listed = cells.to_pylist()
    read = read_numerals(listed, comma=comma)
    if not read.strangers:
        if any(read.around) and not read.form.group:
            bare = [cell and re.sub(r"[^\d.]", "", cell) for cell in listed]
            if all(cell is None or re.fullmatch(_POINTS, cell) for cell in bare):
                _refuse_points(name, bare)
        return Column(name=name, kind="numbers", values=read.values, says=read.says)
    known = len(cells) - cells.null_count
    # Words that repeat are categories, of which some may look like numbers (5A, 5B); where nearly all differ and most
    # are numbers, the others are faults.
    repeated = (len(set(listed)) - 1) * 2 <= known
    mostly = len(read.strangers) * 2 < known
    if (repeated and (read.says or not mostly)) or not (mostly or all(map(is_numeral, filter(None, listed)))):
        return None
    row = read.strangers[0]
    expected = f"number like the others ({read.says})" if read.says else "number"
    raise UnlikeCellError(row, listed[row], name, expected)


def _words(trimmed: Any) -> list[str | None]:
    """Text as a list, None where a cell is empty."""
    return [cell or None for cell in trimmed.to_pylist()]
