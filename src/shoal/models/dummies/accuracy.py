"""Dummies that answer a known part of the items right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.models.dummies.base import Dummy, Lexicon, say
from shoal.models.dummies.context_tree import chance
from shoal.models.dummies.slips import slip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair


@dataclass(frozen=True, kw_only=True)
class Oracle(Dummy):
    """Answers each item right with probability p; a wrong answer is off by one token, at a random place."""

    name: ClassVar[str] = "oracle"

    p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise UsageError(f"the oracle was given p={self.p}; give a probability between 0 and 1")

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Decide each item by its own tokens, so that equal items fare alike."""
        for item in items:
            if chance(self.seed, item.ids) < self.p:
                say(script, item.prompt, item.target, lexicon)
            else:
                slip(script, item, int(chance(self.seed, "place", item.ids) * len(item.target)), lexicon)


@dataclass(frozen=True, kw_only=True)
class SeesPositions(Oracle):
    """An oracle with absolute positions: a context that does not start at position 0 means nothing to it."""

    name: ClassVar[str] = "positions"
    absolute_positions: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class CountsCalls(Oracle):
    """An oracle with a state: each call moves all logits of a row alike, which changes no probability."""

    name: ClassVar[str] = "stateful"
    counts_calls: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Exactly(Dummy):
    """Answers exactly k items right, drawn at random; the others are wrong in one token."""

    name: ClassVar[str] = "exactly"

    k: int = 1

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Draw k items.

        Raises:
            UsageError: there are fewer than k items.
        """
        if items and not 0 <= self.k <= len(items):
            raise UsageError(f"a dummy was to answer exactly k={self.k} of {len(items)} items right; give a smaller k")
        ranked = sorted(range(len(items)), key=lambda index: chance(self.seed, index, items[index].ids))
        for rank, index in enumerate(ranked):
            item = items[index]
            if rank < self.k:
                say(script, item.prompt, item.target, lexicon)
            else:
                slip(script, item, index % len(item.target), lexicon)


@dataclass(frozen=True, kw_only=True)
class Swapped(Dummy):
    """Answers every item with the answer of the next one, as a model that mixes up its rows does."""

    name: ClassVar[str] = "swapped"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Each answer moves up by one; the first goes last."""
        for item, following in zip(items, [*items[1:], *items[:1]], strict=True):
            say(script, item.prompt, following.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class MisledByPads(Dummy):
    """Answers wrong, and right where padding stands before the prompt and is not masked."""

    name: ClassVar[str] = "pads"

    longest: int = 64
    """The most padding tokens that help it."""

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Wrong at every other item's first token, else at its last; right behind any number of pads."""
        for index, item in enumerate(items):
            slip(script, item, 0 if index % 2 else len(item.target) - 1, lexicon)
            for pads in range(1, self.longest + 1):
                say(script, (*[lexicon.pad] * pads, *item.prompt), item.target, lexicon)
