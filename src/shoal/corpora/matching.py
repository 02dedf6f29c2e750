"""Stories that cannot be told without copying, comparing or searching.

Each kind draws its text from a seeded generator; `longest` is the most things on the way to the sought one. A
language model lowers its loss on them only if it finds the same thing earlier in the text, which is what an induction
head does (Olsson et al. 2022, arXiv:2209.11895).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.things import Kind, draw_search
from shoal.corpora.vocabulary import ADJECTIVES, NAMES, PLACES, THINGS, pronoun

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


_VERBS = ("stop at", "look for", "find", "wait for", "get", "end at", "go to", "reach", "want", "keep")


def tell_copy(rng: random.Random, kind: Kind, _longest: int) -> str:
    """A thing is said twice."""
    thing, _ = draw_search(rng, kind, 0)
    first, second = rng.sample(NAMES, 2)
    place = rng.choice(THINGS)
    return rng.choice(
        (
            f'The {place} said {thing}. "It says {thing}," said {first}.',
            f"{first} has {thing}. {second} has {thing} too.",
            f"{first} wrote {thing} on the {place}. {second} wrote it too: {thing}",
            f'"I want {thing}," said {first}. {second} said, "You want {thing}."',
        )
    )


def tell_lists(rng: random.Random, kind: Kind, longest: int) -> str:
    """A few things in any order are said twice in that order."""
    _, things = draw_search(rng, kind, min(longest, 3))
    rng.shuffle(things)
    first, second = rng.sample(NAMES, 2)
    spaced, listed = " ".join(things), ", ".join(things)
    return rng.choice(
        (
            f"{first} saw {spaced}. {second} saw {spaced}.",
            f"{first}: {spaced}; {second}: {spaced}",
            f'{first} said, "{listed}." {second} said, "{listed}."',
        )
    )


def tell_same(rng: random.Random, kind: Kind, longest: int) -> str:
    """Two things are compared."""
    thing, things = draw_search(rng, kind, longest)
    other = thing if rng.random() < 0.5 else things[0]
    return f"{rng.choice(NAMES)} asks: Is {thing} the same as {other}? {_yes(thing, other)}."


def tell_guess(rng: random.Random, kind: Kind, longest: int) -> str:
    """Guesses at a thing are answered until it is guessed, or beyond."""
    thing, things = draw_search(rng, kind, longest)
    name = rng.choice(NAMES)
    form = rng.randrange(3)
    if form == 0:
        return f"{name} thinks of {thing}. " + " ".join(f"Is it {other}? {_yes(thing, other)}." for other in things)
    if form == 1:
        return f"{name} has {thing}: " + " ".join(f"{other} {_yes(thing, other).lower()}" for other in things)
    things += [thing] * rng.randint(0, 2)
    rng.shuffle(things)
    return f"The key is {thing}. " + " ".join(f"{other}, {_yes(thing, other).lower()}." for other in things)


def tell_search(rng: random.Random, kind: Kind, longest: int) -> str:
    """A thing is looked for in random order; what is found ends the search, and mostly the story."""
    thing, things = draw_search(rng, kind, longest)
    name = rng.choice(NAMES)
    who = pronoun(name)
    spaced, listed = " ".join(things), ", ".join(things)
    if rng.random() < 0.4:
        return f"{_draw_request(rng, thing, things[0] if len(things) > 1 else None)}: {spaced}"
    return rng.choice(
        (
            f"{name} looked for {thing}. " + " ".join(f"{who} saw {other}." for other in things) + f" {who} stopped.",
            f"{name} looked for {thing}: {spaced}",
            f"{name} looked for {thing}: {listed}.",
            f"{name} walks and stops at {thing}: {spaced}",
            f"Please look for the {rng.choice(THINGS)} {thing}. {who} saw {spaced}",
            f'"Please stop at {thing}," said {name}. The bus went by {listed}. Stop!',
        )
    )


def _draw_request(rng: random.Random, thing: str, first: str | None) -> str:
    """A sentence that says what to look for; sometimes it names the first thing on the way as well."""
    who = rng.choice(("Please", "Now", "You must", "We", "I", f"{rng.choice(NAMES)} will"))
    verb = rng.choice(_VERBS)
    place = rng.choice(THINGS)
    sought = rng.choice((thing, f"the {place} {thing}", f"the {rng.choice(ADJECTIVES)} {place} {thing}"))
    before = ["", f"walk in the {rng.choice(PLACES)}, see the {place}s and "]
    if first is not None:
        before += [f"go from {first} and ", f"leave the {place} {first} and "]
    return f"{who} {rng.choice(before)}{verb} {sought}"


def _yes(thing: str, other: str) -> str:
    return "Yes" if thing == other else "No"


MATCHING: Mapping[str, Callable[[random.Random, Kind, int], str]] = {
    "copy": tell_copy,
    "lists": tell_lists,
    "same": tell_same,
    "guess": tell_guess,
    "search": tell_search,
}
"""Kinds of matching stories by name."""
