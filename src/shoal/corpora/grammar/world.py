"""What a story is about: beings, things, the events that happen to them, and who had what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Being(NamedTuple):
    """Somebody in a story."""

    name: str
    """As it stands in the middle of a sentence: ``Ben``, or ``the farmer``."""

    kind: str
    """``boy``, ``girl``, ``frog``, ..., or the role of a grown-up."""

    female: bool
    trait: str = ""


class Thing(NamedTuple):
    """Something in a story; its noun stands for nothing else in that story."""

    noun: str
    look: str
    phrase: str
    """The look and the noun with an article: ``a red ball``."""


class Event(NamedTuple):
    """What one sentence says: its kind and the plain values of its slots.

    ``a`` acts and ``b`` is acted upon; ``t`` and ``u`` are nouns of known things; ``x``, ``y`` and ``z`` are things
    said for the first time, with their look; the other slots are those of `shoal.corpora.grammar.forms`.
    """

    kind: str
    slots: dict[str, str]

    def noun(self, slot: str) -> str | None:
        """The noun of the thing in a slot, without its look."""
        phrase = self.slots.get(slot)
        return None if phrase is None else phrase.rpartition(" ")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredWords:
    """The three words that must occur in a story, in their base form."""

    noun: str
    verb: str
    adjective: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A generated story and what is known of it."""

    text: str
    words: RequiredWords
    features: tuple[str, ...]
    """Those that a program finds in the text, in the order of `shoal.corpora.grammar.features.FEATURES`."""

    plot: str
    events: tuple[Event, ...] = field(repr=False)
    """What every sentence says, in order."""

    seed: int
    index: int
    """The story is a function of the seed, the index and what was requested."""


_GAINS = {
    "have": "x", "find": "x", "find_again": "t", "take": "t", "make": "x",
}  # fmt: skip
"""Events after which the one who acts has the thing in this slot."""


def holders(events: Iterable[Event]) -> dict[str, list[str]]:
    """The names of those who had each thing, in order; an empty name stands where it was lost.

    The same holder twice in succession counts once.
    """
    found: dict[str, list[str]] = {}
    for event in events:
        for noun, name in _changes(event):
            names = found.setdefault(noun, [])
            if not names or names[-1] != name:
                names.append(name)
    return found


def _changes(event: Event) -> list[tuple[str, str]]:
    """(noun, new holder) pairs of one event."""
    kind, slots = event.kind, event.slots
    if kind in _GAINS:
        return [(event.noun(_GAINS[kind]) or "", slots["a"])]
    # Who loses or gives a thing counts as a holder, since a story may leave out how they came by it.
    if kind == "lose":
        return [(slots["t"], slots["a"]), (slots["t"], "")]
    if kind == "give":
        return [(slots["t"], slots["a"]), (slots["t"], slots["b"])]
    if kind == "swap":
        return [(slots["t"], slots["b"]), (event.noun("y") or "", slots["b"]), (event.noun("y") or "", slots["a"])]
    return []
