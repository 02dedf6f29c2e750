"""A text as its tokens: each one a box, coloured by any number, with everything known of it beside.

A thousand tokens stay light: a box is a span with its place alone, and what is known of the tokens stands once, as JSON
that the page's script reads. Without the script the boxes and their hover titles remain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures.page import templates, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
                "values": [None if value is None else float(f"{value:.{_SIGNS}g}") for value in measure.values],
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
