"""An evaluator's records, in whatever form they come, compared with the right ones.

Records are objects or mappings, alone or inside a result.
"""

from __future__ import annotations

import math
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


_NATS = 1e-3
_LOGITS = 1e-4
_SHARE = 1e-6


def disagreements(result: Any, truths: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Where a result and the right scores part: (expected, got) for a person, the gravest first; empty where nowhere.

    Only ``exact_match`` is due in every record; other fields are compared where they are there. So are the summaries
    that a result offers of all its records.

    Raises:
        CertificationError: the result is not a sequence of as many records as there are examples.
    """
    records = read_records(result, len(truths))
    found = []
    verdicts = [exact_match(record) for record in records]
    wrong = [index for index, truth in enumerate(truths) if verdicts[index] != truth["exact_match"]]
    if wrong:
        first = wrong[0]
        expected = f"exact_match {truths[first]['exact_match']} of item {first}"
        found.append((expected, f"{verdicts[first]}; {len(wrong)} of {len(truths)} items are judged wrongly"))
    for index, (record, truth) in enumerate(zip(records, truths, strict=True)):
        for name, right in truth.items():
            value = value_of(record, name)
            if name != "exact_match" and value is not ABSENT and not _agrees(name, value, right):
                found.append((f"{name} {_shown(right)} of item {index}", _shown(value)))
    return found + _summary_disagreements(result, truths)


def _agrees(name: str, value: Any, right: Any) -> bool:
    compare = _COMPARISONS.get(name)
    if compare is None:
        return bool(value == right)
    # None says that the evaluator did not look: after an early exit, or because it was not asked to.
    return value is None or compare(value, right)


def _near(tolerance: float) -> Callable[[Any, Any], bool]:
    def compare(value: Any, right: Any) -> bool:
        try:
            return math.isclose(float(value), right, rel_tol=1e-5, abs_tol=tolerance)
        except (TypeError, ValueError):
            return False

    return compare


def _near_margins(values: Any, right: Sequence[float]) -> bool:
    """The same margins, all of them or up to the first negative one."""
    values = list(values)
    near = _near(_LOGITS)
    whole = len(values) == len(right) or (0 < len(values) < len(right) and values[-1] <= 0)
    return whole and all(near(value, due) for value, due in zip(values, right, strict=False))


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "token_accuracy": _near(_SHARE),
    "margin": _near(_LOGITS),
    "token_margins": _near_margins,
    "log_likelihood": _near(_NATS),
    "bits_per_byte": _near(_NATS),
    "greedy_text": str.__eq__,
    "greedy_ends": bool.__eq__,
    "string_match": bool.__eq__,
}


def _summary_disagreements(result: Any, truths: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    due: dict[str, float] = {"accuracy": sum(truth["exact_match"] for truth in truths) / len(truths)}
    if all("log_likelihood" in truth for truth in truths):
        total = sum(truth["log_likelihood"] for truth in truths)
        due["perplexity"] = math.exp(-total / sum(truth["tokens"] for truth in truths))
    found = []
    for name, right in due.items():
        value = getattr(result, name, None)
        if isinstance(value, (int, float)) and not math.isnan(value) and not math.isclose(value, right, rel_tol=1e-4):
            found.append((f"{name} {right:.6g}", f"{value:.6g}"))
    return found


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def count_right(result: Any, count: int) -> int:
    """How many records of a result are exact matches.

    Raises:
        CertificationError: as `disagreements` does.
    """
    return sum(exact_match(record) for record in read_records(result, count))
