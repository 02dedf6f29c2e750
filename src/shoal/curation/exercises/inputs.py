"""Inputs for the tests of exercises, by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

    from shoal.curation.exercises.steps import Topic

_WORDS = (
    "ant", "Eel", "otter", "level", "Emu", "bee", "noon", "Cat", "elephant", "kayak", "owl", "Ox", "Anna", "giraffe",
    "ewe", "deer", "sheep", "Otto", "iguana", "dog", "Bob", "eye", "cow", "radar", "Ape", "seal", "horse", "Eve",
)  # fmt: skip
"""Of many lengths; some begin with a vowel or a capital, some read the same backwards."""

_LARGEST = 12
"""Numbers are small, so that filters by a constant and remainders are met often."""


def draw_input(topic: Topic, generator: random.Random, *, empty: bool = False) -> Any:
    """An argument for a function of a topic.

    Args:
        topic: of the function.
        generator: every draw comes from it.
        empty: whether to draw one without any item; the least whole number where the argument is one.
    """
    size = 0 if empty else generator.randint(3, 8)
    if topic.annotation == "int":
        # By the number of digits and no leading zero: the topic is about the digits of a number.
        return 0 if empty else generator.randrange(10 ** (size - 1), 10**size)
    if topic.takes == "int":
        return [generator.randint(-_LARGEST, _LARGEST) for _ in range(size)]
    words = generator.choices(_WORDS, k=size)
    return " ".join(words) if topic.annotation == "str" else words
