"""The instructions of the counting task, and typos in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shoal.tasks.catalog.counting.rule import numeral
from shoal.tasks.checks import one_of

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

WORDINGS: Mapping[str, str] = {
    "exact": "Please count {direction} in {base}, starting at {first} and stopping at {last}:",
    "from-to": "Count {direction} in {base} from {first} to {last}:",
    "begin-end": "In {base}, begin at {first}, count {direction} and end at {last}:",
    "write-out": "Write out the {base} numbers from {first} {direction} to {last}:",
    "list": "Here is a list of {base} numbers that starts at {first}, goes {direction} and stops at {last}:",
    "until": "Keep counting {direction} in {base}, beginning with {first}, until you reach {last}:",
    "question": "What do you say if you count {direction} in {base} from {first} to {last}?",
    "request": "Could you count {direction} for me in {base}? First say {first}, last say {last}:",
}
"""The paraphrases by name. The number counted from always comes before the number counted to."""

VARIED = "varied"
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def parse_wordings(value: Any) -> tuple[str, ...]:
    """The names of wordings that a value of the option ``wording`` selects.

    Raises:
        UnknownNameError: a name is not known.
    """
    if value == VARIED:
        return tuple(WORDINGS)
    if isinstance(value, (list, tuple)) and value:
        return tuple(one_of("wording", name, tuple(WORDINGS)) for name in value)
    return (one_of("wording", value, (*WORDINGS, VARIED)),)


def instruction(wording: str, *, first: int, last: int, base: str, noise: float, draw: random.Random) -> str:
    """The prompt, with typos in its words and never in its numbers.

    Args:
        wording: a name in `WORDINGS`.
        first: where the count begins.
        last: where it stops.
        base: ``unary`` or ``decimal``.
        noise: the probability of a typo in a word, 0 to 1.
        draw: draws the typos.
    """
    text = WORDINGS[wording].replace("{base}", base).replace("{direction}", "up" if first <= last else "down")
    if noise:
        # While the numbers are placeholders still, so that they cannot be hit.
        text = re.sub(r"\{\w+\}|[A-Za-z]{2,}", lambda match: _misspell(match[0], noise, draw), text)
    return text.replace("{first}", numeral(first, base)).replace("{last}", numeral(last, base))


def _misspell(word: str, noise: float, draw: random.Random) -> str:
    """The word with one typo, by the probability of it; placeholders stay as they are."""
    if word.startswith("{") or draw.random() >= noise:
        return word
    place = draw.randrange(len(word) - 1)
    typos = [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + word[place + 1 :],
        word[: place + 1] + word[place:],
        word[:place] + _neighbouring_key(word[place], draw) + word[place + 1 :],
    ]
    # Swapping two equal letters changes nothing.
    return draw.choice([typo for typo in typos if typo != word])


def _neighbouring_key(letter: str, draw: random.Random) -> str:
    """A letter next to this one on a keyboard."""
    row = next(row for row in _KEYBOARD if letter.lower() in row)
    place = row.index(letter.lower())
    return draw.choice([row[other] for other in (place - 1, place + 1) if 0 <= other < len(row)])
