"""Typos as people make them on a keyboard: neighbours swapped, a letter dropped, doubled, or hit beside its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def misspell(word: str, draw: random.Random) -> str:
    """The word with one typo; it differs from the word.

    Args:
        word: two letters or more.
        draw: draws where the typo is, and its kind.
    """
    place = draw.randrange(len(word) - 1)
    typos = [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + word[place + 1 :],
        word[: place + 1] + word[place:],
        word[:place] + _neighbouring_key(word[place], draw) + word[place + 1 :],
    ]
    # Swapping two equal letters changes nothing, nor does a letter that is on no key.
    return draw.choice([typo for typo in typos if typo != word])


def _neighbouring_key(letter: str, draw: random.Random) -> str:
    """A letter next to this one on an English keyboard, a capital for a capital; itself where it is not on one."""
    row = next((row for row in _ROWS if letter.lower() in row), None)
    if row is None:
        return letter
    place = row.index(letter.lower())
    hit = draw.choice([row[other] for other in (place - 1, place + 1) if 0 <= other < len(row)])
    return hit.upper() if letter.isupper() else hit
