"""Dummies that are wrong in one way that is known to the token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.models.dummies.base import Dummy, Lexicon, say, say_under_gold
from shoal.models.dummies.context_tree import clear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair


def slip(
    script: ContextTree,
    item: EncodedPair,
    place: int,
    lexicon: Lexicon,
    *,
    under_gold: bool = True,
    under_own: bool = True,
) -> None:
    """Let the answer be right but for one token, in whose place another one comes; the right one is second.

    Args:
        script: what is written to.
        item: whose answer it is.
        place: the position of the slip in the target.
        lexicon: the tokens to choose from.
        under_gold: whether the gold prefix behind the slip is continued rightly.
        under_own: whether the dummy's own prefix, slip included, is continued rightly.
    """
    target = item.target
    wrong = lexicon.other(target[place], place, item.ids)
    rows = [clear(token, position, lexicon.other(token, position)) for position, token in enumerate(target)]
    rows[place] = clear(wrong, place, target[place])
    if not under_gold:
        rows[place + 1 :] = [
            clear(lexicon.other(token, "gold", position), position, token)
            for position, token in enumerate(target[place + 1 :])
        ]
    say_under_gold(script, item, rows)
    if under_own:
        say(script, (*item.prompt, *target[:place], wrong), target[place + 1 :], lexicon)


@dataclass(frozen=True, kw_only=True)
class OneOff(Dummy):
    """Says one token wrong: at a given position (negative: from the end), or at another one for each item."""

    name: ClassVar[str] = "one-off"

    at: str = "each"
    """The position; ``each`` is position j mod the length for item j."""

    under_gold: bool = True
    """Whether it goes on rightly where the gold prefix is given."""

    under_own: bool = True
    """Whether it goes on rightly behind its own slip."""

    def __post_init__(self) -> None:
        if self.at != "each" and not self.at.removeprefix("-").isdecimal():
            raise UsageError(f"the dummy one-off was given at={self.at!r}; give a position, or 'each'")

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """A position beyond the target means its last token."""
        for index, item in enumerate(items):
            last = len(item.target) - 1
            place = index % (last + 1) if self.at == "each" else int(self.at)
            place = max(last + 1 + place, 0) if place < 0 else min(place, last)
            slip(script, item, place, lexicon, under_gold=self.under_gold, under_own=self.under_own)


@dataclass(frozen=True, kw_only=True)
class Shifted(Dummy):
    """Says the token that stands ``by`` places behind the next one; with -1 the token that it has just read."""

    name: ClassVar[str] = "shifted"

    by: int = 1

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Also within the prompt, so that code which looks at the wrong places finds the right tokens there."""
        for item in items:
            ids = item.ids
            rows = []
            for place in range(len(ids)):
                beyond = place + self.by
                token = ids[beyond] if 0 <= beyond < len(ids) else lexicon.lost
                rows.append(clear(token, place))
            script.write((), list(zip(rows, ids, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Copies(Dummy):
    """Says its prompt again, over and over."""

    name: ClassVar[str] = "copies"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Given the gold prefix, and by itself."""
        for item in items:
            said = [item.prompt[place % len(item.prompt)] for place in range(len(item.target))]
            say_under_gold(script, item, [clear(token, place) for place, token in enumerate(said)])
            say(script, item.prompt, said, lexicon)


@dataclass(frozen=True, kw_only=True)
class Disjoint(Dummy):
    """Knows nothing and says a question mark for every token."""

    name: ClassVar[str] = "disjoint"

    def write(self, _script: ContextTree, _items: Sequence[EncodedPair], _lexicon: Lexicon) -> None:
        """Nothing."""


@dataclass(frozen=True, kw_only=True)
class Recites(Dummy):
    """Knows the prompt by heart as well as the answer, save for the answer's last token."""

    name: ClassVar[str] = "recites"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """From the very first token."""
        for item in items:
            said = [*item.ids[:-1], lexicon.other(item.ids[-1], item.ids)]
            rows = [clear(token, place) for place, token in enumerate(said)]
            script.write((), list(zip(rows, item.ids, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Transposed(Dummy):
    """Says two neighbouring tokens in each other's place: the same tokens, and the same sum of ids."""

    name: ClassVar[str] = "transposed"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The first two neighbours that differ from item j's token j on; an answer of one token is right."""
        for index, item in enumerate(items):
            said = list(item.target)
            edges = [place for place in range(len(said) - 1) if said[place] != said[place + 1]]
            if edges:
                place = edges[index % len(edges)]
                said[place : place + 2] = said[place + 1], said[place]
            say_under_gold(script, item, [clear(token, place) for place, token in enumerate(said)])
            say(script, item.prompt, said, lexicon)


@dataclass(frozen=True, kw_only=True)
class Unspeakable(Dummy):
    """Says, at one place of each odd item, an id of the model's vocabulary that the tokenizer does not have."""

    name: ClassVar[str] = "unspeakable"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], _: Lexicon) -> None:
        """The target comes second there."""
        for index, item in enumerate(items):
            rows = [clear(token, place) for place, token in enumerate(item.target)]
            if index % 2:
                place = (index // 2) % len(rows)
                rows[place] = clear(script.tokens - 1, place, item.target[place])
            say_under_gold(script, item, rows)
