"""Dummies that are wrong in one way that is known to the token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.models.dummies.family import Dummy, Lexicon, say, say_under_gold
from shoal.models.dummies.script import clear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.script import Script
    from shoal.text.encoding import EncodedPair


def slip(
    script: Script,
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

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
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

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
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

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Given the gold prefix, and by itself."""
        for item in items:
            said = [item.prompt[place % len(item.prompt)] for place in range(len(item.target))]
            say_under_gold(script, item, [clear(token, place) for place, token in enumerate(said)])
            say(script, item.prompt, said, lexicon)


@dataclass(frozen=True, kw_only=True)
class Recites(Dummy):
    """Knows the prompt by heart as well as the answer, save for the answer's last token."""

    name: ClassVar[str] = "recites"

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """From the very first token."""
        for item in items:
            said = [*item.ids[:-1], lexicon.other(item.ids[-1], item.ids)]
            rows = [clear(token, place) for place, token in enumerate(said)]
            script.write((), list(zip(rows, item.ids, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Respelled(Dummy):
    """Says the completion's text in other tokens: one that was merged comes in two parts."""

    name: ClassVar[str] = "respelled"

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The last merged token of each completion is parted; a completion without one is said as it is."""
        for item in items:
            said = list(item.target)
            for place in reversed(range(len(said))):
                parts = _parts(said[place], lexicon)
                if parts:
                    said[place : place + 1] = parts
                    break
            say(script, item.prompt, said, lexicon)
            say(script, item.prompt, item.target, lexicon)


def _parts(token: int, lexicon: Lexicon) -> list[int]:
    """Two tokens that spell what one does; none where there are none."""
    vocabulary = lexicon.tokenizer.get_vocab()
    text = str(lexicon.tokenizer.convert_ids_to_tokens(token))
    if token in lexicon.tokenizer.all_special_ids:
        return []
    for cut in range(1, len(text)):
        if text[:cut] in vocabulary and text[cut:] in vocabulary:
            return [vocabulary[text[:cut]], vocabulary[text[cut:]]]
    return []


@dataclass(frozen=True, kw_only=True)
class Inserted(Dummy):
    """Says the completion with one token more."""

    name: ClassVar[str] = "inserted"

    token: str = "<pad>"
    """As the tokenizer's vocabulary writes it."""

    first: bool = False
    """Whether it comes first; else behind the text, before the end token."""

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The gold prefix is continued rightly everywhere else."""
        extra = int(lexicon.tokenizer.convert_tokens_to_ids(self.token))
        for item in items:
            ended = item.target[-1] == lexicon.end
            cut = 0 if self.first else len(item.target) - ended
            say(script, item.prompt, (*item.target[:cut], extra, *item.target[cut:]), lexicon)
            say(script, item.prompt, item.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class Recased(Dummy):
    """Says the completion with the case of one letter changed."""

    name: ClassVar[str] = "recased"

    def write(self, script: Script, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The last single letter of each completion."""
        vocabulary = lexicon.tokenizer.get_vocab()
        for item in items:
            said = list(item.target)
            for place in reversed(range(len(said))):
                text = str(lexicon.tokenizer.convert_ids_to_tokens(said[place]))
                if len(text) == 1 and text.swapcase() != text and text.swapcase() in vocabulary:
                    said[place] = vocabulary[text.swapcase()]
                    break
            say(script, item.prompt, said, lexicon)
            say(script, item.prompt, item.target, lexicon)
