"""What a watch reports: events of a training, with the documents and repeated n-grams of a batch at a spike."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

EventKind = Literal["spike", "plateau", "skill", "divergence"]
EVENT_KINDS: tuple[EventKind, ...] = ("spike", "plateau", "skill", "divergence")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedNgram:
    """Tokens that stand in a batch again and again."""

    text: str
    tokens: int
    count: int
    documents: int
    """How many documents of the batch have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDocument:
    """A document of a batch."""

    place: int
    """In the batch, from 0."""

    tokens: int
    """Words, where the document was given as text."""

    repeated: float
    """Share of its n-grams of four tokens that stand in the batch more than once."""

    text: str
    """Its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """What stood in a batch."""

    name: str
    documents: tuple[BatchDocument, ...]
    """Those with the largest share of repeated n-grams, the first ones first."""

    document_count: int
    repeats: tuple[RepeatedNgram, ...]
    """The longest repeated n-grams, those that cover most tokens first."""

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.document_count} document{'' if self.document_count == 1 else 's'}"]
        lines += [
            f"  document {one.place} ({one.tokens} tokens, {one.repeated:.0%} repeated): {one.text}"
            for one in self.documents
        ]
        lines += [f"  {one.count} times in {one.documents} of them: {one.text}" for one in self.repeats]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """Something that happened in a training."""

    kind: EventKind
    stream: str
    """``loss``, ``gradient norm``, or the name of a class or a skill."""

    step: int
    """Of the training, at which it was seen."""

    began: int
    """About the step from which on it was so."""

    value: float
    """Of the stream at that step; not finite where a loss was not."""

    expected: float
    """What the stream would have been: its prediction (spike), the level that it left (skill, divergence), or the
    level from which it fell (plateau)."""

    size: float
    """How far apart they are: in standard deviations of the innovations, that is, of what cannot be predicted from the
    steps before; of a plateau as a share of the fall before it: the upper bound of what the second half of the steps
    brought."""

    batch: BatchContent | None = None
    """What stood in the batch of a spike, where it was given."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with a ``text`` for people; what is not finite is None."""
        values = asdict(self) | {"text": str(self)}
        for name in ("value", "expected", "size"):
            values[name] = values[name] if math.isfinite(values[name]) else None
        if self.batch is None:
            del values["batch"]
        return values

    def line(self) -> str:
        """One line, without the batch."""
        since = f" since step {self.began:,}" if self.began != self.step else ""
        numbers = f"{self.value:.4g} where {self.expected:.4g} was expected, {self.size:.1f} sd"
        if self.kind == "plateau":
            return (
                f"step {self.step:,}: plateau of {self.stream}{since}: at {self.value:.4g} from {self.expected:.4g}; "
                f"the last half of the steps brought at most {max(self.size, 0.0):.1%} of that fall"
            )
        if not math.isfinite(self.value):
            return f"step {self.step:,}: divergence of {self.stream}: {self.value}"
        if self.kind == "spike":
            return f"step {self.step:,}: spike of {self.stream}: {numbers}"
        what = "new skill" if self.kind == "skill" else "divergence"
        return f"step {self.step:,}: {what} in {self.stream}{since}: {numbers}"

    def __str__(self) -> str:
        return self.line() if self.batch is None else f"{self.line()}\n{self.batch}"


def event_from(values: Mapping[str, Any]) -> WatchEvent:
    """The event that `WatchEvent.to_dict` gave.

    Args:
        values: as read from JSON.
    """
    numbers = {name: math.nan if values[name] is None else values[name] for name in ("value", "expected", "size")}
    batch = values.get("batch")
    content = None
    if batch is not None:
        content = BatchContent(
            name=batch["name"],
            document_count=batch["document_count"],
            documents=tuple(BatchDocument(**one) for one in batch["documents"]),
            repeats=tuple(RepeatedNgram(**one) for one in batch["repeats"]),
        )
    plain = {name: value for name, value in values.items() if name != "text"}
    return WatchEvent(**(plain | numbers | {"batch": content}))
