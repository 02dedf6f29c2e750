"""What `segment` returns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A boundary between two segments."""

    place: int
    """The index (from 0) of the first sentence of the new segment."""

    confidence: float
    """The posterior probability that a segment begins exactly here."""

    low: int
    """The first place of the shortest stretch around the cut that holds 90 % of this boundary's posterior, given that
    there is a boundary here."""

    high: int
    """The last place of that stretch."""

    near: float
    """The posterior probability that there is a boundary at all within that stretch; small where the number of segments
    was given and the text shows fewer."""

    gain: float
    """How much more likely (nats of log evidence) the two segments are than the one they would make together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """A text cut into segments."""

    sentences: tuple[str, ...]

    cuts: tuple[Cut, ...]
    """In the order of the text; none where the text does not change."""

    penalty: float
    """What a cut has to gain (nats) to be made in this document; 0 where the number of segments was given."""

    channel: str
    """The name of the channel that the text was read by."""

    @property
    def count(self) -> int:
        """The number of segments."""
        return len(self.cuts) + 1

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """The sentences of each segment."""
        edges = [0, *(cut.place for cut in self.cuts), len(self.sentences)]
        return tuple(self.sentences[start:stop] for start, stop in pairwise(edges))

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of sentences of each segment."""
        return tuple(len(segment) for segment in self.segments)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them."""
        return {
            "channel": self.channel,
            "count": self.count,
            "penalty": self.penalty,
            "cuts": [{name: getattr(cut, name) for name in Cut.__slots__} for cut in self.cuts],
            "sentences": list(self.sentences),
        }
