"""What each layer predicts at each position, as a table: the likeliest token, shaded by its probability.

With the script, a cell's other tokens are shown below the table, for the pointer and for the arrow keys alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import table, text_of
from shoal.figures.tokens import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOM = "shoal.figures"
_VIEW = Markup("<div class='lens-view'>{}<p class='lens-says muted' aria-live='polite' hidden></p></div>")
_CELL = Markup("<span class='lens {}' style='--heat:{:.2f}' title='{}'>{}<small>{:.0%}</small></span>")


@dataclass(frozen=True, slots=True, kw_only=True)
class LensCell:
    """One layer at one position."""

    token: str
    """The likeliest next token."""

    p: float
    """Its probability."""

    right: bool
    """Whether it is the token that comes next."""

    more: str
    """It and the tokens after it with their probabilities, shown when the cell is pointed at or reached by a key."""


def lens_table(layers: Sequence[str], rows: Sequence[tuple[str, Sequence[LensCell]]], *, caption: str) -> Markup:
    """A row a position, a column a layer.

    Args:
        layers: the names of the columns.
        rows: the token that is read there, and a cell a layer.
        caption: what the table shows.
    """
    cells = [
        (
            visible(token),
            *(
                _CELL.format("hit" if cell.right else "", cell.p, cell.more, visible(cell.token), cell.p)
                for cell in row
            ),
        )
        for token, row in rows
    ]
    return _VIEW.format(table(("read", *layers), cells, caption=caption))


def lens_style() -> str:
    """The CSS of lens tables."""
    return (
        ".lens{display:block;padding:.1rem .35rem;border-radius:3px;white-space:nowrap;"
        "font-family:ui-monospace,'Cascadia Mono',Menlo,Consolas,'Liberation Mono',monospace;font-size:.8rem;"
        "background:color-mix(in srgb,var(--series-1) calc(var(--heat)*50%),var(--paper))}"
        ".lens:focus-visible{outline:2px solid var(--series-2);outline-offset:1px}"
        ".lens.hit{box-shadow:inset 0 0 0 2px var(--right)}.lens small{color:inherit;opacity:.75;font-size:.7rem}\n"
    )


def lens_script() -> str:
    """The JavaScript of lens tables; it finds all of a page's by itself."""
    return text_of(_ROOM, "lens.js")
