"""A story as sentences and what stands between them, so that it can be put together again."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_BETWEEN = re.compile(r'((?<=[.!?"]) +(?=[A-Z"])|\n+)')


def split_sentences(text: str) -> list[str]:
    """Sentences at even places, what stands between them at odd ones; joined, they are the text."""
    return _BETWEEN.split(text)


def chosen_part(places: Sequence[int], dose: float, rng: random.Random) -> frozenset[int]:
    """The share ``dose`` of the places, rounded up; with equal chance, a higher dose has all those of a lower one."""
    order = list(places)
    rng.shuffle(order)
    return frozenset(order[: math.ceil(dose * len(order) - 1e-9)])
