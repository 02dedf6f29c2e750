"""Cells as numbers, dates and times: Arrow columns as arrays, and the notations in which people write them as text.

Arrow columns become NumPy arrays by their buffers, since pyarrow's own conversions import pandas where it is installed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WHOLE = 2**53
"""Whole numbers up to this are exact as float64."""
DIGITS = 15
"""Decimals of up to this many digits stay distinct as float64."""

_LOOK = (
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T].*)?|\d{4}[-/]\d{1,2}"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}.*|[A-Z][a-z]{2,8} \d{1,2},? \d{4}.*"
)
_CLOCK = r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$"
_DIGITS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
_DAYS = (*_DIGITS, "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DATE_FORMATS = (*(day + time for day, time in product(_DAYS, _TIMES)), "%Y-%m", "%Y/%m")
"""Besides ISO 8601, in the notation of strptime."""
_SAMPLE = 100
"""Cells by which a format is tried."""

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


def numbers(column: Any) -> Any:
    """A column of numbers as float64, NaN where one is missing; where floats would round, as it is, exactly."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_duration(kind):
        column = column.cast(pa.int64())
    if pa.types.is_decimal(kind) and kind.precision > DIGITS:
        return column.to_pylist()
    if not pa.types.is_integer(column.type) or column.type.bit_width < 64 or len(column) == column.null_count:
        return floats(column)
    import pyarrow.compute as pc

    # The ends decide for the whole column: exact integers would be a list of Python objects where cells are missing.
    ends = pc.min_max(column).as_py()
    if max(-ends["min"], ends["max"]) <= WHOLE:
        return floats(column)
    if column.null_count:
        return column.to_pylist()
    return _buffers(column, np.uint64 if pa.types.is_unsigned_integer(column.type) else np.int64)[0]


def floats(column: Any) -> NDArray[Any]:
    """A column of numbers or booleans as float64, NaN where one is missing."""
    import pyarrow as pa

    values, here = _buffers(column.cast(pa.float64(), safe=False), np.float64)
    return np.where(here, values, np.nan) if column.null_count else values


def times(column: Any) -> NDArray[Any]:
    """A column of dates or timestamps as datetime64 in microseconds, NaT where one is missing."""
    import pyarrow as pa

    stamps, here = _buffers(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), np.int64)
    stamps = stamps.view("datetime64[us]")
    return np.where(here, stamps, np.datetime64("NaT")) if column.null_count else stamps


def _buffers(column: Any, kind: type) -> tuple[NDArray[Any], NDArray[Any]]:
    """The values of all chunks, and which of them are there."""
    values: list[NDArray[Any]] = []
    here: list[NDArray[Any]] = []
    for chunk in column.chunks:
        valid, data = chunk.buffers()
        # A slice of a table shares the buffers of the whole one.
        span = slice(chunk.offset, chunk.offset + len(chunk))
        values.append(np.frombuffer(data, dtype=kind)[span])
        bits = None if valid is None else np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")[span]
        here.append(np.ones(len(chunk), dtype=bool) if bits is None else bits.astype(bool))
    if not values:
        return np.empty(0, dtype=kind), np.empty(0, dtype=bool)
    return np.concatenate(values), np.concatenate(here)


def looks_like_date(cell: str) -> bool:
    """Whether a cell may be a date."""
    return re.fullmatch(_LOOK, cell) is not None or re.fullmatch(_CLOCK, cell) is not None


def read_dates(text: Any) -> Any:
    """A column of dates as timestamps of the format that most of its cells have, null where one has not; or None.

    Args:
        text: An Arrow array of trimmed strings, null where a cell is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    # Microseconds first, since nanoseconds end in the year 2262; with a zone last, since Arrow drops no offset by
    # itself.
    kinds = [pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC")]
    for kind in kinds:
        try:
            return text.cast(kind)
        except pa.ArrowInvalid:
            continue
    # A sample first: most of the formats fit nothing, and each would take a pass over the column.
    some = pc.drop_null(text)[:_SAMPLE]
    read = [
        pc.strptime(text, form, "us", error_is_null=True)
        for form in DATE_FORMATS
        if pc.strptime(some, form, "us", error_is_null=True).null_count * 2 < len(some)
    ]
    return min(read, key=lambda stamps: (stamps.null_count, _unevenness(stamps)), default=None)


def read_clock(text: Any) -> list[str | None] | None:
    """A column of times of day as strings that sort, or None where it is none."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(text, _CLOCK)).as_py():
        return None
    # 9:30 sorts behind 10:30 as text; 09:30 does not.
    return [None if cell is None else cell.zfill(len(cell) + (cell.index(":") == 1)) for cell in text.to_pylist()]


def _unevenness(stamps: Any) -> float:
    """How uneven the steps between dates are: of two formats that fit, the right one is more even."""
    import pyarrow as pa
    import pyarrow.compute as pc

    steps = np.diff(np.array(pc.drop_null(stamps).cast(pa.int64()).to_pylist(), dtype=float))
    if not len(steps) or steps.min() < 0:
        return float("inf")
    return float(steps.std() / max(steps.mean(), 1.0))


class NumeralStyle(NamedTuple):
    """One way of writing the digits of a number."""

    digits: str
    """A regular expression; it is compiled where it is used, since few tables need it."""
    group: str
    """What may stand between thousands."""
    decimal: str
    """The decimal point."""
    says: str
    """How the format is called in a message."""


NUMBER_FORMATS = (
    NumeralStyle(r"\d+\.?\d*|\.\d+", "", ".", ""),
    NumeralStyle(r"\d*\.\d+|\d+\.?|[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?", ",", ".", "commas between thousands"),
    NumeralStyle(r"\d*,\d+|\d+,?", "", ",", "decimal commas"),
    NumeralStyle(r"\d*,\d+|\d+,?|[1-9]\d{0,2}(\.\d{3})+(,\d*)?", ".", ",", "points between thousands"),
    NumeralStyle(rf"\d+\.?\d*|[1-9]\d{{0,2}}([{_MARKS}]\d{{3}})+(\.\d*)?", _MARKS, ".", "marks between thousands"),
    NumeralStyle(rf"\d+,?\d*|[1-9]\d{{0,2}}([{_MARKS}]\d{{3}})+(,\d*)?", _MARKS, ",", "marks between thousands"),
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
    form: NumeralStyle
    """How the digits are written."""


def is_numeral(cell: str) -> bool:
    """Whether a trimmed cell is a number, whatever stands around it."""
    return _matched(cell) is not None


def read_numerals(cells: Sequence[str | None], *, comma: bool = False) -> Written:
    """Read a column as numbers of the way of writing that most of its cells share.

    Args:
        cells: Trimmed text, None where a cell is missing.
        comma: Whether a comma that may separate thousands or be decimal is decimal.
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


def _format_of(digits: Sequence[str], *, comma: bool) -> NumeralStyle:
    """The first format of which the most cells are."""
    plain, thousands, decimals, *others = NUMBER_FORMATS
    comma = comma and all("," in cell for cell in digits)  # together with whole numbers, three digits are thousands
    best, most = plain, -1
    for form in (plain, decimals, thousands, *others) if comma else NUMBER_FORMATS:
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
