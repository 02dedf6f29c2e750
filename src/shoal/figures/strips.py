"""Which items are right, at a glance: one column an item, one row a seed, held-out columns marked.

Drawn as SVG by hand: a strip may have thousands of cells, and a chart library spends six times as many bytes a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from shoal.figures.theme import FONT, LIGHT, themed

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["right", "ended-early", "went-on", "other"]

WORDS: dict[State, str] = {
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One item of one seed."""

    column: int
    row: str
    state: State
    held_out: bool


def strip_svg(cells: Sequence[Cell], *, title: str, axis: str = "i", width: int = 700) -> str:
    """An ``<svg>`` with a row of cells a seed; a bar under a column says that it is held out.

    Args:
        cells: at most one for each column and row.
        title: the arm.
        axis: what the columns are.
        width: the widest that the cells may become together, in pixels; each is between 6 and 17 wide.
    """
    columns = sorted({cell.column for cell in cells})
    rows = list(dict.fromkeys(cell.row for cell in cells))
    step = max(6, min(_ROW, width // max(1, len(columns))))
    left = 12 + 6.2 * max(len(row) for row in rows)
    place = {column: round(left + k * step, 1) for k, column in enumerate(columns)}
    floor = _TOP + _ROW * len(rows)
    right = sum(cell.state == "right" for cell in cells)
    whole = f"{title}: {right} of {len(cells)} right, {len(columns)} items by {len(rows)} seeds"
    parts = [
        _opening(round(left + step * len(columns) + 8), floor + 42, whole),
        f'<text x="0" y="14" font-size="13" font-weight="600" fill="{LIGHT["ink"]}">{escape(title)}</text>',
        *(_label(left - 8, _TOP + _ROW * k + 12, row, "end") for k, row in enumerate(rows)),
        *(_cells_of(state, cells, place, rows, step) for state in WORDS),
        _bars([place[column] for column in columns if _held_out(column, cells)], floor + 3, step),
        *(_label(place[c] + step / 2, floor + 21, str(c), "middle") for c in columns if c % 10 == 0 or c == columns[0]),
        _label(left + step * len(columns) / 2, floor + 37, axis, "middle"),
        "</svg>",
    ]
    return themed("".join(parts))


def key_svg(state: State) -> str:
    """One cell, for the key of a strip."""
    cell = Cell(column=0, row="", state=state, held_out=False)
    body = _cells_of(state, [cell], {0: 0}, [""], _ROW)
    return themed(f'<svg class="key" aria-hidden="true" width="17" height="17" viewBox="0 {_TOP} 17 17">{body}</svg>')


def _opening(width: int, height: int, whole: str) -> str:
    """The opening tag."""
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    label = f'class="wide" role="img" aria-label="{escape(whole)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {label} {size} font-family="{FONT}">'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    """A small grey text."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="11" text-anchor="{anchor}" fill="{LIGHT["muted"]}">{escape(text)}</text>'
    )


def _cells_of(state: State, cells: Sequence[Cell], place: dict[int, float], rows: list[str], step: int) -> str:
    """The cells of one state, which share their colours."""
    squares, signs = [], []
    for cell in cells:
        if cell.state == state:
            x, y = place[cell.column], _TOP + _ROW * rows.index(cell.row)
            squares.append(f'<rect x="{x:g}" y="{y}" width="{step - 1}" height="{_ROW - 1}">{_says(cell)}</rect>')
            signs.append(f'<text x="{x + (step - 1) / 2:g}" y="{y + 12}">{_SIGN[state]}</text>')
    size = min(13, step + 4)
    drawn = f'<g fill="{LIGHT[_FILL[state]]}">{"".join(squares)}</g>'
    if not _SIGN[state]:
        return drawn
    style = (
        f'fill="{LIGHT[_INK[state]]}" font-size="{size}" font-weight="700" text-anchor="middle" pointer-events="none"'
    )
    return f"{drawn}<g {style}>{''.join(signs)}</g>"


def _says(cell: Cell) -> str:
    """The hover title of a cell."""
    where = "held out" if cell.held_out else "seen"
    return escape(f"{cell.column} ({where}), {cell.row}: {WORDS[cell.state]}").join(("<title>", "</title>"))


def _held_out(column: int, cells: Sequence[Cell]) -> bool:
    """Whether a column is held out."""
    return any(cell.held_out for cell in cells if cell.column == column)


def _bars(places: list[float], y: int, step: int) -> str:
    """The bars under the columns that are held out."""
    bars = "".join(f'<rect x="{x:g}" y="{y}" width="{step - 1}" height="3"/>' for x in places)
    return f'<g fill="{LIGHT["ink"]}">{bars}</g>'
