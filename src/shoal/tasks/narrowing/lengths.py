"""Lengths beyond those that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tasks.narrowing.encoding import Encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Tokens of the held-out examples beside those of the seen ones; ends are counted, beginning tokens too."""

    items: int
    """Held-out examples."""

    longest_seen: int
    """Tokens of the longest seen completion."""

    longest_held_out: int
    """Tokens of the longest held-out completion."""

    longer: int
    """Held-out completions longer than any seen one."""

    longer_prompts: int
    """Held-out prompts longer than any seen one."""

    context_seen: int
    """Tokens of the longest seen prompt with its completion."""

    beyond_context: float
    """Share of held-out completion positions that lie further back in the context than any seen one."""


def compare_lengths(seen: Sequence[Encoded], held_out: Sequence[Encoded]) -> Lengths:
    """Compare the lengths of both parts."""
    longest = max(len(item.target) for item in seen)
    longest_prompt = max(len(item.prompt) for item in seen)
    context = max(len(item.prompt) + len(item.target) for item in seen)
    beyond = sum(min(len(item.target), max(0, len(item.prompt) + len(item.target) - context)) for item in held_out)
    return Lengths(
        items=len(held_out),
        longest_seen=longest,
        longest_held_out=max(len(item.target) for item in held_out),
        longer=sum(len(item.target) > longest for item in held_out),
        longer_prompts=sum(len(item.prompt) > longest_prompt for item in held_out),
        context_seen=context,
        beyond_context=beyond / sum(len(item.target) for item in held_out),
    )
