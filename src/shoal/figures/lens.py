"""What each layer predicts at each position, as a table: the likeliest token, shaded by its probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import table
from shoal.figures.tokens import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """The tokens after it, for the hover title."""


def lens_table(layers: Sequence[str], rows: Sequence[tuple[str, Sequence[LensCell]]], *, caption: str) -> Markup:
    """A row a position, a column a layer.

    Args:
        layers: the names of the columns.
        rows: the token that is read there, and a cell a layer.
        caption: what the table says.
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
    return table(("read", *layers), cells, caption=caption)


def lens_style() -> str:
    """The CSS of lens tables."""
    return (
        ".lens{display:block;padding:.1rem .35rem;border-radius:3px;white-space:nowrap;"
        "font-family:ui-monospace,'Cascadia Mono',Menlo,Consolas,'Liberation Mono',monospace;font-size:.8rem;"
        "background:color-mix(in srgb,var(--series-1) calc(var(--heat)*50%),var(--paper))}"
        ".lens.hit{box-shadow:inset 0 0 0 2px var(--right)}.lens small{color:inherit;opacity:.75;font-size:.7rem}\n"
    )
