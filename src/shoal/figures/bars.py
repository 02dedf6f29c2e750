"""Signed numbers as a table with bars that grow to the right and to the left of zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import table

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAR = Markup(
    "<span class='bar-box' aria-hidden='true'><span class='bar {}' style='left:{:.2f}%;width:{:.2f}%'></span></span>"
)


def bar_table(rows: Sequence[tuple[str, float]], *, head: tuple[str, str], caption: str) -> Markup:
    """A row a number, with its bar.

    Args:
        rows: name and value, in the order in which they are shown.
        head: what the names are, and what the values are.
        caption: what the table says.
    """
    size = max((abs(value) for _, value in rows), default=0.0) or 1.0
    cells = [(name, f"{value:+.3f}", _bar(value / size)) for name, value in rows]
    return table((*head, ""), cells, caption=caption, numeric=(1,))


def bar_style() -> str:
    """The CSS of bars."""
    return (
        ".bar-box{display:inline-block;position:relative;width:min(22rem,40vw);height:.8em;vertical-align:middle;"
        "background:linear-gradient(var(--rule),var(--rule)) 50% 0/1px 100% no-repeat}"
        ".bar{position:absolute;top:0;bottom:0;border-radius:2px}"
        ".bar.more{background:var(--series-1)}.bar.less{background:var(--series-2)}\n"
    )


def _bar(part: float) -> Markup:
    """A bar of -1 to 1 around the middle."""
    width = 50 * abs(part)
    return _BAR.format("more" if part >= 0 else "less", 50.0 if part >= 0 else 50 - width, width)
