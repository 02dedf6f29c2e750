"""What evaluators are certified for, one kind of item each, and an evaluator's records beside the right ones.

A kind is a subclass of `ItemKind` with a ``name``, which ``shoal certify --evaluator-kind`` takes; it states how a
dummy is taught it, and which records are right. Records are objects or mappings, alone or inside a result.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shoal.errors import CertificationError
from shoal.models.dummies import GroundTruth, ground_truth
from shoal.tasks import Example
from shoal.text import decode_continuation, encode_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification.checks import Check
    from shoal.models.dummies import DummyForCausalLM


Evaluator = Callable[["PreTrainedModel", "PreTrainedTokenizerFast", Sequence[Any]], Any]
"""Called with items of its kind; returns any sequence of records, one per item in their order."""

ABSENT = object()
"""Stands for a field that a record does not have; None is a value."""


def evaluator_records(result: Any, count: int) -> list[Any]:
    """The records of a result, one per example.

    Args:
        result: a sequence of records, or an object whose ``items`` is one.
        count: how many examples there were.

    Raises:
        CertificationError: there are no records, or not as many as examples.
    """
    items = getattr(result, "items", None)
    # ``items`` of a dict or a data frame is a method, and not the records.
    records = result if items is None or callable(items) else items
    if isinstance(records, (str, Mapping)) or not isinstance(records, Iterable):
        raise CertificationError(f"the evaluator returned {type(result).__name__}; return a sequence of records")
    records = list(records)
    if len(records) != count:
        raise CertificationError(f"the evaluator returned {len(records)} records for {count} examples")
    return records


def value_of(record: Any, name: str) -> Any:
    """A field of a record, ``ABSENT`` where it has none of that name.

    Args:
        record: a mapping or an object.
        name: of the field.
    """
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
    # By equality, so that the booleans of NumPy and torch pass as well.
    if value not in (0, 1):
        raise CertificationError(f"exact_match is {value!r}; it must be true or false")
    return bool(value)


# How far an evaluator's numbers may lie from the right ones. Dummies decide by several logits, so that these are far
# above the rounding of float32 (and of evaluators that add up in another order), and far below any planted fault.
_NATS = 1e-3
_LOGITS = 1e-4
_SHARE = 1e-6

_UNITS = {"margin": "logits", "token_margins": "logits", "log_likelihood": "nats"}
"""The unit of a field, for the names of values; the others are counts, shares or texts."""

_MAX_SHOWN = 60
"""Characters of a value that JSON does not have."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Values that were due and values that came instead, by the same names."""

    expected: Mapping[str, Any]
    got: Mapping[str, Any]


def disagreements(result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
    """Where a result differs from the right scores, the gravest first; empty where nowhere.

    Only ``exact_match`` is due in every record; other fields are compared where they are there. So are the summaries
    that a result offers of all its records.

    Args:
        result: what the evaluator returned.
        truths: the right records, by example; a field on which the right value is open is left out.

    Raises:
        CertificationError: the result is not a sequence of as many records as there are examples.
    """
    records = evaluator_records(result, len(truths))
    found = []
    verdicts = [exact_match(record) for record in records]
    wrong = [index for index, truth in enumerate(truths) if verdicts[index] != truth["exact_match"]]
    if wrong:
        first = wrong[0]
        expected = {"item": first, "exact_match": bool(truths[first]["exact_match"]), "wrong_items": 0}
        got = {"item": first, "exact_match": verdicts[first], "wrong_items": len(wrong)}
        found.append(Disagreement({**expected, "items": len(truths)}, {**got, "items": len(truths)}))
    for index, (record, truth) in enumerate(zip(records, truths, strict=True)):
        for name, right in truth.items():
            value = value_of(record, name)
            if name != "exact_match" and value is not ABSENT and not _agrees(name, value, right):
                key = f"{name}_{_UNITS[name]}" if name in _UNITS else name
                found.append(Disagreement({"item": index, key: plain(right)}, {"item": index, key: plain(value)}))
    return found + _summary_disagreements(result, truths)


def _agrees(name: str, value: Any, right: Any) -> bool:
    compare = _COMPARISONS.get(name)
    if compare is None:
        # Of these fields None is a value: a right item has no first divergence.
        return _equal(value, right)
    # None means that the evaluator did not look: after an early exit, or by its settings.
    return value is None or compare(value, right)


def _close_to(tolerance: float) -> Callable[[Any, Any], bool]:
    def compare(value: Any, right: Any) -> bool:
        try:
            return math.isclose(float(value), right, rel_tol=1e-5, abs_tol=tolerance)
        except (TypeError, ValueError):
            return False

    return compare


def _close_margins(values: Any, right: Sequence[float]) -> bool:
    """The same margins, all of them or up to the first negative one."""
    values = list(values)
    close = _close_to(_LOGITS)
    whole = len(values) == len(right) or (0 < len(values) < len(right) and values[-1] <= 0)
    return whole and all(close(value, due) for value, due in zip(values, right, strict=False))


def _equal(value: Any, right: Any) -> bool:
    # Not a method of bool or str, which refuses the truth values of NumPy and torch.
    return bool(value == right)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "token_accuracy": _close_to(_SHARE),
    "margin": _close_to(_LOGITS),
    "token_margins": _close_margins,
    "log_likelihood": _close_to(_NATS),
    "bits_per_byte": _close_to(_NATS),
    "greedy_text": _equal,
    "greedy_ends": _equal,
    "string_match": _equal,
}


def _summary_disagreements(result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
    due: dict[str, float] = {"accuracy": sum(truth["exact_match"] for truth in truths) / len(truths)}
    if all("log_likelihood" in truth for truth in truths):
        total = sum(truth["log_likelihood"] for truth in truths)
        due["perplexity"] = math.exp(-total / sum(truth["tokens"] for truth in truths))
    found = []
    for name, right in due.items():
        value = number_of(getattr(result, name, None))
        # After an early exit a perplexity is not known, which is no fault.
        if value is None or (name == "perplexity" and math.isnan(value)):
            continue
        if not math.isclose(value, right, rel_tol=1e-4):
            found.append(Disagreement({name: right}, {name: plain(value)}))
    return found


def number_of(value: Any) -> float | None:
    """A summary of a foreign evaluator as a number, those of NumPy and torch too; None where it is none."""
    if isinstance(value, Real):
        return float(value)
    scalar = getattr(value, "ndim", None) == 0 and hasattr(value, "item")
    return number_of(value.item()) if scalar else None


def plain(value: Any) -> Any:
    """A value of a foreign evaluator as one that JSON has; what it has not, NaN among it, as its shortened text."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def count_right(result: Any, count: int) -> int:
    """How many records of a result are exact matches.

    Args:
        result: what the evaluator returned.
        count: how many examples there were.

    Raises:
        CertificationError: as `disagreements` does.
    """
    return sum(exact_match(record) for record in evaluator_records(result, count))


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check expected and what it got, as values by name; the unit ends a name where a value has one."""

    expected: Mapping[str, Any]
    got: Mapping[str, Any]
    passed: bool


class ItemKind(ABC, Generic[Item]):
    """One kind of item. A subclass with a ``name`` is found by it."""

    name: ClassVar[str]
    takes: ClassVar[str]
    """The arguments of an evaluator of this kind, for messages."""

    known: ClassVar[dict[str, ItemKind[Any]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in cls.__dict__:
            ItemKind.known[cls.name] = cls()

    @abstractmethod
    def own_evaluator(self) -> Evaluator:
        """Shoal's own evaluator of this kind."""

    @abstractmethod
    def checks(self, *, fast: bool) -> tuple[Check, ...]:
        """The checks in the order in which they are made: the cheapest and most informative ones first.

        Args:
            fast: only the essential ones.
        """

    @abstractmethod
    def pairs(self, items: Sequence[Item]) -> list[tuple[str, str, bool]]:
        """What a dummy is taught: (prompt, completion, ends).

        Args:
            items: of this kind.
        """

    @abstractmethod
    def truths(
        self, model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, items: Sequence[Item]
    ) -> list[Mapping[str, Any]]:
        """The right records of a dummy, read off its script.

        Args:
            model: a dummy that has learned something.
            tokenizer: its tokenizer.
            items: what it learned.
        """

    @abstractmethod
    def swapped(self, items: Sequence[Item]) -> list[Item]:
        """The same questions with each other's answers.

        Args:
            items: of this kind.
        """

    @abstractmethod
    def differences(self, result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
        """Where a result differs from the right records, the gravest first.

        Args:
            result: what the evaluator returned.
            truths: the right records, by item.

        Raises:
            CertificationError: the result cannot be read.
        """

    def counts(self, truths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What a certificate prints of a check that was passed.

        Args:
            truths: the right records, by item.
        """
        return {"items": len(truths)}

    def given(self, items: Sequence[Item]) -> Sequence[Any]:
        """What the evaluator gets of the items: by default they themselves."""
        return items

    def compare(self, result: Any, truths: Sequence[Mapping[str, Any]]) -> Finding:
        """Compare a result with the right records.

        Args:
            result: what the evaluator returned.
            truths: the right records, by item.

        Raises:
            CertificationError: the result cannot be read.
        """
        found = self.differences(result, truths)
        if not found:
            counts = self.counts(truths)
            return Finding(counts, counts, passed=True)
        return Finding(found[0].expected, {**found[0].got, "disagreements": len(found)}, passed=False)


class ExactMatchKind(ItemKind[Example]):
    """Prompts and completions: whether the greedy continuation is the completion."""

    name = "exact-match"
    takes = "(model, tokenizer, examples)"

    def own_evaluator(self) -> Evaluator:
        """The evaluator that never calls ``generate()``."""
        # Here and not above: a foreign evaluator is certified without importing shoal's own.
        from shoal.evaluation import evaluate

        return evaluate

    def checks(self, *, fast: bool) -> tuple[Check, ...]:
        """The essential ones are those with which every run begins."""
        from shoal.evaluation.certification.essential_checks import ESSENTIAL
        from shoal.evaluation.certification.thorough_checks import THOROUGH

        return ESSENTIAL if fast else (*ESSENTIAL, *THOROUGH)

    def pairs(self, items: Sequence[Example]) -> list[tuple[str, str, bool]]:
        """As a tokenizer's encoder takes them."""
        return [(example.prompt, example.completion, example.ends) for example in items]

    def truths(
        self, model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, items: Sequence[Example]
    ) -> list[Mapping[str, Any]]:
        """All fields of `ItemScore` whose right value is certain."""
        tree = model.known_tree()
        end_id = int(tokenizer.eos_token_id)
        scores = []
        for example, item in zip(items, encode_pairs(tokenizer, self.pairs(items)), strict=True):
            truth = ground_truth(tree, item.prompt, item.target, end_id, model.config.twins)
            text = decode_continuation(tokenizer, item.prompt, truth.greedy)
            scores.append(_record(truth, example, text, special=set(tokenizer.all_special_ids) - {end_id}))
        return scores

    def swapped(self, items: Sequence[Example]) -> list[Example]:
        """The same prompts, each with the completion of the next."""
        return [
            replace(example, completion=following.completion)
            for example, following in zip(items, [*items[1:], *items[:1]], strict=True)
        ]

    def differences(self, result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
        """Field by field, and the summaries that a result offers."""
        return disagreements(result, truths)

    def counts(self, truths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """How many are exact matches."""
        return {"exact_matches": sum(truth["exact_match"] for truth in truths), "items": len(truths)}


def _record(truth: GroundTruth, example: Example, text: str, special: set[int]) -> Mapping[str, Any]:
    record: dict[str, Any] = {
        "exact_match": truth.exact_match,
        "first_divergence": truth.first_divergence,
        "tokens": truth.tokens,
        "token_accuracy": truth.token_accuracy,
    }
    # Which margins and texts belong to logits that are not numbers is open; only the verdict is due.
    if math.isnan(truth.log_likelihood):
        return record
    record |= {
        "divergence": truth.divergence,
        "margin": truth.margin,
        "token_margins": truth.token_margins,
        "log_likelihood": truth.log_likelihood,
        "bits_per_byte": -truth.log_likelihood / math.log(2) / (len(example.completion.encode()) + example.ends),
        "greedy_text": text,
        "greedy_ends": truth.greedy_ends,
    }
    # Whether special tokens inside a text count as text is a matter of taste.
    if not special.intersection(truth.greedy) and "<" not in example.completion:
        record["string_match"] = text == example.completion and truth.greedy_ends == example.ends
    return record


EXACT_MATCH = ItemKind.known[ExactMatchKind.name]
