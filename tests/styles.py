"""Two ways of writing about the same things, for heads that train in a moment."""

from __future__ import annotations

import random

from shoal.segmentation import LabelledText

NOUNS = ["river", "bridge", "market", "garden", "letter", "engine", "window", "teacher", "village", "kitchen"]


def talk(rng: random.Random) -> str:
    return f"I don't know, you said the {rng.choice(NOUNS)} was {rng.choice(['mine', 'yours'])}, didn't you?"


def report(rng: random.Random) -> str:
    place = rng.choice(["north", "south"])
    return (
        f"The administration of the {rng.choice(NOUNS)} within the {place} has been considered by those to whom the "
        f"regulation of each {rng.choice(NOUNS)} was given during the year {rng.randint(1900, 1999)}."
    )


def sentences(how: str, count: int, seed: int) -> tuple[str, ...]:
    rng = random.Random(f"{how} {seed}")
    return tuple({"talk": talk, "report": report}[how](rng) for _ in range(count))


def texts(count: int = 4, length: int = 40) -> list[LabelledText]:
    return [
        LabelledText(label=how, sentences=sentences(how, length, seed))
        for how in ("talk", "report")
        for seed in range(count)
    ]
