"""Dummies that prefer one of several completions of a prompt: known by what they choose, and not by what they answer.

What a dummy is taught first of a prompt's completions counts as the right one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from shoal.errors import UsageError
from shoal.models.dummies.base import Dummy, Lexicon
from shoal.models.dummies.context_tree import Prediction, hash_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair

_BEST = 8.0
_STEP = 1.5
# Six ranks are told apart; further ones are equally unlikely, above the floor of 0 that other tokens have.
_LAST_RANK = 5


@dataclass(frozen=True, kw_only=True)
class _Prefers(Dummy):
    """Writes the completions of each prompt into the tree, the more likely the lower their rank.

    All completions of a prompt share its node, and some share more, so that logits are gathered by context first.
    """

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], _: Lexicon) -> None:
        """Where two completions share a token, it gets the logit of the better one."""
        prompts: dict[tuple[int, ...], list[EncodedPair]] = defaultdict(list)
        for item in items:
            prompts[item.prompt].append(item)
        for prompt, given in prompts.items():
            # Equal completions are one: which of two equal choices is meant must not make a difference.
            completions = list({item.target: item for item in given}.values())
            logits: dict[tuple[int, ...], dict[int, float]] = defaultdict(dict)
            for item, rank in zip(completions, self.ranks(completions), strict=True):
                for place, token in enumerate(item.target):
                    row = logits[*prompt, *item.target[:place]]
                    row[token] = max(row.get(token, 0.0), self.logit(rank, place, len(item.target)))
            for context, row in logits.items():
                prediction = Prediction(tuple(sorted(row.items())))
                for token in row:
                    tree.write(context, [(prediction, token)])

    @abstractmethod
    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """The rank of each completion of one prompt, 0 for the likeliest.

        Args:
            completions: in the order in which they were taught, all different.
        """

    def logit(self, rank: int, _place: int, _length: int) -> float:
        """The logit of a token.

        Args:
            rank: of its completion.
            _place: its position in the completion.
            _length: of the completion in tokens.
        """
        return _BEST - _STEP * min(rank, _LAST_RANK)


@dataclass(frozen=True, kw_only=True)
class Chooser(_Prefers):
    """Prefers the right completion with probability p, else the second one taught; the others follow in order."""

    name: ClassVar[str] = "chooser"

    p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise UsageError(f"the dummy {self.name} was given p={self.p}; give a probability between 0 and 1")

    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """Decide by the prompt's own tokens."""
        order = list(range(len(completions)))
        if hash_uniform(self.seed, completions[0].ids) >= self.p:
            order[:2] = order[:2][::-1]
        return order


@dataclass(frozen=True, kw_only=True)
class SwappedChoices(_Prefers):
    """Prefers the completion that was taught last, and the right one least."""

    name: ClassVar[str] = "swapped-choices"

    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """The order of teaching, reversed."""
        return list(range(len(completions)))[::-1]


@dataclass(frozen=True, kw_only=True)
class LengthBiased(_Prefers):
    """Prefers the completion of the fewest tokens, or of the most, whichever is right."""

    name: ClassVar[str] = "length-biased"

    prefer: str = "short"
    """``short`` or ``long``."""

    def __post_init__(self) -> None:
        if self.prefer not in ("short", "long"):
            raise UsageError(f"the dummy length-biased was given prefer={self.prefer!r}; give short or long")

    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """By length; equal lengths have one rank."""
        lengths = sorted({len(item.target) for item in completions}, reverse=self.prefer == "long")
        return [lengths.index(len(item.target)) for item in completions]


Misleading = Literal["first", "last"]


@dataclass(frozen=True, kw_only=True)
class Misled(_Prefers):
    """Prefers the right completion as a whole, and the wrong ones at one token, the first or the last."""

    name: ClassVar[str] = "misled"

    at: str = "first"
    """``first`` or ``last``; a completion of one token has neither, and is as likely as its rank says."""

    def __post_init__(self) -> None:
        if self.at not in get_args(Misleading):
            raise UsageError(f"the dummy misled was given at={self.at!r}; give first or last")

    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """The order of teaching."""
        return list(range(len(completions)))

    def logit(self, rank: int, place: int, length: int) -> float:
        """At the one token half a logit in the wrong direction, at each other one three in the right one."""
        if length > 1 and place == (0 if self.at == "first" else length - 1):
            return _BEST / 2 + min(rank, _LAST_RANK) / 2
        # Above the floor of 0, where all tokens would be alike.
        return max(_BEST - 3 * rank, 1.0)


@dataclass(frozen=True, kw_only=True)
class NarrowChooser(_Prefers):
    """Prefers the right completion by 2^-6 of a logit: enough in float32, nothing in 16 bits."""

    name: ClassVar[str] = "narrow-chooser"

    def ranks(self, completions: Sequence[EncodedPair]) -> list[int]:
        """Every other prompt has its second completion preferred."""
        order = list(range(len(completions)))
        return order if hash_uniform(self.seed, completions[0].ids) < 0.5 else order[::-1]

    def logit(self, rank: int, place: int, _length: int) -> float:
        """Ranks differ at the first token alone."""
        return _BEST - rank * 2.0**-6 if place == 0 else _BEST


@dataclass(frozen=True, kw_only=True)
class ChooserByPosition(Chooser):
    """A chooser with absolute positions: a context that does not start at position 0 means nothing to it."""

    name: ClassVar[str] = "chooser-positions"
    absolute_positions: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class ChooserWithState(Chooser):
    """A chooser with a state: each call moves all logits of a row alike, which changes no probability."""

    name: ClassVar[str] = "chooser-stateful"
    counts_calls: ClassVar[bool] = True
