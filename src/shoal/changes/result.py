"""What the engine found: changes, the pieces between them, and what moved at each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One word whose share moved at a change."""

    cell: tuple[int, int]
    """The resolution (how many cells the values are cut into) and the length of the word."""
    word: str
    """The word as a person reads it: value ranges in the data's units, or the symbols themselves, in order of time."""
    before: float
    """Its share among the words of the piece before."""
    after: float
    """Its share among the words of the piece after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of law."""

    place: int
    """The index of the first element of the new piece, counted from 0."""
    low: int
    """The least place of the confidence set."""
    high: int
    """The greatest place of the confidence set, inclusive."""
    p_value: float
    """How often a stream without a change there shows one as clear, by permuted blocks."""
    score: float
    """How clear the change is: the largest standardised distance over the cells."""
    what: tuple[Moved, ...]
    """The words that moved most, the clearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that was found in a stream."""

    length: int
    """The number n of steps of the stream."""
    changes: tuple[Change, ...]
    """In order of place; for a list estimator in order of score."""
    processes: tuple[int, ...]
    """The group of each piece between changes, numbered as they first appear; one more than there are changes."""
    min_distance: float
    """The least share of the stream between two changes."""
    process_count: int | None
    """The number of distinct processes that was asked for, or None where it was chosen."""
    alpha: float
    """The level of the tests."""
    confidence: float
    """The confidence of the sets of places."""

    @property
    def places(self) -> list[int]:
        """The places of the changes."""
        return [change.place for change in self.changes]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, numbers and strings."""
        return asdict(self) | {"places": self.places}
