"""Who had what, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.corpora.grammar.world import Event

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
    if kind == "lose":
        return [(slots["t"], "")]
    if kind == "give":
        return [(slots["t"], slots["a"]), (slots["t"], slots["b"])]
    if kind == "swap":
        return [(slots["t"], slots["b"]), (event.noun("y") or "", slots["b"]), (event.noun("y") or "", slots["a"])]
    return []
