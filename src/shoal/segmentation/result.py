"""What `segment` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shoal.wording import plural, probability

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shoal.segmentation.channels import Features
    from shoal.segmentation.heads import ClassifierHead
    from shoal.segmentation.labels import SegmentLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A boundary between two segments."""

    place: int
    """The index (from 0) of the first sentence of the new segment."""

    confidence: float
    """The posterior probability that a segment begins exactly here."""

    low: int
    """The first place of the 90 % credible set: a run of places around the cut that holds 90 % of this boundary's
    posterior, given that there is a boundary here."""

    high: int
    """The last place of that set."""

    near: float
    """The posterior probability that there is a boundary at all within that set; small where the number of segments
    was given and the text shows fewer."""

    gain: float
    """How much more likely (nats of log evidence) the two segments are than the one they would make together."""

    def __str__(self) -> str:
        here = f"boundary before sentence {self.place + 1}: probability {probability(self.confidence)}"
        if self.low == self.high:
            return here
        return f"{here}, {probability(self.near)} that one is before a sentence from {self.low + 1} to {self.high + 1}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them."""
        return {name: getattr(self, name) for name in Cut.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Segmentation:
    """A text cut into segments; iterating goes through its segments."""

    sentences: tuple[str, ...]

    cuts: tuple[Cut, ...]
    """In the order of the text; none where the text does not change."""

    penalty: float
    """The gain (nats) that a cut needs in this document; 0 where the number of segments was given."""

    channel: str
    """The name of the channel that the text was read by."""

    features: Features | None = field(default=None, compare=False)
    """What the channel made of the sentences."""

    head: ClassifierHead | None = field(default=None, compare=False)
    """The classifier of the channel; None for a channel without classes."""

    @property
    def count(self) -> int:
        """The number of segments."""
        return len(self.cuts) + 1

    @property
    def places(self) -> list[int]:
        """The index of the first sentence of each segment but the first."""
        return [cut.place for cut in self.cuts]

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """The sentences of each segment."""
        edges = [0, *self.places, len(self.sentences)]
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
            "cuts": [cut.to_dict() for cut in self.cuts],
            "sentences": list(self.sentences),
        }

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row per sentence: its segment (from 0), its text, the confidence of a cut here."""
        import pandas as pd

        confidence = {cut.place: cut.confidence for cut in self.cuts}
        rows = [
            {"segment": number, "sentence": sentence}
            for number, sentences in enumerate(self.segments)
            for sentence in sentences
        ]
        return pd.DataFrame(rows).assign(confidence=[confidence.get(place) for place in range(len(rows))])

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.segments)

    def to_text(self, labels: Sequence[SegmentLabel] | None = None) -> str:
        """What ``shoal segment`` prints: a line per segment with its label, and the boundaries between them.

        Args:
            labels: of its segments; None makes them.
        """
        from shoal.segmentation.labels import label_segments

        many = f"{self.count} segments" if self.count > 1 else "1 segment"
        size = len(self.sentences)
        lines = [f"{many} in {plural(size, 'sentence')}, by {self.channel}"]
        for number, label in enumerate(label_segments(self) if labels is None else labels):
            if number:
                lines.append(f"  -- {self.cuts[number - 1]}")
            lines.append(f"{number + 1:3}  sentences {label.start + 1} to {label.stop}: {label.text}")
            lines.append(f"     {_shortened(self.sentences[label.start])}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"Segmentation(channel={self.channel!r}, sentences={len(self.sentences)}, places={self.places})"


def _shortened(sentence: str, width: int = 90) -> str:
    return sentence if len(sentence) <= width else sentence[: width - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
