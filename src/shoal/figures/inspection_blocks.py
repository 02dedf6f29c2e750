"""The HTML blocks of a text that a model reads: its tokens, what each layer predicts, bars, and attention heads.

Tokens are boxes, coloured by any number. A thousand of them stay light: a box is a span with its place alone, and what
is known of the tokens stands once, as JSON that the page's script reads. Without the script the boxes and their hover
titles remain. In the table of layers each cell is the likeliest token, shaded by its probability; with the script, its
other tokens are shown below the table, for the pointer and for the arrow keys alike.

Heads are a grid of small patterns, one of them shown large: block by head, query by key. Of each query only the
strongest links are drawn, so that a thousand tokens and 144 heads stay a small page; how much of the attention they
hold stands beside every pattern. A link takes three bytes: its key in two, the root of its weight in one, so that the
thin attention of a long text is still there.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from shoal.figures.page import table, templates, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt


_ROOM = "shoal.figures"
_VISIBLE = str.maketrans({" ": "\N{MIDDLE DOT}", "\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}", "\t": "\u21e5"})
# A colour shows fewer, and the page holds a number per token and measure.
_SIGNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBox:
    """One token."""

    text: str
    """What stands in the box."""

    kind: str = "text"
    """``text``, ``special``, ``byte`` or ``unknown``: how the box is drawn."""

    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    """What is known of it, by name, in the order in which it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMeasure:
    """A number for each token, by which the boxes can be coloured."""

    name: str
    values: Sequence[float | None]
    """One per token; None is left without a colour."""

    unit: str = ""


def token_view(name: str, boxes: Sequence[TokenBox], *, label: str, measures: Sequence[TokenMeasure] = ()) -> Markup:
    """The boxes of one text, with a choice of what colours them where there is more than one measure.

    Args:
        name: an id that no other view of the page has; `token_data` takes the same.
        boxes: the tokens, in order.
        label: what the text is, for those who do not see it.
        measures: what may colour the boxes; the first does at the beginning.
    """
    return Markup(
        templates(_ROOM)
        .get_template("tokens.html.j2")
        .render(
            name=name,
            label=label,
            boxes=[(visible(box.text), box.kind, _title(box)) for box in boxes],
            measures=[(measure.name, measure.unit) for measure in measures],
        )
    )


def token_data(boxes: Sequence[TokenBox], measures: Sequence[TokenMeasure] = ()) -> dict[str, Any]:
    """What the script reads of a view; `page` takes it in ``data`` under the key ``tokens-`` and the view's name.

    Args:
        boxes: the tokens, in order.
        measures: what may colour the boxes.
    """
    return {
        "facts": [list(box.facts.items()) for box in boxes],
        "measures": [
            {
                "name": measure.name,
                "unit": measure.unit,
                # JSON has no infinity: a token that is impossible has no colour, as one without a value.
                "values": [
                    None if value is None or not math.isfinite(value) else float(f"{value:.{_SIGNS}g}")
                    for value in measure.values
                ],
            }
            for measure in measures
        ],
    }


def token_style() -> str:
    """The CSS of token views."""
    return text_of(_ROOM, "tokens.css")


def token_script() -> str:
    """The JavaScript of token views; it finds all of a page's by itself."""
    return text_of(_ROOM, "tokens.js")


def visible(text: str) -> str:
    """A text with its white space made visible."""
    return text.translate(_VISIBLE) or "\N{EMPTY SET}"


def _title(box: TokenBox) -> str:
    """The hover title."""
    return "; ".join(f"{name} {value}" for name, value in box.facts.items())


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
        ".lens.hit{box-shadow:inset 0 0 0 2px var(--right)}.lens small{color:inherit;font-size:.7rem}\n"
    )


def lens_script() -> str:
    """The JavaScript of lens tables; it finds all of a page's by itself."""
    return text_of(_ROOM, "lens.js")


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


_BYTES = 3_000_000
_BYTES_A_LINK = 4.0
"""Three, and a third more as base64."""
_MAX_LINKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPattern:
    """One head of one block on one text. Shapes: L tokens, T links a query."""

    block: int
    head: int

    keys_LT: npt.NDArray[np.uint16]
    """The tokens that each query looks at most, the strongest first."""

    weights_LT: npt.NDArray[np.float32]
    """The attention that lies on them, 0 to 1."""

    note: str = ""
    """What is known of the head, in a few words."""

    @property
    def share(self) -> float:
        """The share of all attention that the kept links hold."""
        return float(self.weights_LT.sum()) / max(1, len(self.weights_LT))


def links_that_fit(tokens: int, heads: int) -> int:
    """How many links a query keeps, so that the patterns of all heads take less than 3 MB.

    Args:
        tokens: of the text.
        heads: of all blocks together.
    """
    return max(1, min(_MAX_LINKS, tokens, int(_BYTES / (_BYTES_A_LINK * max(1, tokens * heads)))))


def head_grid(name: str, patterns: Sequence[HeadPattern], *, label: str) -> Markup:
    """The grid and the large pattern under it.

    Args:
        name: an id that no other grid of the page has; `head_data` takes the same.
        patterns: every head, block by block.
        label: what the grid shows, for those who do not see it.
    """
    heads = 1 + max(pattern.head for pattern in patterns)
    rows = [patterns[first : first + heads] for first in range(0, len(patterns), heads)]
    return Markup(
        templates(_ROOM)
        .get_template("heads.html.j2")
        .render(name=name, label=label, heads=heads, rows=[[(each, _tooltip(each)) for each in row] for row in rows])
    )


def head_data(patterns: Sequence[HeadPattern], tokens: Sequence[str], *, start: int = 0) -> dict[str, Any]:
    """What the script reads of a grid; `page` takes it in ``data`` under the key ``heads-`` and the grid's name.

    Args:
        patterns: every head, block by block.
        tokens: of the text.
        start: the place of the head that is shown large at first.
    """
    return {
        "tokens": list(tokens),
        "start": start,
        "links": patterns[0].keys_LT.shape[1],
        "heads": [
            {
                "summary": _tooltip(pattern),
                # Little-endian on every machine, as the script's Uint16Array reads the bytes on nearly all.
                "keys": _packed(pattern.keys_LT.astype("<u2")),
                "weights": _packed((np.sqrt(pattern.weights_LT) * 255).round().clip(0, 255).astype("u1")),
            }
            for pattern in patterns
        ],
    }


def head_style() -> str:
    """The CSS of head grids."""
    return text_of(_ROOM, "heads.css")


def head_script() -> str:
    """The JavaScript of head grids; it finds all of a page's by itself."""
    return text_of(_ROOM, "heads.js")


def _tooltip(pattern: HeadPattern) -> str:
    """A pattern in words."""
    note = f"{pattern.note}; " if pattern.note else ""
    return f"block {pattern.block} head {pattern.head}: {note}links shown hold {pattern.share:.0%} of the attention"


def _packed(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
