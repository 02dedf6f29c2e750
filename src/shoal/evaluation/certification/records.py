"""What an evaluator returned, in whatever form it came: objects or mappings, alone or inside a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shoal.errors import CertificationError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example

Evaluator = Callable[["PreTrainedModel", "PreTrainedTokenizerFast", Sequence["Example"]], Any]
"""Returns `Scores` or any sequence of records, one an example in their order, that have at least ``exact_match``."""

ABSENT = object()
"""Stands for a field that a record does not have; None is a value."""


def read_records(result: Any, count: int) -> list[Any]:
    """The records of a result, one an example.

    Raises:
        CertificationError: there are no records, or not as many as examples.
    """
    items = getattr(result, "items", None)
    records = result if items is None or callable(items) else items
    if isinstance(records, (str, Mapping)) or not isinstance(records, Iterable):
        raise CertificationError(f"the evaluator returned {type(result).__name__}; return a sequence of records")
    records = list(records)
    if len(records) != count:
        raise CertificationError(f"the evaluator returned {len(records)} records for {count} examples")
    return records


def value_of(record: Any, name: str) -> Any:
    """A field of a record, ``ABSENT`` where it has none of that name."""
    if isinstance(record, Mapping):
        return record.get(name, ABSENT)
    return getattr(record, name, ABSENT)


def exact_match(record: Any) -> bool:
    """The one field that every record has.

    Raises:
        CertificationError: it is missing or is not true or false.
    """
    value = value_of(record, "exact_match")
    if value is ABSENT:
        raise CertificationError(f"a record of type {type(record).__name__} has no exact_match")
    if value not in (0, 1):
        raise CertificationError(f"exact_match is {value!r}; it must be true or false")
    return bool(value)
