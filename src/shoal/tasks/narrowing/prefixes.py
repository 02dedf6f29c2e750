"""Prefix leakage: how much of the held-out completions stands in the seen ones, from the front or from the back.

Method: the seen completions are sorted, so that those that begin alike stand side by side; a held-out completion is
followed token by token while the range of seen completions that begin like it narrows. That is a walk down a trie
without the memory of one: n log n for the sorting, one step a token for the walk.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.tasks.narrowing.encoding import END, Encoded, Ids

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixLeakage:
    """What the seen completions say of the held-out ones. Counts are of held-out examples."""

    items: int
    """Held-out examples."""

    known: int
    """Completions that were seen word for word, the end included."""

    prefixes: int
    """Completions that are the beginning of a longer seen one, so that only the place of stopping is new."""

    suffixes: int
    """Completions that are the end of a longer seen one, so that only the place of beginning is new."""

    prefix_share: float
    """Share of a completion's tokens, on average, that stand at the beginning of a seen completion."""

    positions: int
    """Completion tokens of all items, the end tokens included; the four shares that follow add up to 1."""

    determined: float
    """Share of positions where every seen completion that begins alike goes on with the right token."""

    contradicted: float
    """Share of positions where every seen completion that begins alike goes on with one other token."""

    ambiguous: float
    """Share of positions where seen completions that begin alike go on in different ways."""

    unseen: float
    """Share of positions behind a beginning that no seen completion has."""

    new_tokens: float
    """Share of completion tokens, the end left out, that occur nowhere in the seen completions."""


def prefix_leakage(seen: Sequence[Encoded], held_out: Sequence[Encoded]) -> PrefixLeakage:
    """Compare the held-out completions with all seen ones."""
    forward = sorted({item.target for item in seen})
    backward = sorted({item.completion[::-1] for item in seen})
    vocabulary = {token for item in seen for token in item.completion}
    walks = [_walk(forward, item.target) for item in held_out]
    known = [len(item.target) == walk.shared for item, walk in zip(held_out, walks, strict=True)]
    suffixes = [
        not is_known and _walk(backward, item.completion[::-1]).shared == len(item.completion)
        for item, is_known in zip(held_out, known, strict=True)
    ]
    prefixes = [
        not is_known and walk.shared == len(item.completion)
        for item, walk, is_known in zip(held_out, walks, known, strict=True)
    ]
    positions = sum(len(item.target) for item in held_out)
    tokens = [token for item in held_out for token in item.completion]
    return PrefixLeakage(
        items=len(held_out),
        known=sum(known),
        prefixes=sum(prefixes),
        suffixes=sum(suffixes),
        prefix_share=sum(
            min(walk.shared, len(item.completion)) / max(1, len(item.completion))
            for item, walk in zip(held_out, walks, strict=True)
        )
        / len(held_out),
        positions=positions,
        determined=sum(walk.determined for walk in walks) / positions,
        contradicted=sum(walk.contradicted for walk in walks) / positions,
        ambiguous=sum(walk.ambiguous for walk in walks) / positions,
        unseen=sum(walk.unseen for walk in walks) / positions,
        new_tokens=sum(token not in vocabulary for token in tokens) / max(1, len(tokens)),
    )


@dataclass(slots=True)
class _Walk:
    """Positions of one target by what the seen sequences say there."""

    shared: int = 0
    """Tokens of the longest beginning that a seen sequence has too."""

    determined: int = 0
    contradicted: int = 0
    ambiguous: int = 0
    unseen: int = 0


def _walk(seen: Sequence[Ids], target: Ids) -> _Walk:
    """Follow the target through the sorted sequences."""
    walk = _Walk()
    low, high = 0, len(seen)
    for place, token in enumerate(target):
        while low < high and len(seen[low]) == place:
            low += 1  # a sequence that stops here, without an end token, says nothing of what follows
        if low == high:
            walk.unseen += len(target) - place
            break
        if seen[low][place] != seen[high - 1][place]:
            walk.ambiguous += 1
            low = bisect_left(seen, token, low, high, key=lambda ids: ids[place])
            high = bisect_left(seen, token + 1, low, high, key=lambda ids: ids[place])
        elif seen[low][place] == token:
            walk.determined += 1
        else:
            walk.contradicted += 1
            low = high
        walk.shared += low < high
    return walk


assert END < 0, "the end must sort before every token id"
