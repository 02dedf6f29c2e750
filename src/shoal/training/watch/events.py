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
    """How many of the documents that were searched have it."""

    def __str__(self) -> str:
        where = "1 document" if self.documents == 1 else f"{self.documents} documents"
        return f"repeated {self.count} times in {where}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDocument:
    """A document of a batch."""

    place: int
    """In the batch, from 0."""

    source: str = ""
    """The corpus or kind of rows that it is of, where that is known."""

    number: int | None = None
    """Its place in the source, from 0; the first token of a window."""

    loss: float | None = None
    """Mean of its predicted tokens in nats, by the weights before the update; None where it was not measured."""

    tokens: int
    """Words, where the document was given as text."""

    repeated: float
    """Share of its n-grams of four tokens that stand in the batch more than once."""

    text: str
    """Its beginning."""

    @property
    def name(self) -> str:
        """Its source and number, else its place in the batch."""
        if not self.source:
            return f"document {self.place}"
        return self.source if self.number is None else f"{self.source} {self.number}"

    def __str__(self) -> str:
        measured = "" if self.loss is None else f"loss {self.loss:.4g}, "
        return f"{self.name} ({measured}{self.tokens} tokens, {self.repeated:.0%} repeated): {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """What stood in a batch."""

    name: str
    documents: tuple[BatchDocument, ...]
    """Those with the highest loss, the highest first; where no losses are known those with the largest share of
    repeated n-grams."""

    document_count: int
    repeats: tuple[RepeatedNgram, ...]
    """The longest repeated n-grams, the longest first: of the documents above where losses are known, else of the
    whole batch."""

    def lines(self) -> list[str]:
        """The documents and the repeated n-grams, a line each."""
        return [*map(str, self.documents), *map(str, self.repeats)]

    def __str__(self) -> str:
        head = f"{self.name}: {self.document_count} document{'' if self.document_count == 1 else 's'}"
        return "\n".join([head, *(f"  {line}" for line in self.lines())])


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
        for document in values["batch"]["documents"]:
            # Left out where it was not measured, so that None is a loss that is not finite here too.
            if document["loss"] is None:
                del document["loss"]
            elif not math.isfinite(document["loss"]):
                document["loss"] = None
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
    content = None if batch is None else batch_content_from(batch)
    plain = {name: value for name, value in values.items() if name != "text"}
    return WatchEvent(**(plain | numbers | {"batch": content}))


def batch_content_from(values: Mapping[str, Any]) -> BatchContent:
    """The batch of an event, from what `WatchEvent.to_dict` gave of it.

    Args:
        values: the event's ``batch``, as read from JSON.
    """
    return BatchContent(
        name=values["name"],
        document_count=values["document_count"],
        documents=tuple(_document_from(one) for one in values["documents"]),
        repeats=tuple(RepeatedNgram(**one) for one in values["repeats"]),
    )


def _document_from(values: Mapping[str, Any]) -> BatchDocument:
    loss = math.nan if values.get("loss", 0.0) is None else values.get("loss")
    return BatchDocument(**(dict(values) | {"loss": loss}))
