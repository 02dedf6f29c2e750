"""A small grammar of plain stories: somebody wants a thing, meets a hindrance and a helper, and all ends well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.vocabulary import ADJECTIVES, ANIMALS, FEELINGS, NAMES, PLACES, THINGS, pronoun

if TYPE_CHECKING:
    import random

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


def tell_tale(rng: random.Random) -> str:
    """A plain story of five sentences or so."""
    hero, helper = rng.sample(NAMES, 2)
    words = {
        "hero": hero,
        "helper": helper,
        "who": pronoun(hero),
        "animal": rng.choice(ANIMALS),
        "place": rng.choice(PLACES),
        "thing": rng.choice(THINGS),
        "adjective": rng.choice(ADJECTIVES),
        "feeling": rng.choice(FEELINGS),
    }
    parts = [rng.choice(part) for part in (_OPENINGS, _WISHES, _HINDRANCES, _HELP, _ENDINGS)]
    return " ".join(parts).format(**words)
