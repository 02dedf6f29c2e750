"""Where two tokenizers cut the same text differently."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.insight.tokens.reading import TokenReading


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentSpan:
    """A stretch of the text, as short as it can be, whose cuts are not the same on both sides."""

    start: int
    stop: int
    """Its characters."""

    text: str
    first: tuple[str, ...]
    """The vocabulary's tokens there, by the first tokenizer."""

    second: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """How two readings of one text agree."""

    first: str
    second: str
    """Their names."""

    shared: int
    """Cuts inside the text that both make."""

    only_first: int
    only_second: int
    """Cuts that one alone makes."""

    spans: tuple[DifferentSpan, ...]

    @property
    def agreement(self) -> float:
        """Shared cuts among all cuts, 0 to 1 (Jaccard's index); 1 where neither cuts."""
        every = self.shared + self.only_first + self.only_second
        return self.shared / every if every else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "agreement": self.agreement}


def where_they_part(first: TokenReading, second: TokenReading) -> Parting:
    """Compare the cuts of two tokenizers in the same text.

    Raises:
        UsageError: the readings are of two texts.
    """
    if first.text != second.text:
        raise UsageError("two readings are compared on one text; these are of different texts: read the same one twice")
    length = len(first.text)
    cuts_first, cuts_second = _cuts(first), _cuts(second)
    both = sorted(cuts_first & cuts_second | {0, length})
    lonely = sorted(cuts_first ^ cuts_second)
    spans = [
        DifferentSpan(
            start=start,
            stop=stop,
            text=first.text[start:stop],
            first=_inside(first, start, stop),
            second=_inside(second, start, stop),
        )
        for start, stop in pairwise(both)
        if bisect_right(lonely, start) < bisect_left(lonely, stop)
    ]
    inner = {0, length}
    return Parting(
        first=first.model,
        second=second.model,
        shared=len((cuts_first & cuts_second) - inner),
        only_first=len(cuts_first - cuts_second - inner),
        only_second=len(cuts_second - cuts_first - inner),
        spans=tuple(spans),
    )


def _cuts(reading: TokenReading) -> set[int]:
    """The places between characters at which a token ends; a character that is spread over tokens is cut once."""
    return {piece.stop for piece in reading.plain}


def _inside(reading: TokenReading, start: int, stop: int) -> tuple[str, ...]:
    """The tokens of a stretch."""
    return tuple(piece.token for piece in reading.plain if start <= piece.start < stop)
