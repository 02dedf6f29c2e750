"""What a generated story is about: a sought thing and the things that are met on the way to it.

A thing is a number in unary or in digits that stands alone, or an object with two words. Numbers on the way are
often near misses (one more or less, or four more or less, which ends in the same token), so that only an exact
comparison finds the sought one. They come in random order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shoal.corpora.vocabulary import ADJECTIVES, THINGS

if TYPE_CHECKING:
    import random

Kind = Literal["unary", "digits", "object"]

_CEILINGS = (8, 16, 24, 32, 40, 40)
_NEAR = (-8, -4, -3, -2, -1, 1, 2, 3, 4, 8)
_MEAN_WAYS = (3.0, 6.0, 14.0)
_CHUNK = 4
"""A number that this divides ends in the same token as a longer one goes on with; such numbers are drawn more often."""


def draw_search(rng: random.Random, kind: Kind, longest: int) -> tuple[str, list[str]]:
    """A sought thing, and the things that are met until it is found: it stands last, and nowhere before."""
    steps = min(int(rng.expovariate(1 / rng.choice(_MEAN_WAYS))), longest)
    if kind == "object":
        sought = _draw_object(rng)
        return sought, [other for other in (_draw_object(rng) for _ in range(steps)) if other != sought] + [sought]
    ceiling = rng.choice(_CEILINGS)
    number = _CHUNK * rng.randint(1, ceiling // _CHUNK) if rng.random() < 0.25 else rng.randint(1, ceiling)
    way = [_draw_other(rng, number, ceiling) for _ in range(steps)]
    return write_number(number, kind), [write_number(other, kind) for other in [*way, number]]


def write_number(number: int, kind: Kind) -> str:
    """A number in unary (ones) or in digits."""
    return "1" * number if kind == "unary" else str(number)


def _draw_other(rng: random.Random, number: int, ceiling: int) -> int:
    """A number from 1 to the ceiling that is not the given one; half of them are near misses."""
    while True:
        other = number + rng.choice(_NEAR) if rng.random() < 0.5 else rng.randint(1, ceiling)
        if 1 <= other <= ceiling and other != number:
            return other


def _draw_object(rng: random.Random) -> str:
    return f"{rng.choice(ADJECTIVES)} {rng.choice(THINGS)}"
