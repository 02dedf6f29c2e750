"""Attention heads as a grid of small patterns, one of them shown large: block by head, query by key.

Of each query only the strongest links are drawn, so that a thousand tokens and 144 heads stay a small page; how much of
the attention they hold stands beside every pattern. A link takes three bytes: its key in two, the root of its weight
in one, so that the thin attention of a long text is still there.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from shoal.figures.page import templates, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_ROOM = "shoal.figures"
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
