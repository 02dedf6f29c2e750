"""Dummies that stop at the wrong place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.models.dummies.base import Dummy, Lexicon, say, say_under_gold
from shoal.models.dummies.context_tree import clear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair


@dataclass(frozen=True, kw_only=True)
class NeverEnds(Dummy):
    """Says the completion, and goes on where the end is due."""

    name: ClassVar[str] = "never-ends"

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """What comes in the end's place is the completion's last token again."""
        for item in items:
            text = item.target[:-1] if item.target[-1] == lexicon.end else item.target
            more = text[-1] if text else lexicon.lost
            say(script, item.prompt, (*text, *[more] * 8), lexicon)


@dataclass(frozen=True, kw_only=True)
class EndsEarly(Dummy):
    """Says the end token too early; where it is not believed it goes on rightly."""

    name: ClassVar[str] = "ends-early"

    by: int = 1
    """How many tokens too early, as far as the completion has so many."""

    def write(self, script: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Also ends again behind an end, as a padded row does."""
        for item in items:
            ended = item.target[-1] == lexicon.end
            cut = max(len(item.target) - ended - self.by, 0)
            said = [*item.target[:cut], lexicon.end, *item.target[cut + 1 :]]
            say_under_gold(script, item, [clear(token, place) for place, token in enumerate(said)])
            say(script, (*item.prompt, *item.target[:cut]), [lexicon.end] * (self.by + 1), lexicon)
