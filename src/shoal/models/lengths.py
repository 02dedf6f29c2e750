"""Which lengths of what a model reads give the same numbers, found by reading and by its configuration.

The logits of a causal model at a place should hang on what stands before it alone. Some models look at the length of
all that is read as well: LongRoPE (Ding et al. 2024) turns positions by other frequencies as soon as anything lies
beyond the original context, dynamic NTK scaling by frequencies that differ for every length beyond it, and a model that
is not causal sees what follows. Such a model is scored, token by token, as if each prefix were read by itself; so rows
go together only where their lengths agree, and a token is judged where what is read is as long as the prefix before it
or as a length that agrees with it.

A long row of ids is read at several lengths, and the last hidden states (or the logits) of the places that they share
are compared. Where they differ, the border is looked for by halving, beginning with the numbers of the configuration
that may be lengths.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Differs = Callable[[int, int], bool]

_USUAL = (7, *(2**power for power in range(20)))
_WORDS = ("position", "window", "chunk", "length", "block", "context", "seq")
_BEYOND_ORIGINAL = ("longrope", "su")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Segments of lengths that agree: reading more ids changes nothing at the places before."""

    ends: tuple[int, ...] = ()
    """The last length of each segment but the last one, ascending."""

    apart_from: int | None = None
    """From here on no length agrees with any other."""

    keeps_state: bool = False
    """Whether what was read before changes what is read next, so that the model must be made to forget it."""

    reached: int = 0
    """How far lengths were looked at."""

    @property
    def all_agree(self) -> bool:
        """Whether the length plays no part."""
        return not self.ends and self.apart_from is None

    def describe(self) -> str:
        """The borders in words."""
        parts = [f"other numbers beyond {end}" for end in self.ends]
        if self.apart_from is not None:
            parts.append(f"other numbers at every length from {self.apart_from} on")
        return "; ".join(parts) or "all agree"

    def last(self, length: int) -> int | None:
        """The longest length that agrees with this one; None where all longer ones do."""
        if self.apart_from is not None and length >= self.apart_from:
            return length
        place = bisect_left(self.ends, length)
        if place < len(self.ends):
            return self.ends[place]
        return None if self.apart_from is None else self.apart_from - 1

    def agree(self, shorter: int, longer: int) -> bool:
        """Whether two lengths agree."""
        last = self.last(shorter)
        return last is None or longer <= last


ALL_AGREE = Lengths()


def find_lengths(config: Mapping[str, Any], max_length: int, differs: Differs) -> Lengths:
    """Find which lengths up to ``max_length`` agree.

    Args:
        config: the model's configuration as plain values.
        max_length: the longest length of interest.
        differs: takes a shorter and a longer length; whether the numbers of the places that they share differ.
    """
    stated = stated_lengths(config)
    ends = {end for end in stated.ends if end < max_length}
    apart = stated.apart_from
    # The last length of a segment is such a number or one more, as an architecture counts.
    hints = sorted({near for number in _numbers(config) for near in (number, number + 1)} | set(_USUAL))
    top = max_length if apart is None else min(max_length, apart - 1)
    while top > 1:
        end = _highest_that_differs(top, hints, differs)
        if end is None:
            break
        # Two neighbours that both differ are taken for lengths of which none agrees, since each other pair would need a
        # reading of its own.
        if end == top - 1 and top > 2 and differs(top - 2, top - 1):
            apart = 1 + _first(lambda length: differs(length, length + 1), top - 2)
            # A border within lengths that all differ means nothing.
            ends = {kept for kept in ends if kept < apart}
            top = apart - 1
        else:
            ends.add(end)
            top = end
    apart = apart if apart is not None and apart <= max_length else None
    keeps_state = stated.keeps_state and apart is not None
    return Lengths(ends=tuple(sorted(ends)), apart_from=apart, keeps_state=keeps_state, reached=max_length)


def _highest_that_differs(top: int, hints: list[int], differs: Differs) -> int | None:
    """The greatest length that does not agree with ``top``, if there is one."""
    tried = sorted({length for length in (*hints, top // 2, top - 1) if 1 <= length < top})
    agreeing = top
    for length in reversed(tried):
        if differs(length, top):
            # Between a length that differs and one that agrees lies the border: about log2 of the gap readings.
            return _first(lambda more: not differs(more, top), agreeing, above=length) - 1
        agreeing = length
    return None


def _first(holds: Callable[[int], bool], high: int, above: int = 0) -> int:
    """The first length for which something holds, which holds for ``high`` and from some length on, by halving."""
    low = above
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def stated_lengths(config: Mapping[str, Any]) -> Lengths:
    """What a configuration states by names that are known; in half precision rounding may hide it from the reading."""
    ends, apart = set(), None
    context = config.get("max_position_embeddings")
    for table in _tables(config):
        kind = str(table.get("rope_type", table.get("type", "")))
        original = table.get("original_max_position_embeddings", config.get("original_max_position_embeddings"))
        if kind in _BEYOND_ORIGINAL and isinstance(original, int):
            ends.add(original)
        if kind == "dynamic" and isinstance(context, int):
            apart = context + 1
    return Lengths(ends=tuple(sorted(ends)), apart_from=apart, keeps_state=apart is not None)


def _numbers(config: Mapping[str, Any]) -> set[int]:
    """Whole numbers of the configuration that may be lengths, by their names."""
    return {
        value
        for table in _tables(config)
        for name, value in table.items()
        if isinstance(value, int) and value > 1 and any(word in name for word in _WORDS)
    }


def _tables(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A configuration and all that lie in it."""
    yield config
    for value in config.values():
        if isinstance(value, dict):
            yield from _tables(value)
