"""Choice evaluators certified: items with choices, the right choice of a dummy, and what counts at a tie.

A tie is never right. A model that finds two choices equally likely has not chosen, so that an evaluator which counts
the tie as right gives half of its points, or all of them, to a model that knows nothing. An index, which has to be one
of the tied ones, is accepted where it is fixed by the question: the same whichever choice is the right one.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shoal.errors import CertificationError
from shoal.evaluation.certification.item_kinds import ABSENT, Disagreement, ItemKind, evaluator_records, plain, value_of
from shoal.models.dummies import ground_truth
from shoal.text import encode_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.certification.checks import Check
    from shoal.evaluation.certification.item_kinds import Evaluator
    from shoal.models.dummies import DummyForCausalLM


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceItem:
    """A context with the continuations that a model has to choose between."""

    context: str
    """What comes before a choice, joined to it without anything between. Where it is empty, a choice is a whole text,
    scored behind the token that begins a text: a minimal pair."""

    choices: tuple[str, ...]
    """Continuations as they are appended, white space at their beginning included; as many as there are."""

    answer: int
    """The index of the right choice."""


LENGTHS = ("", "_per_token", "_per_character", "_per_byte")
"""What follows ``choice`` and ``correct``: the log-likelihood as it is, or divided by a length of the choice's text."""

_CLOSE = 1e-3
"""Nats below which two choices are as good as tied: float32 may decide such a pair either way."""

# Float32 sums of some hundred log-probabilities differ by less, in any order; one wrong token costs far more.
_NATS = 1e-3
_MAX_TIED_TOKENS = 3
"""Longer equal sums may differ by rounding where an evaluator adds them in another order."""


@dataclass(frozen=True, slots=True)
class Tie:
    """The choices that are equally good, and the question that they belong to."""

    indices: tuple[int, ...]
    question: ChoiceItem
    """With answer 0 whatever the answer is: the same for items that differ in the answer alone."""


class ChoiceKind(ItemKind[ChoiceItem]):
    """A record is an index (None at a tie), a truth value (whether the model is right), log-likelihoods, or has fields.

    The fields: ``log_likelihoods`` of the choices in nats; ``choice``, the index of the greatest; ``correct``, whether
    that is the answer; and ``choice_per_token``, ``correct_per_byte``, ... by the log-likelihood divided by a length.
    """

    name = "choices"
    takes = "(model, tokenizer, items with context, choices and answer)"

    def own_evaluator(self) -> Evaluator:
        """The one that ``shoal eval`` scores choices with."""
        from shoal.evaluation.choices import score_choices

        return score_choices

    def checks(self, *, fast: bool) -> tuple[Check, ...]:
        """The essential ones have one check per fault that is known."""
        from shoal.evaluation.certification.choice_checks import ESSENTIAL, THOROUGH

        return ESSENTIAL if fast else (*ESSENTIAL, *THOROUGH)

    def pairs(self, items: Sequence[ChoiceItem]) -> list[tuple[str, str, bool]]:
        """The answer of each item first, then its other choices: the order in which a dummy prefers them."""
        return [
            (item.context, choice, False)
            for item in items
            for choice in (item.choices[item.answer], *item.choices[: item.answer], *item.choices[item.answer + 1 :])
        ]

    def truths(
        self, model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, items: Sequence[ChoiceItem]
    ) -> list[Mapping[str, Any]]:
        """Log-likelihoods off the dummy's script; where a choice is decided by rounding, its fields are left out."""
        tree, end_id = model.known_tree(), int(tokenizer.eos_token_id)
        records: list[Mapping[str, Any]] = []
        for item in items:
            pairs = encode_pairs(tokenizer, [(item.context, choice, False) for choice in item.choices])
            found = [ground_truth(tree, pair.prompt, pair.target, end_id, model.config.twins) for pair in pairs]
            likelihoods = [truth.log_likelihood for truth in found]
            record: dict[str, Any] = {"log_likelihoods": likelihoods}
            for suffix, lengths in zip(LENGTHS, _lengths(item, [truth.tokens for truth in found]), strict=True):
                due = _due(item, likelihoods, lengths, [truth.tokens for truth in found])
                if due is not None:
                    record[f"choice{suffix}"] = due
                    record[f"correct{suffix}"] = due == item.answer
            # A space at a context's end may be scored with the choice: the numbers then differ, the order does not.
            if item.context != item.context.rstrip():
                record = {name: value for name, value in record.items() if name in ("choice", "correct")}
            records.append(record)
        return records

    def swapped(self, items: Sequence[ChoiceItem]) -> list[ChoiceItem]:
        """The next choice of each item is the right one."""
        return [replace(item, answer=(item.answer + 1) % len(item.choices)) for item in items]

    def differences(self, result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
        """Verdicts first, then choices, then numbers."""
        records = [_fields(record) for record in evaluator_records(result, len(truths))]
        found = []
        for name in [f"{field}{suffix}" for field in ("correct", "choice") for suffix in LENGTHS]:
            found += _different_choices(name, records, truths)
        for index, (record, truth) in enumerate(zip(records, truths, strict=True)):
            given = record.get("log_likelihoods")
            due = truth.get("log_likelihoods")
            if given is not None and due is not None and not _same_numbers(given, due):
                key = "log_likelihoods_nats"
                found.append(Disagreement({"item": index, key: plain(due)}, {"item": index, key: plain(given)}))
        return found

    def counts(self, truths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """How many choices are right, and how many are ties."""
        ties = sum(isinstance(truth.get("choice"), Tie) for truth in truths)
        return {"right": sum(truth.get("correct", False) for truth in truths), "ties": ties, "items": len(truths)}


def _lengths(item: ChoiceItem, tokens: Sequence[int]) -> list[list[int]]:
    """By entry of `LENGTHS`: what the log-likelihood of each choice is divided by."""
    return [
        [1] * len(item.choices),
        list(tokens),
        [len(choice) for choice in item.choices],
        [len(choice.encode()) for choice in item.choices],
    ]


def _due(item: ChoiceItem, likelihoods: list[float], lengths: list[int], tokens: list[int]) -> int | Tie | None:
    """The right choice, or those that are tied; None where rounding decides between different numbers.

    Raises:
        ValueError: choices that are too long are tied, so that right evaluators may differ.
    """
    values = [likelihood / length for likelihood, length in zip(likelihoods, lengths, strict=True)]
    best = max(values)
    close = tuple(index for index, value in enumerate(values) if best - value < _CLOSE)
    if len(close) == 1:
        return close[0]
    # Equal only by division: 2/2 and 3/3 are the same number and not the same rounding.
    if len({(likelihoods[index], lengths[index], tokens[index]) for index in close}) > 1:
        return None
    if max(tokens[index] for index in close) > _MAX_TIED_TOKENS:
        raise ValueError(f"choices of more than {_MAX_TIED_TOKENS} tokens are tied: {item}; give shorter ones")
    return Tie(close, replace(item, answer=0))


def _fields(record: Any) -> dict[str, Any]:
    """A record in any of its forms as fields by name.

    Raises:
        CertificationError: it is none that can be read.
    """
    if record is None:
        return {"choice": None}
    if _is_truth(record):
        return {"correct": bool(record)}
    if (index := _index(record)) is not None:
        return {"choice": index}
    names = [f"{field}{suffix}" for field in ("correct", "choice") for suffix in LENGTHS]
    found = {name: value_of(record, name) for name in [*names, "log_likelihoods"]}
    found = {name: value for name, value in found.items() if value is not ABSENT}
    if not found and isinstance(record, Iterable) and not isinstance(record, (str, bytes, Mapping)):
        found = {"log_likelihoods": record}
    if not found:
        raise CertificationError(f"a record of type {type(record).__name__} has no choice, correct or log_likelihoods")
    return {name: _checked(name, value) for name, value in found.items()}


def _checked(name: str, value: Any) -> Any:
    """The value of a field in plain Python.

    Raises:
        CertificationError: it is of the wrong type.
    """
    if name == "log_likelihoods":
        try:
            return None if value is None else [float(number) for number in value]
        except (TypeError, ValueError) as fault:
            raise CertificationError(f"log_likelihoods is {plain(value)}; it must be a number per choice") from fault
    if name.startswith("correct"):
        if not _is_truth(value) and value not in (0, 1):
            raise CertificationError(f"{name} is {plain(value)}; it must be true or false")
        return bool(value)
    if value is not None and (_is_truth(value) or _index(value) is None):
        raise CertificationError(f"{name} is {plain(value)}; it must be the index of a choice, or None at a tie")
    return None if value is None else _index(value)


def _is_truth(value: Any) -> bool:
    # NumPy's and torch's truth values are no bool; their dtype names them.
    return isinstance(value, bool) or (getattr(value, "ndim", None) == 0 and "bool" in str(getattr(value, "dtype", "")))


def _index(value: Any) -> int | None:
    if isinstance(value, numbers.Integral):
        return int(value)
    if getattr(value, "ndim", None) == 0 and "int" in str(getattr(value, "dtype", "")):
        return int(value)
    return None


def _different_choices(
    name: str, records: Sequence[Mapping[str, Any]], truths: Sequence[Mapping[str, Any]]
) -> list[Disagreement]:
    """The items on which one of the fields ``choice...`` and ``correct...`` is wrong, as one disagreement."""
    fixed: dict[ChoiceItem, int | None] = {}
    wrong: list[tuple[int, Any, Any]] = []
    for index, (record, truth) in enumerate(zip(records, truths, strict=True)):
        if name not in record or name not in truth:
            continue
        given, due = record[name], truth[name]
        if not isinstance(due, Tie):
            if given != due:
                wrong.append((index, due, given))
        elif given is not None and given not in due.indices:
            wrong.append((index, f"None or one of {list(due.indices)}, which are tied", given))
        elif fixed.setdefault(due.question, given) != given:
            # Two items that differ in the answer alone: what is chosen must not hang on the answer.
            wrong.append((index, f"{fixed[due.question]}, as where another of the tied choices is right", given))
    if not wrong:
        return []
    index, expected, got = wrong[0]
    count = {"items": len(truths)}
    return [
        Disagreement(
            {"item": index, name: plain(expected), "wrong_items": 0, **count},
            {"item": index, name: plain(got), "wrong_items": len(wrong), **count},
        )
    ]


def _same_numbers(given: Sequence[float], due: Sequence[float]) -> bool:
    if len(given) != len(due):
        return False
    # Relative for long texts, whose rounding grows with the sum.
    return all(abs(one - other) <= max(_NATS, 1e-5 * abs(other)) for one, other in zip(given, due, strict=True))
