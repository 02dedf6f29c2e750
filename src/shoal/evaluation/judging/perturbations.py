"""Perturbations of stories: of their grammar, of their consistency, and of how they follow the instruction.

Each harms one dimension of the rubric and leaves the others as they are. A higher severity breaks all that a lower one
breaks, in the same way.
"""

from __future__ import annotations

import math
import random
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from shoal.corpora.grammar import FEATURES, RequiredWords, lexicon, missing_words, word_classes
from shoal.corpora.llm import FEATURE_INSTRUCTIONS
from shoal.text import sentence_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.corpora.grammar import Story


def split_with_blanks(text: str) -> list[str]:
    """Sentences at even places, what lies between them at odd ones; joined, they are the text."""
    places = [place for span in sentence_spans(text) for place in span]
    return [text[start:stop] for start, stop in pairwise([0, *places[1:-1], len(text)])]


def chosen_part(places: Sequence[int], severity: float, rng: random.Random) -> frozenset[int]:
    """Draw the share ``severity`` of the places, rounded up; a higher severity has all those of a lower one.

    Args:
        places: what is drawn from.
        severity: 0 to 1.
        rng: draws the order.
    """
    order = list(places)
    rng.shuffle(order)
    # Less a hair, since .2 times 5 may come out as 1.0000000000000002.
    return frozenset(order[: math.ceil(severity * len(order) - 1e-9)])


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


def perturb_grammar(text: str, severity: float, seed: int) -> str:
    """The text with the share ``severity`` of its sentences broken.

    Each of them gets one to three faults: neighbouring words are swapped, a form disagrees, or a small word is dropped.

    Args:
        text: a story.
        severity: 0 to 1.
        seed: of the choices; a higher severity breaks what a lower one breaks, in the same way.
    """
    parts = split_with_blanks(text)
    # Swapping leaves the first word alone and needs two more.
    places = [place for place in range(0, len(parts), 2) if len(_WORD.findall(parts[place])) >= 3]
    broken = chosen_part(places, severity, random.Random(seed))
    return "".join(
        # A generator for each sentence: its faults are the same at every severity, whichever others are broken.
        _break(part, random.Random(f"{seed} {place}")) if place in broken else part
        for place, part in enumerate(parts)
    )


def _break(sentence: str, rng: random.Random) -> str:
    """One to three faults, of different kinds where they can be had."""
    faults = [_disagree, _swap, _drop]
    rng.shuffle(faults)
    wanted, made = rng.randint(1, 3), 0
    for fault in faults:
        perturbed = fault(sentence, rng)
        if perturbed != sentence:
            sentence, made = perturbed, made + 1
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
    """Two words with only a space between them, the first word of the sentence and names left alone."""
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


_PLACES = tuple(
    tuple(place for place, before in lexicon.PLACES.items() if before == word) for word in ("in", "at", "on", "by")
)
_KINDS = (lexicon.GIRLS, lexicon.BOYS, lexicon.PETS, lexicon.THINGS, *_PLACES, lexicon.COLORS)
"""Words of one kind can take each other's place; a place takes that of one with the same preposition."""


def perturb_consistency(story: Story, severity: float, seed: int) -> str:
    """The story's text with the share ``severity`` of its later mentions put wrong.

    A mention is a name, a thing, a place or a colour that was named before; in its place comes another of its kind
    that the story does not hold, a new one each time.

    Args:
        story: a story of the grammar.
        severity: 0 to 1.
        seed: of the choices; a higher severity changes what a lower one changes, in the same way.
    """
    text = story.text
    mentions = _later_mentions(text, story.words)
    wrong = chosen_part(range(len(mentions)), severity, random.Random(seed))
    perturbed, done = [], 0
    for number, match in enumerate(mentions):
        if number in wrong:
            perturbed += [text[done : match.start()], _another(match[0], text, random.Random(f"{seed} {number}"))]
            done = match.end()
    return "".join([*perturbed, text[done:]])


def _later_mentions(text: str, words: RequiredWords) -> list[re.Match[str]]:
    """Every mention but the first, of words that may be changed.

    Required words are left, so that the instruction is followed as before.
    """
    required = {words.noun, words.adjective}
    seen: set[str] = set()
    later = []
    for match in re.finditer(r"\b[A-Za-z]+\b", text):
        word = match[0]
        if _kind(word) is None:
            continue
        if word in seen and word not in required:
            later.append(match)
        seen.add(word)
    return later


def _kind(word: str) -> Sequence[str] | None:
    return next((kind for kind in _KINDS if word in kind), None)


def _another(word: str, text: str, rng: random.Random) -> str:
    """A word of the same kind that the text does not hold, with the same article."""
    kind = _kind(word) or (word,)
    held = set(re.findall(r"[A-Za-z]+", text))
    free = [other for other in kind if other not in held and (other[0] in "aeiou") == (word[0] in "aeiou")]
    return rng.choice(free) if free else word


_ENDS = {True: "the story ends badly", False: "the story ends well"}


def instruction_of(story: Story, severity: float = 0.0, seed: int = 0) -> str:
    """An instruction of which the story breaks the share ``severity``.

    It demands three words, one feature and the kind of end. At severity 0 the story has all of them.

    Args:
        story: a story of the grammar.
        severity: 0 to 1; the number of broken demands is rounded up.
        seed: of the choices; a higher severity breaks what a lower one breaks.
    """
    # Places 0 to 2 are the words, 3 the feature, 4 the kind of end.
    broken = chosen_part(range(5), severity, random.Random(seed))
    words = [
        _absent(story, kind, random.Random(f"{seed} {kind}")) if place in broken else getattr(story.words, kind)
        for place, kind in enumerate(("verb", "noun", "adjective"))
    ]
    present = [name for name in story.features if name != "bad ending"]
    # The kind of end is a demand of its own.
    absent = [name for name in FEATURES if name not in story.features and name != "bad ending"]
    # A story without any feature meets the demand for none; breaking it still demands one.
    pool = absent if 3 in broken else present
    requests = [FEATURE_INSTRUCTIONS[random.Random(f"{seed} feature").choice(pool)]] if pool else []
    requests.append(_ENDS[("bad ending" in story.features) != (4 in broken)])
    return (
        "Write a short story in words that a child of three or four knows. "
        f'It must hold the verb "{words[0]}", the noun "{words[1]}" and the adjective "{words[2]}". '
        f"Make sure of this: {'; '.join(requests)}."
    )


def _absent(story: Story, kind: str, rng: random.Random) -> str:
    """A word of a class that the story does not hold in any form."""
    pool = list(word_classes()[kind])
    rng.shuffle(pool)
    own = {name: getattr(story.words, name) for name in ("noun", "verb", "adjective")}
    text = story.text
    return next(word for word in pool if word in missing_words(text, RequiredWords(**{**own, kind: word})))
