"""The parser: from the text of a story alone to its events, by the same forms that the realizer writes.

It goes through the text sentence by sentence, takes off the words of time at the head, takes joined sentences apart,
and lets a pronoun stand for the one who acted last.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.forms import FORMS, OPENERS
from shoal.corpora.grammar.world import Event
from shoal.errors import DataError
from shoal.wording import capital

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_SENTENCES = 5
"""A form holds at most this many sentences."""

_NAME = r"[A-Z][a-z]+|[Tt]he (?:farmer|teacher|baker|nurse|old man|old woman)"
_LOOK = "|".join(sorted({*lexicon.LOOKS, *lexicon.COLORS}))
_SLOTS = {
    "A": rf"{_NAME}|He|She",
    "a": _NAME,
    "B": _NAME,
    "b": _NAME,
    **dict.fromkeys("tu", rf"(?:(?:{_LOOK}) )?(?:{'|'.join(lexicon.THINGS)})"),
    **dict.fromkeys("xyz", rf"an? (?:{_LOOK}) (?:{'|'.join(lexicon.THINGS)})"),
    "p": "|".join(lexicon.PLACES),
    "at": "in|at|on|by",
    "s": "|".join(sorted(lexicon.SPOTS, key=len, reverse=True)),
    "f": "|".join((*lexicon.GLAD, *lexicon.SAD, *lexicon.UNSURE)),
    "v": "|".join(lexicon.VERBS),
    "d": "|".join(lexicon.VERBS.values()),
    "k": r"[a-z]+",
    "l": r"[a-z]+",
    "r": "|".join(lexicon.TRAITS),
    "o": rf"an? (?:{'|'.join(lexicon.TASTES)}) (?:{'|'.join(lexicon.FOODS)})",
    "c": "|".join(lexicon.COLORS),
    "e": "|".join(lexicon.COLORS),
    "n": "|".join(lexicon.SIGHTS),
    "q": "|".join(lexicon.SOUNDS),
    "i": "|".join(lexicon.SOURCES),
    "w": "|".join(lexicon.BODY),
    "j": "|".join(lexicon.CALLINGS),
    "m": r"[A-Za-z ]+",
}
_OTHERS = {"he": "he|she", "his": "his|her", "him": "him|her", "bhe": "he|she", "bhis": "his|her", "bhim": "him|her"}
_OPENED = re.compile(rf"(?:{'|'.join(sorted(set(OPENERS), key=len, reverse=True))}),? (?=\S)")
_SENTENCE_END = re.compile(r'(?<=[.!?"]) (?=[A-Z"])')
_WORD = re.compile(r"[A-Za-z]+")
_SLOT = re.compile(r"(\{\w+\})")


class _Reading(NamedTuple):
    """A form as a pattern."""

    kind: str
    pattern: re.Pattern[str]
    literal: int
    """Characters outside the slots: of two forms that match, the one that says more is meant."""


def read_events(text: str) -> tuple[Event, ...]:
    """The events of a story, sentence by sentence.

    Args:
        text: a story of `shoal.corpora.grammar.tell_stories`.

    Raises:
        DataError: a sentence that no form gives.
    """
    events: list[Event] = []
    focus = ""
    for paragraph in text.split("\n"):
        sentences = _SENTENCE_END.split(paragraph)
        place = 0
        while place < len(sentences):
            found, length = _read_longest(sentences[place : place + _MAX_SENTENCES], focus)
            events += found
            focus = next((event.slots["a"] for event in reversed(found) if "a" in event.slots), focus)
            place += length
    return tuple(events)


def _read_longest(sentences: list[str], focus: str) -> tuple[list[Event], int]:
    """The events of as many sentences as one form covers, and their number."""
    # The longest first, since a form of several sentences may begin with the sentence of another.
    for length in range(len(sentences), 0, -1):
        found = _read(" ".join(sentences[:length]), focus)
        if found:
            return found, length
    raise DataError(f"no form of the story grammar gives {sentences[0]!r}; only its own stories are read")


def _read(sentence: str, focus: str) -> list[Event]:
    """The event of one sentence, or the two of a joined one; empty where no form fits."""
    plain = _OPENED.match(sentence)
    whole = _match(sentence, focus) or (plain and _match(capital(sentence[plain.end() :]), focus))
    if whole:
        return [whole]
    # A joined sentence leaves out the second actor's name, which the first half has; forms hold "and" themselves, so
    # each one is tried.
    for cut in re.finditer(" and ", sentence):
        left = _read(sentence[: cut.start()] + ".", focus)
        if len(left) == 1 and "a" in left[0].slots:
            actor = left[0].slots["a"]
            right = _match(f"{capital(actor)} {sentence[cut.end() :]}", actor)
            if right:
                return [left[0], right]
    return []


def _match(sentence: str, focus: str) -> Event | None:
    best: tuple[int, Event] | None = None
    # In the order of the words: of two forms that say as much, the same one is meant in every process.
    for word in dict.fromkeys(_WORD.findall(sentence)):
        for reading in _index().get(word, ()):
            match = reading.pattern.fullmatch(sentence) if best is None or reading.literal > best[0] else None
            if match:
                best = reading.literal, Event(reading.kind, _facts(match, focus))
    return best[1] if best else None


def _facts(match: re.Match[str], focus: str) -> dict[str, str]:
    """The plain values of the slots; a pronoun stands for the one who acted last."""
    return {
        name.lower(): focus if value in ("He", "She") else _PLAIN.get(name.lower(), str)(value)
        for name, value in match.groupdict().items()
    }


def _uncapitalized(name: str) -> str:
    return f"t{name[1:]}" if name.startswith("The ") else name


_PLAIN: dict[str, Callable[[str], str]] = {
    **dict.fromkeys("ab", _uncapitalized),
    **dict.fromkeys("tu", lambda thing: thing.rpartition(" ")[2]),  # without its look
    **dict.fromkeys("xyz", lambda thing: thing.partition(" ")[2]),  # without its article
}
"""How the plain value of a slot is got from what stands in the sentence."""


@cache
def _index() -> dict[str, list[_Reading]]:
    """Forms by the rarest of their own words."""
    # So a sentence tries a handful of patterns, not all of the hundreds.
    plain = {(kind, form): re.sub(r"\{\w+\}", " \n ", form) for kind, forms in FORMS.items() for form in forms}
    counts = Counter(word for text in plain.values() for word in set(_WORD.findall(text)))
    index: dict[str, list[_Reading]] = {}
    for (kind, form), text in plain.items():
        anchor = min(_WORD.findall(text), key=lambda word: counts[word])
        index.setdefault(anchor, []).append(_Reading(kind, _compile(form), len(text)))
    return index


def _compile(form: str) -> re.Pattern[str]:
    """The form with a group for each slot; a slot that stands twice must hold the same."""
    named: set[str] = set()
    parts = (_slot(part[1:-1], named) if part.startswith("{") else re.escape(part) for part in _SLOT.split(form))
    return re.compile("".join(parts))


def _slot(slot: str, named: set[str]) -> str:
    """The pattern of one slot; the first of its name is a named group, unless it is no fact."""
    if slot in _OTHERS:
        return f"(?:{_OTHERS[slot]})"
    if slot in named:
        return f"(?P={slot})"
    if slot == "at" or slot.swapcase() in named:
        return f"(?:{_SLOTS[slot]})"
    named.add(slot)
    return f"(?P<{slot}>{_SLOTS[slot]})"
