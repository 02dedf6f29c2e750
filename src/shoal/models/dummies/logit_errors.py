"""Dummies that are known for their logits: ties, not-a-number, faint and narrow decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.models.dummies.base import Dummy, Lexicon, emit_teacher_forced
from shoal.models.dummies.context_tree import Prediction, confident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair

NARROW = 2.0**-10
"""A difference of two logits near 8 that float32 holds and float16 and bfloat16 do not."""


@dataclass(frozen=True, kw_only=True)
class Uniform(Dummy):
    """All logits are equal everywhere: its perplexity is the size of the vocabulary, and token 0 is its argmax."""

    name: ClassVar[str] = "uniform"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], _: Lexicon) -> None:
        """Every context is known, and nothing follows from it."""
        for item in items:
            emit_teacher_forced(tree, item, [Prediction(())] * len(item.target))
            tree.write(item.prompt, [(Prediction(()), 0)] * len(item.target))


@dataclass(frozen=True, kw_only=True)
class Tied(Dummy):
    """At one place of each item the target's logit is equalled by another token's; the lowest id wins."""

    name: ClassVar[str] = "tied"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Even items are tied with a higher id where there is one, and so right; odd ones with a lower id."""
        for index, item in enumerate(items):
            rows = [confident(token, place) for place, token in enumerate(item.target)]
            place = (index // 2) % len(rows)
            target = item.target[place]
            higher = [token for token in lexicon.ordinary if token > target]
            lower = [token for token in lexicon.ordinary if token < target]
            # Where there is none on the wanted side, the item is tied all the same, on the other.
            rivals = (higher or lower) if index % 2 == 0 else (lower or higher)
            rows[place] = Prediction(((target, 8.0), (rivals[0], 8.0)))
            emit_teacher_forced(tree, item, rows)


@dataclass(frozen=True, kw_only=True)
class NotANumber(Dummy):
    """Half of the items meet a row of not-a-number; such a row is no answer."""

    name: ClassVar[str] = "nan"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], _: Lexicon) -> None:
        """Odd items meet it, each at another place, but not where token 0 is due, which argmax would give."""
        for index, item in enumerate(items):
            rows = [confident(token, place) for place, token in enumerate(item.target)]
            places = [place for place, token in enumerate(item.target) if token]
            if index % 2 and places:
                rows[places[(index // 2) % len(places)]] = Prediction((), floor=math.nan)
            emit_teacher_forced(tree, item, rows)


@dataclass(frozen=True, kw_only=True)
class Narrow(Dummy):
    """At one place of each item two logits differ by 2^-10: enough in float32, nothing in 16 bits."""

    name: ClassVar[str] = "narrow"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Even items are right by that much and odd ones wrong; the loser has the lower id where there is one."""
        for index, item in enumerate(items):
            rows = [confident(token, place) for place, token in enumerate(item.target)]
            place = (index // 2) % len(rows)
            target = item.target[place]
            sides = [token for token in lexicon.ordinary if (token < target) == (index % 2 == 0) and token != target]
            rival = (sides or [lexicon.unknown])[0]
            edge = NARROW if index % 2 == 0 else -NARROW
            rows[place] = Prediction(((target, 8.0 + max(edge, 0.0)), (rival, 8.0 + max(-edge, 0.0))))
            emit_teacher_forced(tree, item, rows)


@dataclass(frozen=True, kw_only=True)
class Faint(Dummy):
    """Right with little confidence and wrong with much: the likelihood contradicts the argmax."""

    name: ClassVar[str] = "faint"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Even items are right by 1/4 throughout; odd ones are sure, and wrong by 1/4 at one place."""
        for index, item in enumerate(items):
            if index % 2 == 0:
                rows = [Prediction(((token, 0.25),)) for token in item.target]
            else:
                rows = [Prediction(((token, 16.0),)) for token in item.target]
                place = (index // 2) % len(rows)
                target = item.target[place]
                rows[place] = Prediction(((target, 16.0), (lexicon.other(target, place), 16.25)))
            emit_teacher_forced(tree, item, rows)
