"""How the text of a table is laid out: its delimiter, its header, its decimal point, its encoding."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)
"""How a number is written."""

_DATE = re.compile(r"\d{4}[-/]\d{2}([-/]\d{2}.*)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the text of a table is laid out, as its first lines tell."""

    delimiter: str
    """What stands between cells; a tab where there is one column."""
    header: tuple[str, ...]
    """The names of the columns, made up where the first line holds values."""
    skip: int
    """Lines before the first row: comments and the header."""
    decimal: str
    """The decimal point."""
    encoding: str
    """utf8, or latin1 where the bytes are not UTF-8."""


def layout_of(head: bytes, columns: Sequence[str] = ()) -> Layout:
    """Tell the layout of a text table by its first lines.

    Args:
        head: The first bytes of the file.
        columns: Names that are known to be in the header.
    """
    try:
        text, encoding = head.decode("utf-8-sig"), "utf8"
    except UnicodeDecodeError as fault:
        cut = fault.start > len(head) - 4  # a character that the end of the head divides
        text, encoding = (head[: fault.start].decode("utf-8-sig"), "utf8") if cut else (head.decode("latin1"), "latin1")
    lines = text.splitlines()
    comments = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    rows = [line for line in lines[comments : comments + 20] if line.strip()] or [""]
    delimiter = _delimiter(rows)
    first, *others = ([cell.strip() for cell in row] for row in csv.reader(rows, delimiter=delimiter))
    decimal = (
        "," if delimiter in ";\t" and any(_COMMA_NUMBER.fullmatch(cell) for row in others for cell in row) else "."
    )
    named = _is_header(first, others) or bool(set(columns) & set(first))
    header = first if named else [f"column {place + 1}" for place in range(len(first))] if len(first) > 1 else ["value"]
    return Layout(
        delimiter=delimiter, header=_distinct(header), skip=comments + named, decimal=decimal, encoding=encoding
    )


def _delimiter(rows: Sequence[str]) -> str:
    """The delimiter that each of the first rows has, tabs and semicolons before commas and spaces."""
    for delimiter in "\t;,":
        if all(delimiter in row for row in rows):
            return delimiter
    spaced = all(len(row.split(" ")) == len(rows[0].split(" ")) > 1 for row in rows)
    return " " if spaced and all(NUMBER.fullmatch(cell) for cell in rows[-1].split(" ")) else "\t"


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it holds no value, and the rows below do, or have several columns."""
    if any(map(_is_value, first)):
        return False
    return len(first) > 1 or any(_is_value(cell) for row in others for cell in row)


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a date."""
    return any(shape.fullmatch(cell) for shape in (NUMBER, _COMMA_NUMBER, _DATE))


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names, numbered where they are empty or come twice."""
    return tuple(
        name if name and name not in names[:place] else f"{name or 'column'} {place + 1}"
        for place, name in enumerate(names)
    )
