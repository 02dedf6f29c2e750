"""A story as sentences and what stands between them, so that it can be put together again."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from shoal.text import sentence_spans

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence


def split_with_blanks(text: str) -> list[str]:
    """Sentences at even places, what stands between them at odd ones; joined, they are the text."""
    places = [place for span in sentence_spans(text) for place in span]
    return [text[start:stop] for start, stop in pairwise([0, *places[1:-1], len(text)])]


def chosen_part(places: Sequence[int], dose: float, rng: random.Random) -> frozenset[int]:
    """The share ``dose`` of the places, rounded up; with equal chance, a higher dose has all those of a lower one."""
    order = list(places)
    rng.shuffle(order)
    return frozenset(order[: math.ceil(dose * len(order) - 1e-9)])
