"""What tasks about whole numbers share: drawing a number of so and so many digits, and changing a digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator


def draw_number(generator: random.Random, digits: int) -> int:
    """A number of that many digits, each equally likely; of one digit 0 to 9.

    Args:
        generator: draws it.
        digits: at least 1.
    """
    return generator.randint(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1)


def draw_pair(generator: random.Random, digits: int) -> tuple[int, int]:
    """Two numbers in random order, the longer of that many digits and the other of at most as many.

    Args:
        generator: draws them.
        digits: at least 1.
    """
    pair = [draw_number(generator, digits), draw_number(generator, generator.randint(1, digits))]
    generator.shuffle(pair)
    return pair[0], pair[1]


def change_each_digit(text: str, generator: random.Random) -> Iterator[str]:
    """The text with one digit changed, for each of its digits; none becomes 0, which might lead a number.

    Args:
        text: holds digits.
        generator: draws the new digit.
    """
    for place, sign in enumerate(text):
        if sign.isdecimal():
            digit = generator.choice([other for other in "123456789" if other != sign])
            yield text[:place] + digit + text[place + 1 :]
