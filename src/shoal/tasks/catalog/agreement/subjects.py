"""The subjects of the agreement task: their nouns, how they are drawn and how they are read."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from shoal.errors import DataError
from shoal.tasks.word_lists import words_of_section

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

GrammaticalNumber = Literal["singular", "plural"]
Structure = Literal["bare", "attractors", "possessive", "coordination", "fronted"]

PREPOSITIONS = ("near", "behind", "beside", "by", "under", "above", "with", "to")
_PAST_VERBS = ("saw", "liked", "found", "wanted", "moved", "painted")
PLACES = PREPOSITIONS[:6]
"""Prepositions that can begin a sentence."""

# Most attractors stand behind a preposition, as in running text; a clause is longer, and its verb a distraction.
_RELATIVE = 0.25
_STRUCTURES: tuple[Structure, ...] = ("attractors", "attractors", "possessive", "fronted", "coordination")
"""Of subjects with several nouns; those with attractors alone are twice as frequent. The last is never singular."""

_ANIMATE = ("people", "animals")
_KINDS = (*_ANIMATE, "things")
_TOKEN = re.compile(r"[a-z]+(?:'s|')?|,")


class Noun(NamedTuple):
    """A noun as it stands in a phrase."""

    lemma: str
    number: GrammaticalNumber
    text: str


class Subject(NamedTuple):
    """What a subject is made of."""

    nouns: tuple[Noun, ...]
    """All nouns in order."""

    head: int
    """The place of the noun that the verb agrees with; with *and*, of the first of the two."""

    structure: Structure
    last_word: str

    @property
    def number(self) -> GrammaticalNumber:
        """Of the verb."""
        return "plural" if self.structure == "coordination" else self.nouns[self.head].number


@functools.cache
def noun_forms() -> Mapping[str, Noun]:
    """Every noun of the lists by its form."""
    return {noun.text: noun for kind in _KINDS for pair in _pairs(kind) for noun in pair}


@functools.cache
def _pairs(kind: str) -> tuple[tuple[Noun, Noun], ...]:
    """The singular and the plural of the nouns of a kind."""
    forms = [pair.split("/") for pair in words_of_section("nouns", kind)]
    return tuple((Noun(one, "singular", one), Noun(one, "plural", several)) for one, several in forms)


@functools.cache
def other_numbers() -> Mapping[str, str]:
    """By every form the form of the other number."""
    pairs = [(one.text, several.text) for kind in _KINDS for one, several in _pairs(kind)]
    return dict([*pairs, *((several, one) for one, several in pairs)])


def _noun(text: str) -> Noun:
    """The noun of a form, of a possessive too; one that the lists lack goes by its ending."""
    bare = text.removesuffix("'s").removesuffix("'")
    known = noun_forms().get(bare)
    if known is not None:
        return known
    # glass, bus and basis are singular.
    plural = bare.endswith("s") and not bare.endswith(("ss", "us", "is"))
    return Noun(bare.removesuffix("s") if plural else bare, "plural" if plural else "singular", bare)


@functools.lru_cache(maxsize=8192)
def parse_subject(subject: str) -> Subject:
    """The nouns of a subject: every word behind *the*, a possessor's thing, and no other."""
    words = _TOKEN.findall(subject)
    places = [place for place in range(1, len(words)) if words[place - 1] == "the" or "'" in words[place - 1]]
    nouns = tuple(_noun(words[place]) for place in places)
    if not nouns:
        raise DataError(f"the subject {subject[:60]!r} cannot be read; it should look like 'the keys to the cabinet'")
    # A noun before the comma is fronted: "near the gates, the key".
    head = sum(place < words.index(",") for place in places) if "," in words else 0
    structure: Structure = "fronted" if head else "bare" if len(nouns) == 1 else "attractors"
    while head < len(nouns) - 1 and "'" in words[places[head]]:
        head, structure = head + 1, "possessive"
    if head >= len(nouns):
        raise DataError(f"the subject {subject[:60]!r} has no noun behind its comma; write 'near the gates, the key'")
    if words[places[head] + 1 : places[head] + 2] == ["and"]:
        structure = "coordination"
    return Subject(nouns, head, structure, words[-1])


class _NounDraw:
    """Draws the nouns of one subject, none twice."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._used: set[str] = set()

    def draw(self, *, number: GrammaticalNumber | None = None, animate: bool = False) -> Noun:
        """A noun in this number, or in either; of people and animals alone where they act."""
        kinds = _ANIMATE if animate else _KINDS
        pair = self._generator.choice(
            [pair for kind in kinds for pair in _pairs(kind) if pair[0].lemma not in self._used]
        )
        self._used.add(pair[0].lemma)
        return self._generator.choice(pair) if number is None else pair[number == "plural"]


def draw_subject(generator: random.Random, size: int) -> str:
    """A subject of that many different nouns; half of the subjects take the plural."""
    number: GrammaticalNumber = generator.choice(("singular", "plural"))
    allowed = _STRUCTURES if number == "plural" else _STRUCTURES[:-1]
    structure: Structure = generator.choice(allowed) if size > 1 else "bare"
    nouns = _NounDraw(generator)
    if structure == "fronted":
        front = f"{generator.choice(PLACES)} the {nouns.draw().text}"
        return f"{front}, the {_head(generator, nouns, number, size - 1)}"
    if structure == "possessive":
        owner = nouns.draw(animate=True)
        ending = "'" if owner.text.endswith("s") and owner.number == "plural" else "'s"
        return f"the {owner.text}{ending} {_head(generator, nouns, number, size - 1)}"
    if structure == "coordination":
        return f"the {nouns.draw().text} and the {_head(generator, nouns, None, size - 1)}"
    return f"the {_head(generator, nouns, number, size)}"


def _head(generator: random.Random, nouns: _NounDraw, number: GrammaticalNumber | None, size: int) -> str:
    """A noun with others behind it, each by a preposition or in a relative clause."""
    text = nouns.draw(number=number).text
    for _ in range(size - 1):
        if generator.random() < _RELATIVE:
            text += f" that the {nouns.draw(animate=True).text} {generator.choice(_PAST_VERBS)}"
        else:
            text += f" {generator.choice(PREPOSITIONS)} the {nouns.draw().text}"
    return text
