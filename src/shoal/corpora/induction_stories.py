"""Stories that need copying, comparing or searching, and plain tales: training text for small models.

A language model lowers its loss on an *induction story* only if it finds the same item earlier in the text, which is
what an induction head does (Olsson et al. 2022, arXiv:2209.11895). An item is a number in unary or in digits that
stands alone, or an object of two words. The items on the way to the sought one (distractors) are often near misses of
its number (one more or less, or four more or less, which ends in the same token), so that only an exact comparison
finds it; they come in random order. A *tale* is a plain story of five sentences, which needs nothing of the kind.

`bundled:searches` was trained on them (``recipes/searches.py``), so equal seeds must go on giving equal stories. The
larger story grammar, whose plots can be asked about, is `shoal.corpora.grammar`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

from shoal.corpora.counting_filter import find_ascending_run
from shoal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ItemKind = Literal["unary", "digits", "object"]

_GIRLS = ("Anna", "Bella", "Lily", "Lucy", "Mia", "Rose", "Sue", "Zoe")
_BOYS = ("Ben", "Dan", "Jack", "Leo", "Max", "Sam", "Tim", "Tom")
_NAMES = _GIRLS + _BOYS

_THINGS = (
    "ball", "bird", "book", "box", "card", "coin", "cup", "door", "fish", "hat",
    "house", "key", "leaf", "room", "shell", "sign", "star", "stone", "tree", "bag",
)  # fmt: skip
_ADJECTIVES = ("big", "blue", "green", "long", "new", "old", "red", "round", "small", "soft")
_PLACES = ("forest", "garden", "park", "pond", "river", "school", "shop", "town")
_ANIMALS = ("bear", "cat", "dog", "duck", "fox", "frog", "mouse", "rabbit")
_FEELINGS = ("glad", "happy", "proud", "kind", "brave")

# The model that was trained on them compares lengths up to 43 and no further (docs/log.md, 22 November 2026).
_CEILINGS = (8, 16, 24, 32, 40, 40)
"""Largest numbers; the largest stands twice, so that long numbers are not rare."""

_NEAR = (-8, -4, -3, -2, -1, 1, 2, 3, 4, 8)
"""Near misses; 4 and 8 differ by whole tokens of a unary number (`shoal.text.bpe.UNARY_CHUNK`)."""

# Longer ways, more wordings and more multiples of four, added together, took held-out counts from 1 or 2 of 9 to 3 to
# 5 (docs/log.md, 22 November 2026).
_MEAN_WAYS = (3.0, 6.0, 14.0)
"""Mean numbers of distractors."""

_CHUNK = 4
"""A number that this divides ends in a whole token, as longer numbers begin; it is drawn more often."""

_VERBS = ("stop at", "look for", "find", "wait for", "get", "end at", "go to", "reach", "want", "keep")

_OPENINGS = (
    "Once upon a time, there was a little {animal} named {hero}.",
    "One day, a little {animal} named {hero} went to the {place}.",
    "{hero} was a {adjective} {animal} who lived near the {place}.",
)
_WISHES = (
    "{hero} wanted a {adjective} {thing}.",
    "{who} had lost a {adjective} {thing}.",
    "{who} saw a {adjective} {thing} and wanted to play with it.",
)
_HINDRANCES = (
    "But the {thing} was too high up.",
    "But the {thing} was stuck in the mud.",
    "But the {thing} belonged to {helper}.",
)
_HELP = (
    '{helper} said, "I can help you, {hero}."',
    '"Please help me, {helper}," said {hero}.',
    "Then {helper} came to the {place} too.",
)
_ENDINGS = (
    "Together they got the {adjective} {thing}. {hero} was {feeling}.",
    "{helper} gave the {adjective} {thing} to {hero}. They were {feeling} and played all day.",
    "{hero} and {helper} shared the {adjective} {thing}. They became good friends.",
)


def story_names() -> list[str]:
    """What a mixture may hold: ``tale``, and ``search-unary``, ``copy-object``, ..."""
    return ["tale", *_BY_NAME]


def generate_stories(count: int, mixture: Mapping[str, float], *, seed: int, max_distractors: int = 36) -> list[str]:
    """Draw stories; none of them counts up (one that would is drawn again).

    Args:
        count: how many.
        mixture: the weight of each story name.
        seed: equal seeds and mixtures give equal stories.
        max_distractors: how many items may stand before the sought one.

    Raises:
        UnknownNameError: a name in the mixture that is no story.
    """
    known = story_names()
    for name in mixture:
        if name not in known:
            raise UnknownNameError("story", name, known)
    rng = random.Random(seed)
    names = rng.choices(list(mixture), weights=list(mixture.values()), k=count)
    return [_draw(rng, name, max_distractors) for name in names]


def _draw(rng: random.Random, name: str, max_distractors: int) -> str:
    """A story of this name, drawn again while it counts up."""
    while True:
        if name == "tale":
            text = _write_tale(rng)
        else:
            write, kind = _BY_NAME[name]
            text = write(rng, kind, max_distractors)
        if find_ascending_run(text) is None:
            return text


def _write_tale(rng: random.Random) -> str:
    """A plain story of five sentences or so."""
    hero, helper = rng.sample(_NAMES, 2)
    words = {
        "hero": hero,
        "helper": helper,
        "who": _pronoun(hero),
        "animal": rng.choice(_ANIMALS),
        "place": rng.choice(_PLACES),
        "thing": rng.choice(_THINGS),
        "adjective": rng.choice(_ADJECTIVES),
        "feeling": rng.choice(_FEELINGS),
    }
    parts = [rng.choice(part) for part in (_OPENINGS, _WISHES, _HINDRANCES, _HELP, _ENDINGS)]
    return " ".join(parts).format(**words)


def _write_copy(rng: random.Random, kind: ItemKind, _max_distractors: int) -> str:
    """A thing is said twice."""
    thing, _ = _draw_search(rng, kind, 0)
    first, second = rng.sample(_NAMES, 2)
    place = rng.choice(_THINGS)
    return rng.choice(
        (
            f'The {place} said {thing}. "It says {thing}," said {first}.',
            f"{first} has {thing}. {second} has {thing} too.",
            f"{first} wrote {thing} on the {place}. {second} wrote it too: {thing}",
            f'"I want {thing}," said {first}. {second} said, "You want {thing}."',
        )
    )


def _write_lists(rng: random.Random, kind: ItemKind, max_distractors: int) -> str:
    """A few things in any order are said twice in that order."""
    _, things = _draw_search(rng, kind, min(max_distractors, 3))
    rng.shuffle(things)
    first, second = rng.sample(_NAMES, 2)
    spaced, listed = " ".join(things), ", ".join(things)
    return rng.choice(
        (
            f"{first} saw {spaced}. {second} saw {spaced}.",
            f"{first}: {spaced}; {second}: {spaced}",
            f'{first} said, "{listed}." {second} said, "{listed}."',
        )
    )


def _write_same(rng: random.Random, kind: ItemKind, max_distractors: int) -> str:
    """Two things are compared."""
    thing, things = _draw_search(rng, kind, max_distractors)
    other = thing if rng.random() < 0.5 else things[0]
    return f"{rng.choice(_NAMES)} asks: Is {thing} the same as {other}? {_yes(thing, other)}."


def _write_guess(rng: random.Random, kind: ItemKind, max_distractors: int) -> str:
    """Guesses at a thing are answered until it is guessed, or beyond."""
    thing, things = _draw_search(rng, kind, max_distractors)
    name = rng.choice(_NAMES)
    form = rng.randrange(3)
    if form == 0:
        return f"{name} thinks of {thing}. " + " ".join(f"Is it {other}? {_yes(thing, other)}." for other in things)
    if form == 1:
        return f"{name} has {thing}: " + " ".join(f"{other} {_yes(thing, other).lower()}" for other in things)
    things += [thing] * rng.randint(0, 2)
    rng.shuffle(things)
    return f"The key is {thing}. " + " ".join(f"{other}, {_yes(thing, other).lower()}." for other in things)


def _write_search(rng: random.Random, kind: ItemKind, max_distractors: int) -> str:
    """A thing is looked for in random order; what is found ends the search, and mostly the story."""
    thing, things = _draw_search(rng, kind, max_distractors)
    name = rng.choice(_NAMES)
    who = _pronoun(name)
    spaced, listed = " ".join(things), ", ".join(things)
    if rng.random() < 0.4:
        return f"{_draw_request(rng, thing, things[0] if len(things) > 1 else None)}: {spaced}"
    return rng.choice(
        (
            f"{name} looked for {thing}. " + " ".join(f"{who} saw {other}." for other in things) + f" {who} stopped.",
            f"{name} looked for {thing}: {spaced}",
            f"{name} looked for {thing}: {listed}.",
            f"{name} walks and stops at {thing}: {spaced}",
            f"Please look for the {rng.choice(_THINGS)} {thing}. {who} saw {spaced}",
            f'"Please stop at {thing}," said {name}. The bus went by {listed}. Stop!',
        )
    )


def _draw_request(rng: random.Random, thing: str, first: str | None) -> str:
    """A sentence that says what to look for; sometimes it names the first thing on the way as well."""
    who = rng.choice(("Please", "Now", "You must", "We", "I", f"{rng.choice(_NAMES)} will"))
    verb = rng.choice(_VERBS)
    place = rng.choice(_THINGS)
    sought = rng.choice((thing, f"the {place} {thing}", f"the {rng.choice(_ADJECTIVES)} {place} {thing}"))
    before = ["", f"walk in the {rng.choice(_PLACES)}, see the {place}s and "]
    if first is not None:
        before += [f"go from {first} and ", f"leave the {place} {first} and "]
    return f"{who} {rng.choice(before)}{verb} {sought}"


def _yes(thing: str, other: str) -> str:
    return "Yes" if thing == other else "No"


def _draw_search(rng: random.Random, kind: ItemKind, max_distractors: int) -> tuple[str, list[str]]:
    """A sought thing, and the things that are met until it is found: it stands last, and nowhere before."""
    steps = min(int(rng.expovariate(1 / rng.choice(_MEAN_WAYS))), max_distractors)
    if kind == "object":
        sought = _draw_object(rng)
        return sought, [other for other in (_draw_object(rng) for _ in range(steps)) if other != sought] + [sought]
    ceiling = rng.choice(_CEILINGS)
    number = _CHUNK * rng.randint(1, ceiling // _CHUNK) if rng.random() < 0.25 else rng.randint(1, ceiling)
    way = [_draw_other(rng, number, ceiling) for _ in range(steps)]
    return _write_number(number, kind), [_write_number(other, kind) for other in [*way, number]]


def _write_number(number: int, kind: ItemKind) -> str:
    """A number in unary (ones) or in digits."""
    return "1" * number if kind == "unary" else str(number)


def _draw_other(rng: random.Random, number: int, ceiling: int) -> int:
    """A number from 1 to the ceiling that is not the given one; half of them are near misses."""
    while True:
        other = number + rng.choice(_NEAR) if rng.random() < 0.5 else rng.randint(1, ceiling)
        if 1 <= other <= ceiling and other != number:
            return other


def _draw_object(rng: random.Random) -> str:
    return f"{rng.choice(_ADJECTIVES)} {rng.choice(_THINGS)}"


def _pronoun(name: str) -> str:
    """``She`` or ``He``."""
    return "She" if name in _GIRLS else "He"


_INDUCTION: Mapping[str, Callable[[random.Random, ItemKind, int], str]] = {
    "copy": _write_copy,
    "lists": _write_lists,
    "same": _write_same,
    "guess": _write_guess,
    "search": _write_search,
}
"""Kinds of induction stories by name."""

_KINDS: tuple[ItemKind, ...] = ("unary", "digits", "object")
_BY_NAME = {f"{story}-{kind}": (write, kind) for story, write in _INDUCTION.items() for kind in _KINDS}
