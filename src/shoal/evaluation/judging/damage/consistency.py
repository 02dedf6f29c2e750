"""Names, things and places that change from one sentence to the next, in sentences that stay well formed."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.evaluation.judging.damage.sentences import chosen_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.corpora.grammar import RequiredWords, Story

_PLACES = tuple(
    tuple(place for place, before in lexicon.PLACES.items() if before == word) for word in ("in", "at", "on", "by")
)
_KINDS = (lexicon.GIRLS, lexicon.BOYS, lexicon.PETS, lexicon.THINGS, *_PLACES, lexicon.COLORS)
"""Words of one kind can take each other's place; a place takes that of one with the same preposition."""


def damage_consistency(story: Story, dose: float, seed: int) -> str:
    """The story's text with the share ``dose`` of its later mentions put wrong.

    A mention is a name, a thing, a place or a colour that was named before; in its place comes another of its kind
    that the story does not hold, a new one each time.

    Args:
        story: a story of the grammar.
        dose: 0 to 1.
        seed: of the choices; a higher dose changes what a lower one changes, in the same way.
    """
    text = story.text
    mentions = _later_mentions(text, story.words)
    wrong = chosen_part(range(len(mentions)), dose, random.Random(seed))
    damaged, done = [], 0
    for number, match in enumerate(mentions):
        if number in wrong:
            damaged += [text[done : match.start()], _another(match[0], text, random.Random(f"{seed} {number}"))]
            done = match.end()
    return "".join([*damaged, text[done:]])


def _later_mentions(text: str, words: RequiredWords) -> list[re.Match[str]]:
    """Every mention but the first, of words that may be changed.

    Words that were asked for are left, so that the instruction is followed as before.
    """
    asked = {words.noun, words.adjective}
    seen: set[str] = set()
    later = []
    for match in re.finditer(r"\b[A-Za-z]+\b", text):
        word = match[0]
        if _kind(word) is None:
            continue
        if word in seen and word not in asked:
            later.append(match)
        seen.add(word)
    return later


def _kind(word: str) -> Sequence[str] | None:
    return next((kind for kind in _KINDS if word in kind), None)


def _another(word: str, text: str, rng: random.Random) -> str:
    """A word of the same kind that the text does not hold, with the same article."""
    kind = _kind(word) or (word,)
    held = set(re.findall(r"[A-Za-z]+", text))
    free = [other for other in kind if other not in held and (other[0] in "aeiou") == (word[0] in "aeiou")]
    return rng.choice(free) if free else word
