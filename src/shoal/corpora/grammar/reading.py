"""The reader: from the text of a story alone to the events that it tells, by the same forms that tell it.

It goes through the text sentence by sentence, takes off the words of time at the head, takes joined sentences apart,
and lets a pronoun stand for the one who acted last.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.forms import FORMS, OPENERS
from shoal.corpora.grammar.world import Event
from shoal.errors import DataError

_MOST_SENTENCES = 5
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


class _Reading(NamedTuple):
    """A form as a pattern."""

    kind: str
    pattern: re.Pattern[str]
    literal: int
    """Characters outside the slots: of two forms that match, the one that says more is meant."""


def read_events(text: str) -> tuple[Event, ...]:
    """What a story tells, sentence by sentence.

    Args:
        text: a story told by `shoal.corpora.grammar.generate`.

    Raises:
        DataError: a sentence that no form gives.
    """
    events: list[Event] = []
    focus = ""
    for paragraph in text.split("\n"):
        sentences = _SENTENCE_END.split(paragraph)
        place = 0
        while place < len(sentences):
            for length in range(min(_MOST_SENTENCES, len(sentences) - place), 0, -1):
                found = _read(" ".join(sentences[place : place + length]), focus)
                if found:
                    break
            else:
                raise DataError(
                    f"no form of the story grammar gives {sentences[place]!r}; only its own stories are read"
                )
            events += found
            focus = next((event.slots["a"] for event in reversed(found) if "a" in event.slots), focus)
            place += length
    return tuple(events)


def _read(sentence: str, focus: str) -> list[Event]:
    """The event of one sentence, or the two of a joined one; empty where no form fits."""
    plain = _OPENED.match(sentence)
    whole = _match(sentence, focus) or (plain and _match(_capital(sentence[plain.end() :]), focus))
    if whole:
        return [whole]
    for cut in re.finditer(" and ", sentence):
        left = _read(sentence[: cut.start()] + ".", focus)
        if len(left) == 1 and "a" in left[0].slots:
            actor = left[0].slots["a"]
            right = _match(f"{_capital(actor)} {sentence[cut.end() :]}", actor)
            if right:
                return [left[0], right]
    return []


def _match(sentence: str, focus: str) -> Event | None:
    best: tuple[int, Event] | None = None
    for word in set(_WORD.findall(sentence)):
        for reading in _index().get(word, ()):
            if best is None or reading.literal > best[0]:
                match = reading.pattern.fullmatch(sentence)
                if match:
                    best = reading.literal, Event(reading.kind, _facts(match, focus))
    return best[1] if best else None


def _facts(match: re.Match[str], focus: str) -> dict[str, str]:
    slots: dict[str, str] = {}
    for name, value in match.groupdict().items():
        letter = name.lower()
        if value in ("He", "She"):
            value = focus
        elif letter in "ab":
            value = value[0].lower() + value[1:] if value.startswith("The ") else value
        elif letter in "tu":
            value = value.rpartition(" ")[2]
        elif letter in "xyz":
            value = value.partition(" ")[2]
        slots[letter] = value
    return slots


@cache
def _index() -> dict[str, list[_Reading]]:
    """Forms by the rarest of their own words."""
    plain = {(kind, form): re.sub(r"\{\w+\}", " \n ", form) for kind, forms in FORMS.items() for form in forms}
    counts = Counter(word for text in plain.values() for word in set(_WORD.findall(text)))
    index: dict[str, list[_Reading]] = {}
    for (kind, form), text in plain.items():
        anchor = min(_WORD.findall(text), key=lambda word: counts[word])
        index.setdefault(anchor, []).append(_Reading(kind, _compile(form), len(text)))
    return index


def _compile(form: str) -> re.Pattern[str]:
    """The form with a group for each slot; a slot that stands twice must say the same."""
    named: set[str] = set()
    parts = []
    for part in re.split(r"(\{\w+\})", form):
        slot = part[1:-1]
        if not part.startswith("{"):
            parts.append(re.escape(part))
        elif slot in _OTHERS:
            parts.append(f"(?:{_OTHERS[slot]})")
        elif slot == "at":
            parts.append(f"(?:{_SLOTS[slot]})")
        elif slot in named:
            parts.append(f"(?P={slot})")
        elif slot.swapcase() in named:
            parts.append(f"(?:{_SLOTS[slot]})")
        else:
            named.add(slot)
            parts.append(f"(?P<{slot}>{_SLOTS[slot]})")
    return re.compile("".join(parts))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
