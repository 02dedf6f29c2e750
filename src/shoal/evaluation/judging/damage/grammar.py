"""Sentences that are broken, while who and what they are about stays the same."""

from __future__ import annotations

import random
import re
from itertools import pairwise

from shoal.evaluation.judging.damage.sentences import chosen_part, split_with_blanks

_DISAGREEING = {
    "was": "were", "were": "was", "is": "are", "are": "is", "has": "have", "have": "has", "had": "having",
    "went": "goed", "said": "sayed", "found": "finded", "took": "taked", "saw": "seed", "felt": "feeled", "did": "doed",
    "he": "him", "she": "her", "they": "them", "He": "Him", "She": "Her", "They": "Them", "I": "me", "an": "a",
}  # fmt: skip
"""Words, and forms of them that cannot stand in the same place."""

_DROPPED = {
    "a", "an", "and", "at", "by", "did", "for", "from", "had", "he", "her", "his", "in", "not", "of", "on", "she",
    "the", "they", "to", "was", "were", "with",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z']+")


def damage_grammar(text: str, dose: float, seed: int) -> str:
    """The text with the share ``dose`` of its sentences broken.

    Each of them gets one to three faults: neighbouring words are swapped, a form disagrees, or a small word is dropped.

    Args:
        text: a story.
        dose: 0 to 1.
        seed: of the choices; a higher dose breaks what a lower one breaks, in the same way.
    """
    parts = split_with_blanks(text)
    places = [place for place in range(0, len(parts), 2) if len(_WORD.findall(parts[place])) >= 3]
    broken = chosen_part(places, dose, random.Random(seed))
    return "".join(
        _break(part, random.Random(f"{seed} {place}")) if place in broken else part for place, part in enumerate(parts)
    )


def _break(sentence: str, rng: random.Random) -> str:
    """One to three faults, of different kinds where they can be had."""
    faults = [_disagree, _swap, _drop]
    rng.shuffle(faults)
    wanted, made = rng.randint(1, 3), 0
    for fault in faults:
        damaged = fault(sentence, rng)
        if damaged != sentence:
            sentence, made = damaged, made + 1
        if made == wanted:
            break
    return sentence


def _disagree(sentence: str, rng: random.Random) -> str:
    found = [match for match in _WORD.finditer(sentence) if match[0] in _DISAGREEING]
    if not found:
        return sentence
    match = rng.choice(found)
    return sentence[: match.start()] + _DISAGREEING[match[0]] + sentence[match.end() :]


def _swap(sentence: str, rng: random.Random) -> str:
    """Two words that only a space parts, the first word of the sentence and names left alone."""
    words = list(_WORD.finditer(sentence))
    found = [
        (one, other)
        for one, other in pairwise(words[1:])
        if sentence[one.end() : other.start()] == " " and (one[0] + other[0]).islower() and one[0] != other[0]
    ]
    if not found:
        return sentence
    one, other = rng.choice(found)
    return f"{sentence[: one.start()]}{other[0]} {one[0]}{sentence[other.end() :]}"


def _drop(sentence: str, rng: random.Random) -> str:
    found = [match for match in re.finditer(r"(?<= )[a-z]+ ", sentence) if match[0].strip() in _DROPPED]
    if not found:
        return sentence
    match = rng.choice(found)
    return sentence[: match.start()] + sentence[match.end() :]
