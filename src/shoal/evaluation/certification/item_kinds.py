"""What evaluators are certified for, one kind of item each: how a dummy is taught it, and which records are right.

A kind is a subclass of `ItemKind` with a ``name``, which ``shoal certify --evaluator-kind`` takes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shoal.evaluation.certification.diff import disagreements
from shoal.models.dummies import GroundTruth, ground_truth
from shoal.tasks import Example
from shoal.text import decode_continuation, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.certification.checks import Check
    from shoal.evaluation.certification.diff import Disagreement, Evaluator
    from shoal.models.dummies import DummyForCausalLM

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
