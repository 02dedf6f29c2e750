"""Signed numbers as a table with bars that grow to the right and to the left of zero, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import table, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOX = Markup("<span class='bar-box' aria-hidden='true'><span class='bar {}' style='{}'></span>{}</span>")
_WHISKER = Markup("<span class='whisker' style='{}'></span>")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """One number."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    """Its interval; None where there is none."""

    @property
    def significant(self) -> bool:
        """Whether its interval leaves out 0; without an interval nothing speaks against it."""
        return self.low is None or self.high is None or not self.low <= 0 <= self.high


def bar_table(rows: Sequence[BarRow], *, head: tuple[str, str], caption: str, interval: str = "95% interval") -> Markup:
    """A row per number, with its bar; where its interval holds 0 the bar is pale.

    Args:
        rows: in the order in which they are shown.
        head: what the names are, and what the values are.
        caption: what the table shows.
        interval: the heading of the intervals, where there are any.
    """
    reach = [abs(end) for row in rows for end in (row.value, row.low, row.high) if end is not None]
    size = max(reach, default=0.0) or 1.0
    bounded = any(row.low is not None for row in rows)
    cells = [(row.name, f"{row.value:+.3f}", *([_interval(row)] if bounded else []), _bar(row, size)) for row in rows]
    names = (*head, *([interval] if bounded else []), "")
    return Markup("<div class='bars'>{}</div>").format(
        table(names, cells, caption=caption, numeric=range(1, len(names) - 1), cards=True)
    )


def bar_style() -> str:
    """The CSS of bars."""
    return text_of("shoal.figures", "bars.css")


def _interval(row: BarRow) -> str:
    if row.low is None or row.high is None:
        return ""
    return f"{row.low:+.3f} to {row.high:+.3f}" + ("" if row.significant else " (n.s.)")


def _bar(row: BarRow, size: float) -> Markup:
    """A bar of -1 to 1 around the middle, with the interval as a line over it."""
    kind = ("more" if row.value >= 0 else "less") + ("" if row.significant else " pale")
    whisker = "" if row.low is None or row.high is None else _WHISKER.format(_span(row.low / size, row.high / size))
    return _BOX.format(kind, _span(min(0.0, row.value / size), max(0.0, row.value / size)), whisker)


def _span(start: float, stop: float) -> str:
    """Where something from ``start`` to ``stop`` (-1 to 1) lies."""
    return f"left:{50 + 50 * start:.2f}%;width:{50 * (stop - start):.2f}%"
