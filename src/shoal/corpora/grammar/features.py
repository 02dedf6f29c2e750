"""The features that a story can be requested to have, and the program that finds which of them it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.corpora.grammar.world import Event, RequiredWords

FEATURES = ("dialogue", "bad ending", "twist", "moral", "foreshadowing", "conflict")
"""As TinyStories names them (Eldan & Li 2023, arXiv:2305.07759, section 3)."""

_HARM = frozenset(("lose", "break", "tear", "leave", "hurt"))
_MENDING = frozenset(("find_again", "fix", "give", "glad_for"))
_FULFILMENT = frozenset(("find", "find_again", "lose", "give", "take", "swap", "make", "break", "tear", "free"))


def find_features(text: str, events: Sequence[Event]) -> tuple[str, ...]:
    """The features of a story, in the order of `FEATURES`.

    dialogue: somebody speaks, in quotation marks. bad ending: the last harm (a thing is lost or broken, somebody is
    hurt or leaves) is not mended afterwards, and the last feeling in the story is a sad one. twist: what was thought
    to be one being turns out to be another, or a thing or a friend has a secret. moral: a lesson is put in words.
    foreshadowing: a hint at a thing stands before an event in which that thing is found, made, lost, broken or
    changes hands. conflict: two quarrel.

    Args:
        text: the story.
        events: its events, in order.
    """
    kinds = [event.kind for event in events]
    there = {
        "dialogue": text.count('"') >= 2,
        "bad ending": _ends_badly(events),
        "twist": "twist_thing" in kinds or "twist_who" in kinds or _is_mistaken(events),
        "moral": "moral" in kinds,
        "foreshadowing": _is_hinted(events),
        "conflict": "quarrel" in kinds,
    }
    return tuple(name for name in FEATURES if there[name])


def missing_words(text: str, words: RequiredWords) -> tuple[str, ...]:
    """Those of the required words that a text holds in no form: the noun, the verb or its past, the adjective.

    Args:
        text: the story.
        words: in base form.
    """
    held = {word.strip('.,!?":;').removesuffix("'s").lower() for word in text.split()}
    forms: Iterable[tuple[str, set[str]]] = (
        (words.noun, {words.noun, words.noun + "s"}),
        (words.verb, {words.verb, lexicon.VERBS.get(words.verb, words.verb)}),
        (words.adjective, {words.adjective}),
    )
    return tuple(word for word, shapes in forms if not held & shapes)


def _ends_badly(events: Sequence[Event]) -> bool:
    harms = [place for place, event in enumerate(events) if event.kind in _HARM]
    feelings = [event.slots["f"] for event in events if "f" in event.slots]
    if not harms or not feelings or feelings[-1] not in lexicon.SAD:
        return False
    return not any(event.kind in _MENDING for event in events[harms[-1] + 1 :])


def _is_mistaken(events: Sequence[Event]) -> bool:
    feared: set[str] = set()
    for event in events:
        if event.kind == "think":
            feared.add(event.slots["k"])
        elif event.kind == "twist" and event.slots["k"] in feared:
            return True
    return False


def _is_hinted(events: Sequence[Event]) -> bool:
    hinted: set[str] = set()
    for event in events:
        if event.kind == "hint_dream":
            hinted.add(event.noun("x") or "")
        elif event.kind in _FULFILMENT and any(event.noun(slot) in hinted for slot in "txy"):
            return True
    return False
