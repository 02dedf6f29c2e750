"""The record of an item, as one line of JSON: what the model answered, and its value under each metric.

A line is a function of the record: its keys stand in one order and its numbers are written as Python writes them, so
that equal results are equal bytes. Results follow from the records and the task files alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.textfiles import finite, read_json_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRecord:
    """How the model did on one item."""

    id: str
    """The hash of the item's contents."""

    task: str
    index: int
    """The document's place in its split."""

    cluster: str | None = None
    """What the item belongs to, where the task names a column for it."""

    gold: Any = None
    """The place or places of the right choice, or the right text or texts."""

    log_likelihoods: tuple[float, ...] = ()
    """Of each request in nats: of each choice, of the text, or of each window."""

    greedy: tuple[bool, ...] = ()
    """Whether each continuation is what greedy decoding writes."""

    responses: tuple[str, ...] = ()
    """What was generated, one text per repetition."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    """By ``metric,filter``: a number, or the pair that its aggregation needs."""

    cut: bool = False
    """Whether the prompt was longer than the model's context and lost its beginning."""

    def to_line(self) -> str:
        """The record as one line of JSON, without the line end."""
        return json.dumps(
            {name: getattr(self, name) for name in _FIELDS}, ensure_ascii=False, separators=(",", ":"), default=dict
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite is None."""
        return {name: finite(getattr(self, name)) for name in _FIELDS} | {"metrics": finite(dict(self.metrics))}

    @property
    def choices(self) -> tuple[float, ...]:
        """The log-likelihoods of the choices behind their question; acc_mutual_info has each without it, too."""
        twice = any(name.startswith("acc_mutual_info,") for name in self.metrics)
        return self.log_likelihoods[: len(self.log_likelihoods) // 2] if twice else self.log_likelihoods

    @property
    def choice(self) -> int | None:
        """The place of the likeliest choice, the first of those that are equal; None where there are none."""
        nats = self.choices
        return max(range(len(nats)), key=lambda place: (nats[place], -place)) if len(nats) > 1 else None


_FIELDS = tuple(each.name for each in fields(BenchmarkRecord))
_TUPLES = ("log_likelihoods", "greedy", "responses")


def record_from_dict(values: Any, where: str) -> BenchmarkRecord:
    """The record of a line of JSON that was read.

    Args:
        values: what the line holds.
        where: where it stands, for messages.

    Raises:
        StoreError: it is no record.
    """
    if not isinstance(values, dict) or set(values) != set(_FIELDS):
        raise StoreError(f"{where} is no record of a benchmark item; expected the keys {', '.join(_FIELDS)}")
    fitting: dict[str, Any] = {key: tuple(value) if key in _TUPLES else value for key, value in values.items()}
    return BenchmarkRecord(**fitting)


def read_records(path: str | os.PathLike[str], *, unfinished: bool = False) -> Iterator[BenchmarkRecord]:
    """The records of a file of JSON lines, in its order; memory does not grow with their number.

    Args:
        path: the file.
        unfinished: leave out a last line that a killed process left half written.

    Raises:
        DataError: a line is broken.
        StoreError: a line is no record.
    """
    for where, values in read_json_lines(Path(path), unfinished=unfinished):
        yield record_from_dict(values, where)
