"""The kinds of check: a dummy, the items that it is given, the scores that are right for it, and what passes."""

from __future__ import annotations

import functools
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.evaluation.certification.item_kinds import (
    EXACT_MATCH,
    Finding,
    ItemKind,
    count_right,
    evaluator_records,
    number_of,
    plain,
    value_of,
)
from shoal.evaluation.metrics import bleu
from shoal.models.dummies import make_dummy, set_answers, tiny_tokenizer
from shoal.statistics import clopper_pearson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.certification.item_kinds import Evaluator
    from shoal.models.dummies import ContextTree, DummyForCausalLM


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an evaluator is given, and what it must find."""

    model: DummyForCausalLM
    tokenizer: PreTrainedTokenizerFast
    examples: Sequence[Any]
    """Items of the kind that the check is about."""

    truths: Sequence[Mapping[str, Any]]
    """By example: field to right value; a field on which the right value is open is left out."""


_BLEU_TOLERANCE = 1e-6
# Two checks draw at random, so that a right evaluator fails about one certificate in half a million by chance.
ALPHA = 1e-6
"""How often a right evaluator may fall out of the interval of a dummy that answers at random."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Check(ABC):
    """One property of an evaluator."""

    name: str

    proves: str
    """What an evaluator that passes has shown, in one sentence."""

    @abstractmethod
    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """Put the evaluator to the test.

        Args:
            evaluator: what is certified.
            seed: of the dummies that answer at random, and of the order of items.

        Raises:
            CertificationError: what the evaluator returned cannot be read.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoresDummy(Check):
    """The evaluator gives a dummy the scores that are known by construction, item by item and field by field."""

    dummy: str
    examples: Sequence[Any]
    """Items of the kind."""

    kind: ItemKind[Any] = EXACT_MATCH
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    tokenizer: Callable[[], PreTrainedTokenizerFast] = tiny_tokenizer
    twins: int = 1

    def case(self, seed: int) -> Case:
        """The dummy, taught the examples; each time another one, since an evaluator may do anything to it."""
        script, truths = _lesson(self, seed)
        model, tokenizer = self.dummy_with((), seed)
        model.set_tree(script)
        shown = self.kind.given(self.examples)
        return Case(model=model, tokenizer=tokenizer, examples=shown, truths=truths)

    def dummy_with(self, examples: Sequence[Any], seed: int) -> tuple[DummyForCausalLM, PreTrainedTokenizerFast]:
        """The dummy, taught these examples."""
        return make_dummy(
            self.dummy,
            pairs=self.kind.pairs(examples),
            tokenizer=self.tokenizer(),
            seed=seed,
            twins=self.twins,
            **self.parameters,
        )

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """One call of the evaluator."""
        case = self.case(seed)
        return self.kind.compare(evaluator(case.model, case.tokenizer, case.examples), case.truths)


# By identity of the check (``eq=False``), since its parameters are a dict; 256 is more than there are checks.
@functools.lru_cache(maxsize=256)
def _lesson(check: ScoresDummy, seed: int) -> tuple[ContextTree, Sequence[Mapping[str, Any]]]:
    """What the dummy of a check answers, and the right scores; written once for all evaluators of a process."""
    model, tokenizer = check.dummy_with(check.examples, seed)
    return model.known_tree(), check.kind.truths(model, tokenizer, check.examples)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoresAnyOrder(ScoresDummy):
    """The scores of an item are the same in another order, among fewer items, and alone."""

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """Several calls with one model."""
        case = self.case(seed)
        count = len(case.examples)
        shuffled = list(range(count))
        random.Random(seed).shuffle(shuffled)
        finding = Finding({}, {}, passed=True)
        # Lists that grow and shrink: what an evaluator keeps of an earlier call, a longest length or a cache by place,
        # shows.
        for order in ([0], shuffled, [count - 1], shuffled[: count // 2 + 1], list(reversed(range(count)))):
            result = evaluator(case.model, case.tokenizer, [case.examples[index] for index in order])
            finding = self.kind.compare(result, [case.truths[index] for index in order])
            if not finding.passed:
                break
        return finding


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoresWhatIsThere(ScoresDummy):
    """The evaluator reads the model each time: after the model has learned something else, the scores follow."""

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """Set answers, evaluate, set others, evaluate, go back, evaluate."""
        case = self.case(seed)
        model, tokenizer = case.model, case.tokenizer
        finding = self.kind.compare(evaluator(model, tokenizer, case.examples), case.truths)
        for lesson in (self.kind.swapped(self.examples), self.examples):
            if finding.passed:
                set_answers(model, tokenizer, self.kind.pairs(lesson))
                truths = self.kind.truths(model, tokenizer, self.examples)
                finding = self.kind.compare(evaluator(model, tokenizer, case.examples), truths)
        return finding


@dataclass(frozen=True, kw_only=True, eq=False)
class LeavesThingsAlone(ScoresDummy):
    """Model, tokenizer and examples are afterwards what they were."""

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """Compare all of their state before and after."""
        case = self.case(seed)
        # A list, and not the tuple of the fixtures, so that an evaluator is able to sort it in place and be found out.
        examples = list(case.examples)
        before = _state(case)
        evaluator(case.model, case.tokenizer, examples)
        after = _state(case)
        changed = [name for name, value in before.items() if after[name] != value]
        if examples != list(case.examples):
            changed.append("the list of examples")
        return Finding({"changed": []}, {"changed": changed}, not changed)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoresChance(ScoresDummy):
    """The share of right answers of an oracle with probability p is compatible with p."""

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """The Clopper-Pearson interval at `ALPHA` must hold p."""
        case = self.case(seed)
        count, p = len(case.examples), float(self.parameters["p"])
        right = count_right(evaluator(case.model, case.tokenizer, case.examples), count)
        interval = clopper_pearson_interval(right, count, confidence=1 - ALPHA)
        got = {"exact_matches": right, "items": count, "accuracy_low": interval.low, "accuracy_high": interval.high}
        return Finding({"accuracy": p}, got, p in interval)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoresText(ScoresDummy):
    """The text that a dummy generates has the BLEU that it must, where the evaluator offers texts or a BLEU."""

    bleu: float

    def examine(self, evaluator: Evaluator, seed: int) -> Finding:
        """The texts of the records go through shoal's own BLEU; a result may also bring its own."""
        case = self.case(seed)
        result = evaluator(case.model, case.tokenizer, case.examples)
        finding = self.kind.compare(result, case.truths)
        if not finding.passed:
            return finding
        texts = [value_of(record, "greedy_text") for record in evaluator_records(result, len(case.examples))]
        found: dict[str, float] = {}
        if all(isinstance(text, str) for text in texts):
            found["bleu_of_texts"] = bleu(texts, [example.completion for example in case.examples])
        if (own := number_of(getattr(result, "bleu", None))) is not None:
            found["bleu_of_evaluator"] = own
        # An evaluator that offers neither texts nor a BLEU of its own has nothing to be wrong about.
        passed = all(abs(value - self.bleu) < _BLEU_TOLERANCE for value in found.values())
        return Finding(dict.fromkeys(found, self.bleu), {name: plain(value) for name, value in found.items()}, passed)


def _state(case: Case) -> dict[str, Any]:
    model, tokenizer = case.model, case.tokenizer
    return {
        "the model's weights": {name: value.tolist() for name, value in model.state_dict().items()},
        # `tolist` gives Python floats whatever the dtype, so that a cast would not show in the weights.
        "the model's dtypes": {name: value.dtype for name, value in model.state_dict().items()},
        "the model's mode": [module.training for module in model.modules()],
        "the model's configuration": model.config.to_dict(),
        "the generation settings": model.generation_config.to_dict(),
        "the tokenizer's padding side": (tokenizer.padding_side, tokenizer.truncation_side),
        "the tokenizer's special tokens": dict(tokenizer.special_tokens_map),
        "the tokenizer's vocabulary": len(tokenizer),
    }
