"""Which items are right, at a glance: one column per item, one row per seed, held-out columns marked.

Drawn as SVG by hand: a strip may have thousands of cells, and a chart library spends six times as many bytes a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from shoal.figures.theme import FONT, LIGHT, themed
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

ItemState = Literal["right", "ended-early", "went-on", "other"]

ITEM_STATES: dict[ItemState, str] = {
    "right": "right",
    "ended-early": "ended too early",
    "went-on": "went on too long",
    "other": "another token was wrong",
}
_FILL = {"right": "right", "ended-early": "near", "went-on": "near", "other": "miss"}
_INK = {"right": "paper", "ended-early": "ink", "went-on": "ink", "other": "wrong"}
_SIGN = {
    "right": "",
    "ended-early": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    "went-on": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    "other": "\N{MULTIPLICATION SIGN}",
}

_ROW = 17
_TOP = 28
_LEAST = 8
_BELOW = 30
_NUMBER = 24
"""Pixels: a row, the title above, the narrowest cell, the room below a line, and that of a column's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridItem:
    """One item of one seed."""

    column: int
    row: str
    state: ItemState
    held_out: bool


def item_grid_svg(cells: Sequence[GridItem], *, title: str, axis: str = "i", width: int = 900) -> str:
    """An ``<svg>`` with a row of cells per seed; a bar under a column marks it as held out.

    More columns than fit side by side are wrapped, as a text is.

    Args:
        cells: at most one for each column and row.
        title: the arm.
        axis: what the columns are.
        width: of the whole drawing, in pixels; each cell is between 8 and 17 wide.
    """
    columns = sorted({cell.column for cell in cells})
    rows = list(dict.fromkeys(cell.row for cell in cells))
    # Arial's letters of 11 pixels are about 6.2 wide; without a browser no text can be measured.
    left = 12 + 6.2 * max(len(row) for row in rows)
    step = max(_LEAST, min(_ROW, int((width - left - 8) // max(1, len(columns)))))
    fitting = max(1, int((width - left - 8) // step))
    lines = [columns[start : start + fitting] for start in range(0, len(columns), fitting)]
    size = _ROW * len(rows) + _BELOW
    right = sum(cell.state == "right" for cell in cells)
    size_of = f"{plural(len(columns), 'item')} by {plural(len(rows), 'seed')}"
    whole = f"{title}: {right} of {len(cells)} right, {size_of}"
    by_column: dict[int, list[GridItem]] = {}
    for cell in cells:
        by_column.setdefault(cell.column, []).append(cell)
    parts = [
        _opening(width, _TOP + size * len(lines) + 16, whole),
        f'<text x="0" y="14" font-size="13" font-weight="600" fill="{LIGHT["ink"]}">{escape(title)}</text>',
        *(
            f'<g transform="translate(0,{size * number})">{_line(line, by_column, rows, left, step)}</g>'
            for number, line in enumerate(lines)
        ),
        _label(left + step * len(lines[0]) / 2, _TOP + size * len(lines) + 8, axis, "middle"),
        "</svg>",
    ]
    return themed("".join(parts))


def _line(columns: Sequence[int], by_column: dict[int, list[GridItem]], rows: list[str], left: float, step: int) -> str:
    """One line of columns with all their rows."""
    place = {column: round(left + k * step, 1) for k, column in enumerate(columns)}
    cells = [cell for column in columns for cell in by_column[column]]
    floor = _TOP + _ROW * len(rows)
    held_out = [place[column] for column in columns if any(cell.held_out for cell in by_column[column])]
    named = [c for c in columns if c % 10 == 0 or c == columns[0]]
    # The first column's own number gives way where that of the next ten stands close to it.
    named = named[1:] if len(named) > 1 and place[named[1]] - place[named[0]] < _NUMBER else named
    return "".join(
        [
            *(_label(left - 8, _TOP + _ROW * k + 12, row, "end") for k, row in enumerate(rows)),
            *(_cells_of(state, cells, place, rows, step) for state in ITEM_STATES),
            _bars(held_out, floor + 3, step),
            *(_label(place[column] + step / 2, floor + 21, str(column), "middle") for column in named),
        ]
    )


def item_key_svg(state: ItemState) -> str:
    """One cell, for the key of a strip."""
    cell = GridItem(column=0, row="", state=state, held_out=False)
    body = _cells_of(state, [cell], {0: 0}, [""], _ROW)
    return themed(f'<svg class="key" aria-hidden="true" width="17" height="17" viewBox="0 {_TOP} 17 17">{body}</svg>')


def _opening(width: int, height: int, whole: str) -> str:
    """The opening tag."""
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    label = f'role="img" aria-label="{escape(whole)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {label} {size} font-family="{FONT}">'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    """A small grey text."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="11" text-anchor="{anchor}" fill="{LIGHT["muted"]}">{escape(text)}</text>'
    )


def _cells_of(state: ItemState, cells: Sequence[GridItem], place: dict[int, float], rows: list[str], step: int) -> str:
    """The cells of one state, which share their colours."""
    squares, signs = [], []
    for cell in cells:
        if cell.state == state:
            x, y = place[cell.column], _TOP + _ROW * rows.index(cell.row)
            squares.append(f'<rect x="{x:g}" y="{y}" width="{step - 1}" height="{_ROW - 1}">{_tooltip(cell)}</rect>')
            signs.append(f'<text x="{x + (step - 1) / 2:g}" y="{y + 12}">{_SIGN[state]}</text>')
    size = min(13, step + 4)
    drawn = f'<g fill="{LIGHT[_FILL[state]]}">{"".join(squares)}</g>'
    if not _SIGN[state]:
        return drawn
    style = (
        # A sign lies over its cell and would hide the cell's hover title from the pointer.
        f'fill="{LIGHT[_INK[state]]}" font-size="{size}" font-weight="700" text-anchor="middle" pointer-events="none"'
    )
    return f"{drawn}<g {style}>{''.join(signs)}</g>"


def _tooltip(cell: GridItem) -> str:
    """The hover title of a cell."""
    where = "held out" if cell.held_out else "seen"
    return escape(f"{cell.column} ({where}), {cell.row}: {ITEM_STATES[cell.state]}").join(("<title>", "</title>"))


def _bars(places: list[float], y: int, step: int) -> str:
    """The bars under the columns that are held out."""
    bars = "".join(f'<rect x="{x:g}" y="{y}" width="{step - 1}" height="3"/>' for x in places)
    return f'<g fill="{LIGHT["ink"]}">{bars}</g>'
