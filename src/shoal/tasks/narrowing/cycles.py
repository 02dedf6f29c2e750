"""Token cycles: whether the tokens of the completions, or the split, repeat over the items in their order.

The items stand in the order of the tag ``index`` where every example has one, else in that of their length. A cycle
is searched in the last token of the completions and, where that has none, in the steps by which their number of
tokens grows; the first quarter of the items is left out, as tokenizers write the shortest numerals in their own way.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from shoal.tasks.narrowing.encoding import EncodedExample
    from shoal.tasks.task import Example

_REPEATS = 4
"""How often a cycle must be there to be called one; two repeats of random tokens are not rare."""
_COMPARED = 12
"""Pairs of items, a period apart, that must agree at least: a short cycle needs more than its repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Periods over the items in order; None where nothing repeats."""

    order: Literal["index", "length"]
    """What the items were sorted by."""

    token_period: int | None
    """After how many items the tokens at the end of a completion repeat: 4 for unary counting with GPT-2's tokens."""

    seen_phases: tuple[int, ...]
    """The places within that period at which seen completions end."""

    new_phases: tuple[int, ...]
    """The places at which held-out completions end and no seen one does."""

    split_period: int | None
    """After how many items the split repeats: 10 for a split by the last digit."""

    longest_gap: int
    """The most held-out items that follow each other without a seen one between them."""


def find_cycles(
    seen: Sequence[Example],
    seen_ids: Sequence[EncodedExample],
    held_out: Sequence[Example],
    held_out_ids: Sequence[EncodedExample],
) -> Cycles:
    """Find the periods of the completions' tokens and of the split.

    Args:
        seen: the seen examples; at least one.
        seen_ids: the same as token ids, in the same order.
        held_out: the held-out examples; at least one.
        held_out_ids: the same as token ids, in the same order.
    """
    examples, ids = [*seen, *held_out], [*seen_ids, *held_out_ids]
    is_held = [False] * len(seen) + [True] * len(held_out)
    order: Literal["index", "length"] = "length"
    keys = [len(item.target) for item in ids]
    # isinstance would take a tag of true for 1.
    indexes = [index for example in examples if type(index := example.tags.get("index")) is int]
    if len(indexes) == len(examples):
        order, keys = "index", indexes
    places = sorted(range(len(keys)), key=keys.__getitem__)
    if order == "index":
        places = _first_of_each(places, keys)
    flags = [is_held[place] for place in places]
    # Phases count from the index itself where the indexes have no gaps, so that they read as remainders of it.
    gapless = order == "index" and keys[places[-1]] - keys[places[0]] == len(places) - 1
    offset = keys[places[0]] if gapless else 0
    period = _token_period([ids[place] for place in places])
    ends_seen: set[int] = set()
    ends_held: set[int] = set()
    for rank, flag in enumerate(flags if period else []):
        (ends_held if flag else ends_seen).add((rank + offset) % (period or 1))
    return Cycles(
        order=order,
        token_period=period,
        seen_phases=tuple(sorted(ends_seen)),
        new_phases=tuple(sorted(ends_held - ends_seen)),
        # A split is no noise: it was made by a rule, so that two rounds of its pattern suffice.
        split_period=_period(flags, repeats=2),
        longest_gap=_longest_run(flags),
    )


def _first_of_each(places: Sequence[int], keys: Sequence[int]) -> list[int]:
    """The first place of each key, as several prompts may share an index."""
    first: dict[int, int] = {}
    for place in places:
        first.setdefault(keys[place], place)
    return list(first.values())


def _token_period(items: Sequence[EncodedExample]) -> int | None:
    """The period of the completions' tokens, in items."""
    last_tokens = [item.completion[-1:] for item in items]
    sizes = [len(item.completion) for item in items]
    # A count has one numeral more than the count before, and numerals grow: only the change of growth can repeat.
    growth = [after - before for before, after in itertools.pairwise(sizes)]
    changes = [after - before for before, after in itertools.pairwise(growth)]
    start = len(items) // 4
    return _period(last_tokens[start:]) or _period(changes[start:])


def _period(values: Sequence[Hashable], repeats: int = _REPEATS) -> int | None:
    """The smallest period above 1 that the values have without an exception; None for a constant or no period."""
    if len(set(values)) < 2:
        return None
    longest = min(len(values) // repeats, len(values) - _COMPARED)
    # One comparison rules out most periods before whole slices are compared.
    periods = (period for period in range(2, longest + 1) if values[-1] == values[-1 - period])
    return next((period for period in periods if values[period:] == values[:-period]), None)


def _longest_run(flags: Sequence[bool]) -> int:
    """The most true flags in a row."""
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
