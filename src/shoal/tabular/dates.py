"""Dates and times of a column of text, in one of the ways that tables write them."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

_LOOK = (
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T].*)?|\d{4}[-/]\d{1,2}"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}.*|[A-Z][a-z]{2,8} \d{1,2},? \d{4}.*"
)
_CLOCK = r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$"
_DIGITS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
_DAYS = (*_DIGITS, "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = (*(day + time for day, time in product(_DAYS, _TIMES)), "%Y-%m", "%Y/%m")
"""Beside ISO 8601, in the notation of strptime."""
SAMPLE = 100
"""Cells by which a format is tried."""


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

    kinds = [pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC")]
    for kind in kinds:
        try:
            return text.cast(kind)
        except pa.ArrowInvalid:
            continue
    some = pc.drop_null(text)[:SAMPLE]
    read = [
        pc.strptime(text, form, "us", error_is_null=True)
        for form in FORMATS
        if pc.strptime(some, form, "us", error_is_null=True).null_count * 2 < len(some)
    ]
    return min(read, key=lambda stamps: (stamps.null_count, _unevenness(stamps)), default=None)


def read_clock(text: Any) -> list[str | None] | None:
    """A column of times of day as strings that sort, or None where it is none."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(text, _CLOCK)).as_py():
        return None
    return [None if cell is None else cell.zfill(len(cell) + (cell.index(":") == 1)) for cell in text.to_pylist()]


def _unevenness(stamps: Any) -> float:
    """How uneven the steps between dates are: day and month are told apart by it, where both would do."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    steps = np.diff(np.array(pc.drop_null(stamps).cast(pa.int64()).to_pylist(), dtype=float))
    if not len(steps) or steps.min() < 0:
        return float("inf")
    return float(steps.std() / max(steps.mean(), 1.0))
