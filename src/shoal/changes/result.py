"""What the engine found: changes, the pieces between them, and what moved at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from shoal.changes.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFeature:
    """One word whose share changed."""

    cell: tuple[int, int]
    """The resolution (how many cells the values are cut into) and the length of the word."""
    word: str
    """The word in readable form: value ranges in the data's units, or the symbols themselves, in order of time."""
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
    """The first place of the confidence set."""
    high: int
    """The greatest place of the confidence set, inclusive."""
    p_value: float
    """How often a stream without a change there shows one as clear, by permuted blocks."""
    score: float
    """How clear the change is: the largest standardised distance over the cells."""
    features: tuple[ChangedFeature, ...]
    """The words whose shares changed most, the clearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateSummary:
    """One coordinate in one piece."""

    name: str
    """The name of the coordinate, empty where there is only one and it has none."""
    mean: float | None
    """The mean of its finite values; None where there are none."""
    sd: float | None
    """Their standard deviation, with n - 1; None where there are fewer than two."""
    count: int
    """How many finite values there are: the steps of the piece less those missing or infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolShare:
    """One symbol in one piece."""

    symbol: str
    """The symbol as it is written."""
    share: float
    """The share of the piece's steps that have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceSummary:
    """One piece between two changes."""

    start: int
    """Its first step."""
    stop: int
    """The step after its last."""
    process: int
    """Its group."""
    coordinates: tuple[CoordinateSummary, ...] = ()
    """For numbers: at most eight coordinates, the same in every piece; of vectors those that moved, most first."""
    symbols: tuple[SymbolShare, ...] = ()
    """For symbols: at most five, the commonest of the piece first."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Changes(Sequence[int]):
    """All that was found in a stream; as a sequence, the places of its changes.

    ``list(found)``, ``len(found)``, ``found[0]`` and ``300 in found`` are about places, so a result stands wherever a
    list of places does; ``found == [300]`` compares the places, and two results are equal where everything in them is.
    A result without changes is false, as an empty list is.
    """

    length: int
    """The number n of steps of the stream."""
    changes: tuple[Change, ...]
    """In order of place; for a list estimator in order of score."""
    processes: tuple[int, ...]
    """The group of each piece between changes, numbered as they first appear; one more than there are changes."""
    min_distance: float
    """The least share of the stream between two changes."""
    process_count: int | None
    """The number of distinct processes that was given, or None where it was chosen."""
    alpha: float
    """The level of the tests."""
    confidence: float
    """The confidence of the sets of places."""
    model: str = "law"
    """What changes: "law" by tests, "levels" or "slopes" by a model."""
    pieces: tuple[PieceSummary, ...] = ()
    """What each piece between changes is like, in order."""
    stream: Stream | None = field(default=None, compare=False)
    """The stream that was searched, whose index and names `str` shows; not in `to_dict`."""

    def __len__(self) -> int:
        return len(self.changes)

    @overload
    def __getitem__(self, number: int) -> int: ...

    @overload
    def __getitem__(self, number: slice) -> list[int]: ...

    def __getitem__(self, number: int | slice) -> int | list[int]:
        return self.places[number]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Changes):
            # By their text: the p-values of a list estimator are NaN, which is unequal to itself.
            return repr(self.to_dict()) == repr(other.to_dict())
        return self.places == other if isinstance(other, list) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.length, tuple(self.places)))

    @property
    def places(self) -> list[int]:
        """The places of the changes."""
        return [change.place for change in self.changes]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, numbers and strings."""
        # asdict would copy every value of the stream first.
        plain = asdict(replace(self, stream=None))
        del plain["stream"]
        return plain | {"places": self.places}

    def to_records(self) -> list[dict[str, Any]]:
        """One plain dict per change, as ``pandas.DataFrame(found.to_records())`` takes them.

        pandas is not imported here: `shoal.changes` needs NumPy and Numba alone.
        """
        from shoal.changes.render import describe_change

        names = ("place", "low", "high", "p_value", "score")
        return [
            {name: getattr(change, name) for name in names} | {"what_changed": describe_change(change)}
            for change in self.changes
        ]

    def __str__(self) -> str:
        """What ``shoal changes`` prints; the short form where the stream is not known."""
        from shoal.changes.render import changes_text

        return repr(self) if self.stream is None else changes_text(self, self.stream)

    def __repr__(self) -> str:
        return f"Changes(length={self.length}, places={self.places}, model={self.model!r})"
