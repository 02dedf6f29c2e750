"""How frequent stems are in a language at large.

``english.txt`` holds a stem a line with its occurrences in a million words, the mean over three kinds of text: English
Wikipedia (the validation part of WikiText-2), the Open American National Corpus's MASC, and children's books of Project
Gutenberg; stems with fewer than three are left out. ``recipes/english_background.py`` makes it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_UNSEEN = 1e-5
"""Added to every share: a stem that the list lacks may be common in the document's field."""


def language_shares(language: str, stems: Sequence[str]) -> NDArray[np.float64] | None:
    """The share of each stem (V); None for a language that no list is known of."""
    if language != "english":
        return None
    table = _english()
    return np.array([table.get(stem, 0.0) for stem in stems] or [0.0]) + _UNSEEN


@cache
def _english() -> dict[str, float]:
    text = resources.files(__package__).joinpath("english.txt").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {stem: float(per_million) / 1e6 for stem, per_million in rows}
