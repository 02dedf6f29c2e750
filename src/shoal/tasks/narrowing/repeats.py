"""What repeats in the tokens of a held-out part: the seen completions in the held-out ones, and cycles over the items.

Prefix leakage: how much of the held-out completions occurs in the seen ones, from the front or from the back. The seen
completions are sorted, so that those that begin alike are neighbours; a held-out completion is followed token by token
while the range of seen completions that begin like it narrows. That is a walk down a trie without the memory of one:
n log n for the sorting, one step per token for the walk.

Token cycles: whether the tokens of the completions, or the split, repeat over the items in their order: that of the tag
``index`` where every example has one, else that of their length. A cycle is searched in the last token of the
completions and, where that has none, in the steps by which their number of tokens grows; the first quarter of the items
is left out, as tokenizers write the shortest numerals in their own way.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.tasks.narrowing.measurements import END, EncodedExample, Ids

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from shoal.tasks.task import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixLeakage:
    """How far the seen completions determine the held-out ones. Counts are of held-out examples."""

    items: int
    """Held-out examples."""

    known: int
    """Completions that were seen word for word, the end included."""

    prefixes: int
    """Completions that are the beginning of a longer seen one."""

    suffixes: int
    """Completions that are the end of a longer seen one."""

    prefix_share: float
    """Share of a completion's tokens, on average, that stand at the beginning of a seen completion."""

    positions: int
    """Completion tokens of all items, the end tokens included; the four shares that follow add up to 1."""

    determined: float
    """Share of positions where every seen completion that begins alike continues with the right token."""

    contradicted: float
    """Share of positions where every seen completion that begins alike continues with one other token."""

    ambiguous: float
    """Share of positions where seen completions that begin alike continue in different ways."""

    unseen: float
    """Share of positions behind a beginning that no seen completion has."""

    undecided: float
    """Share of the tokens before the end where seen completions that begin alike leave more than the next
    token or a stop: another token, or nothing seen at all."""

    undecided_backward: float
    """The same read from the back, for seen completions that end alike."""

    new_tokens: float
    """Share of completion tokens, the end left out, that occur nowhere in the seen completions."""

    @property
    def tested(self) -> float:
        """Share of positions that seen completions alone do not answer."""
        return 1 - self.determined


def prefix_leakage(seen: Sequence[EncodedExample], held_out: Sequence[EncodedExample]) -> PrefixLeakage:
    """Compare the held-out completions with all seen ones.

    Args:
        seen: the seen examples; at least one.
        held_out: the held-out examples; at least one.
    """
    forward = sorted({item.target for item in seen})
    backward = sorted({item.completion[::-1] for item in seen})
    vocabulary = {token for item in seen for token in item.completion}
    tokens = [token for item in held_out for token in item.completion]
    compared = [_compare(item, forward, backward) for item in held_out]
    walks = [item.forward for item in compared]
    positions = sum(len(item.target) for item in held_out)
    return PrefixLeakage(
        items=len(held_out),
        known=sum(item.known for item in compared),
        prefixes=sum(item.prefix for item in compared),
        suffixes=sum(item.suffix for item in compared),
        prefix_share=sum(item.prefix_share for item in compared) / len(held_out),
        positions=positions,
        determined=sum(walk.determined for walk in walks) / positions,
        contradicted=sum(walk.contradicted for walk in walks) / positions,
        ambiguous=sum(walk.ambiguous for walk in walks) / positions,
        unseen=sum(walk.unseen for walk in walks) / positions,
        undecided=sum(walk.undecided for walk in walks) / max(1, len(tokens)),
        undecided_backward=sum(item.backward.undecided for item in compared) / max(1, len(tokens)),
        new_tokens=sum(token not in vocabulary for token in tokens) / max(1, len(tokens)),
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """One held-out completion compared with the seen ones."""

    length: int
    known: bool
    forward: _Walk
    backward: _Walk

    @property
    def prefix(self) -> bool:
        return not self.known and self.forward.shared == self.length

    @property
    def suffix(self) -> bool:
        return not self.known and self.backward.shared == self.length

    @property
    def prefix_share(self) -> float:
        return min(self.forward.shared, self.length) / max(1, self.length)


def _compare(item: EncodedExample, forward: Sequence[Ids], backward: Sequence[Ids]) -> _Compared:
    """Follow the completion from the front with its end, and from the back without."""
    walk = _walk(forward, item.target)
    known = walk.shared == len(item.target)
    return _Compared(len(item.completion), known, walk, _walk(backward, item.completion[::-1]))


@dataclass(slots=True)
class _Walk:
    """Positions of one target by how the seen sequences continue there."""

    shared: int = 0
    """Tokens of the longest beginning that a seen sequence has too."""

    determined: int = 0
    contradicted: int = 0
    ambiguous: int = 0
    unseen: int = 0

    undecided: int = 0
    """Positions before the end where some seen sequence continues with another token, or none continues."""


def _walk(seen: Sequence[Ids], target: Ids) -> _Walk:
    """Follow the target through the sorted sequences."""
    walk = _Walk()
    low, high = 0, len(seen)
    for place, token in enumerate(target):
        while low < high and len(seen[low]) == place:
            low += 1  # a sequence that stops here, without an end token, does not show what follows
        if low == high:
            walk.unseen += len(target) - place
            walk.undecided += len(target) - place - (target[-1] == END)
            break
        first, last = seen[low][place], seen[high - 1][place]
        if first == last == token:
            walk.determined += 1
        elif first == last:
            walk.contradicted += 1
            walk.undecided += token != END
            low = high
        else:
            walk.ambiguous += 1
            # END is the least of all ids, so sequences that stop here come first.
            going_on = _first_from(seen, low, high, place, END + 1)
            walk.undecided += token != END and not seen[going_on][place] == last == token
            low, high = _first_from(seen, low, high, place, token), _first_from(seen, low, high, place, token + 1)
        walk.shared += low < high
    return walk


def _first_from(seen: Sequence[Ids], low: int, high: int, place: int, token: int) -> int:
    """The first sequence of the range whose token at the place is not less than this one."""
    return bisect_left(seen, token, low, high, key=lambda ids: ids[place])


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
