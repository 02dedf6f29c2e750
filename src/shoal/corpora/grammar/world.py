"""What a story is about: beings, things, and the events that happen to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


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
class Words:
    """The three words that must occur in a story, in their base form."""

    noun: str
    verb: str
    adjective: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A generated story and what is known of it."""

    text: str
    words: Words
    features: tuple[str, ...]
    """Those that a program finds in the text, in the order of `shoal.corpora.grammar.features.FEATURES`."""

    plot: str
    events: tuple[Event, ...] = field(repr=False)
    """What every sentence says, in order."""

    seed: int
    index: int
    """The story is a function of the seed, the index and what was asked for."""
