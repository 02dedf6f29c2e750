"""How many pairs of prompts are compared, so that the report stays quick with many long rows."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_Item = TypeVar("_Item")

_MOST_PAIRS = 1_000_000
_MOST_STEPS = 50_000_000
"""Steps of the edit distance: words of 64 characters by characters of the other prompt, some 25 ns each."""


def sample_sizes(seen: Sequence[str], held_out: Sequence[str]) -> tuple[int, int]:
    """How many of the seen and of the held-out prompts are compared with each other: all, where that is cheap."""
    mean_seen = sum(map(len, seen)) / len(seen)
    mean_words = sum(len(prompt) // 64 + 1 for prompt in held_out) / len(held_out)
    pairs = min(_MOST_PAIRS, int(_MOST_STEPS / max(1.0, mean_seen * mean_words)))
    held_out_size = min(len(held_out), max(30, pairs // len(seen)))
    seen_size = min(len(seen), max(100, pairs // held_out_size))
    return seen_size, held_out_size


def sample(items: Sequence[_Item], size: int, seed: int) -> list[_Item]:
    """That many of the items, drawn by the seed, in their order."""
    if size >= len(items):
        return list(items)
    return [items[place] for place in sorted(random.Random(seed).sample(range(len(items)), size))]
