"""Numbers as people write them: thousands and decimal commas, currencies, percent signs, units, accounting's brackets.

A column is read so only where all of its cells agree on one way of writing; the first cell that does not is named.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.tabular.arrow import WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

_MINUS = "\u2212-"
_CURRENCY = "$\u00a2-\u00a5\u058f\u060b\u09f2\u0e3f\u17db\u20a0-\u20c0\ufdfc"
_MARKS = "'\u2019_ \u00a0\u202f\u2009"
_NUMBER = (
    rf"(?P<open>\()?(?P<sign>[+{_MINUS}])?\s*(?P<before>[A-Z]{{0,2}}[{_CURRENCY}]|[A-Z]{{3}}\s)?\s*(?P<inner>[+{_MINUS}])?"
    rf"(?P<digits>[.,]?\d(?:[\d.,{_MARKS}]*[\d.,])?)(?P<exponent>[eEdD][+-]?\d+)?"
    rf"\s*(?P<after>[%\u2030{_CURRENCY}]|[A-Z]{{3}}|\u00b0?[^\W\d_][\w/\u00b2\u00b3^\u00b7%-]*|\u00b0)?"
    r"(?P<close>\))?(?P<minus>-)?"
)
"""A number with what may stand around it."""


class Format(NamedTuple):
    """One way of writing the digits of a number."""

    digits: str
    """A regular expression; it is compiled where it is used, since few tables need it."""
    group: str
    """What may stand between thousands."""
    decimal: str
    """The decimal point."""
    says: str
    """How the format is called in a message."""


FORMATS = (
    Format(r"\d+\.?\d*|\.\d+", "", ".", ""),
    Format(r"\d*\.\d+|\d+\.?|[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?", ",", ".", "commas between thousands"),
    Format(r"\d*,\d+|\d+,?", "", ",", "decimal commas"),
    Format(r"\d*,\d+|\d+,?|[1-9]\d{0,2}(\.\d{3})+(,\d*)?", ".", ",", "points between thousands"),
    Format(rf"\d+\.?\d*|[1-9]\d{{0,2}}([{_MARKS}]\d{{3}})+(\.\d*)?", _MARKS, ".", "marks between thousands"),
    Format(rf"\d+,?\d*|[1-9]\d{{0,2}}([{_MARKS}]\d{{3}})+(,\d*)?", _MARKS, ",", "marks between thousands"),
)
"""The formats, the plainest first; where several fit all cells, they agree on the order of the numbers."""


class Written(NamedTuple):
    """A column read as numbers."""

    values: Any
    """float64, NaN where a cell is missing or does not agree; a list where floats would round whole numbers."""
    strangers: list[int]
    """The rows of the cells that are there and do not agree."""
    says: str
    """What was taken off, such as "'$' and commas between thousands"."""
    around: tuple[str, str]
    """What stands before and after the digits of each."""
    form: Format
    """How the digits are written."""


def is_numeral(cell: str) -> bool:
    """Whether a trimmed cell is a number, whatever stands around it."""
    return _matched(cell) is not None


def read_numerals(cells: Sequence[str | None], *, comma: bool = False) -> Written:
    """Read a column as numbers of the way of writing that most of its cells share.

    Args:
        cells: Trimmed text, None where a cell is missing.
        comma: Whether a comma that may part thousands or be decimal is decimal.
    """
    found = [None if cell is None else _matched(cell) for cell in cells]
    around = Counter(_around(match) for match in found if match)
    common = around.most_common(1)[0][0] if around else ("", "")
    agreeing = [match if match and _around(match) == common else None for match in found]
    form = _format_of([match["digits"] for match in agreeing if match], comma=comma)
    fits = re.compile(form.digits).fullmatch
    table = str.maketrans(dict.fromkeys(form.group, "") | {form.decimal: "."})
    values = [_number(match, table) if match and fits(match["digits"]) else math.nan for match in agreeing]
    strangers = [
        row
        for row, (cell, value) in enumerate(zip(cells, values, strict=True))
        if cell is not None and math.isnan(value)
    ]
    brackets = any(match and match["open"] for match in agreeing)
    marks = [f"{mark!r}" for mark in common if mark] + ([form.says] if form.says else [])
    marks += ["brackets around negative numbers"] if brackets else []
    large = any(isinstance(value, int) and abs(value) > WHOLE for value in values)
    return Written(
        values if large else np.array(values, dtype=np.float64), strangers, " and ".join(marks), common, form
    )


def _matched(cell: str) -> re.Match[str] | None:
    """A cell as a number, with at most one sign and both brackets or none."""
    match = re.fullmatch(_NUMBER, cell)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    return match if sum(map(bool, match.group("open", "sign", "inner", "minus"))) <= 1 else None


def _around(match: re.Match[str]) -> tuple[str, str]:
    """What stands before and after the digits."""
    return (match["before"] or "").strip(), match["after"] or ""


def _format_of(digits: Sequence[str], *, comma: bool) -> Format:
    """The first format of which the most cells are."""
    plain, thousands, decimals, *others = FORMATS
    comma = comma and all("," in cell for cell in digits)  # beside whole numbers three digits are thousands
    best, most = plain, -1
    for form in (plain, decimals, thousands, *others) if comma else FORMATS:
        fits = re.compile(form.digits).fullmatch
        count = sum(fits(cell) is not None for cell in digits)
        if count > most:
            best, most = form, count
        if count == len(digits):
            break
    return best


def _number(match: re.Match[str], table: dict[int, str]) -> int | float:
    """The number of a cell, whole where it is written so."""
    digits = match["digits"].translate(table)
    exponent = (match["exponent"] or "").lower().replace("d", "e")  # as Fortran writes it
    value: int | float = int(digits) if digits.isdecimal() and not exponent else float(digits + exponent)
    negative = match["open"] or any(sign and sign in _MINUS for sign in match.group("sign", "inner", "minus"))
    return -value if negative else value
